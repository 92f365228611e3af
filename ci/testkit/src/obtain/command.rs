//! Runs one program of a long step, with a sign of life each second and its last lines in the error.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read},
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};

use crate::Progress;

const TICK: Duration = Duration::from_secs(1);
const LINES_KEPT: usize = 12;

/// Runs `command` to its end; `doing` starts each sign of life and names the step in the error.
pub(super) fn run(command: &mut Command, doing: &str, progress: &mut dyn Progress) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {program}"))?;
    let (sender, lines) = mpsc::channel();
    forward(child.stdout.take(), sender.clone());
    forward(child.stderr.take(), sender);
    let mut kept = VecDeque::new();
    loop {
        match lines.recv_timeout(TICK) {
            Ok(line) => keep(&mut kept, line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let last = kept.back().map_or("", String::as_str);
        progress.waiting(&format!("{doing}: {last}"));
    }
    let status = child.wait().with_context(|| format!("waiting for {program}"))?;
    if !status.success() {
        bail!("{doing}: {program} ended with {status}: {}", Vec::from(kept).join("\n    "));
    }
    Ok(())
}

/// Runs `command` to its end and returns what it printed.
pub(super) fn read(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("running {program}"))?;
    if !output.status.success() {
        bail!("{program} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn forward(stream: Option<impl Read + Send + 'static>, sender: Sender<String>) {
    let Some(stream) = stream else { return };
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}

fn keep(kept: &mut VecDeque<String>, line: String) {
    if kept.len() == LINES_KEPT {
        kept.pop_front();
    }
    kept.push_back(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Silent;

    #[test]
    fn a_failure_carries_the_last_lines() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let error = run(&mut command, "trying", &mut Silent).unwrap_err().to_string();
        assert!(error.contains("trying") && error.contains("out") && error.contains("err"), "{error}");
    }

    #[test]
    fn what_was_printed_is_returned() {
        assert_eq!(read(Command::new("echo").arg("hello")).unwrap(), "hello\n");
        assert!(read(Command::new("sh").args(["-c", "exit 1"])).is_err());
    }
}
