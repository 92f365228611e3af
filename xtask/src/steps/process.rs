//! Runs a step's program: its lines go to the log, and its silence is broken now and then.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::log::{Log, is_result};
use super::{Show, seconds};

/// How long nothing may be printed; whoever watches a run takes longer silence for a hang.
const SILENCE: Duration = Duration::from_secs(8);

/// Runs the program to its end; true when it succeeded.
pub(super) fn run(mut command: Command, log: &mut Log, show: Show) -> Result<bool> {
    log.push(format!("$ {}", line(&command)))?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("starting {}", line(&command)))?;

    let (sender, lines) = channel();
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, sender);
    }
    follow(&lines, log, show)?;
    let status = child.wait().with_context(|| format!("waiting for {}", line(&command)))?;
    log.push(format!("{status}"))?;
    log.flush()?;
    Ok(status.success())
}

/// Reads one of the program's pipes on a thread of its own, which ends with the pipe.
fn forward(pipe: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if lines.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
}

/// Logs the lines until both pipes are closed.
fn follow(lines: &Receiver<String>, log: &mut Log, show: Show) -> Result<()> {
    let begun = Instant::now();
    let mut printed = begun;
    loop {
        match lines.recv_timeout(SILENCE.saturating_sub(printed.elapsed())) {
            Ok(line) => {
                if is_shown(&line, show) {
                    println!("        {line}");
                    printed = Instant::now();
                }
                log.push(line)?;
            }
            Err(RecvTimeoutError::Timeout) => {
                println!("        {:>8}  {}", seconds(begun.elapsed()), log.progress().unwrap_or("running"));
                printed = Instant::now();
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

fn is_shown(line: &str, show: Show) -> bool {
    let start = line.trim_start();
    is_result(line)
        || start.starts_with("Running ")
        || start.starts_with("Doc-tests ")
        || start.starts_with("etcd-testkit: SKIPPED")
        || show == Show::Tests && start.starts_with("test ")
}

/// The command as a person would type it.
fn line(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let variables = set.map(|(name, value)| format!("{}={:?}", name.display(), value));
    let program = std::path::Path::new(command.get_program()).file_stem().unwrap_or_default();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    let words = variables.chain([program.to_string_lossy().into_owned()]).chain(arguments);
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_closing_lines_are_shown_unless_asked() {
        assert!(is_shown("test result: ok. 1 passed; 0 failed", Show::Results));
        assert!(is_shown("     Running unittests src/lib.rs", Show::Results));
        assert!(is_shown("etcd-testkit: SKIPPED a (1 so far)", Show::Results));
        assert!(!is_shown("test a ... ok", Show::Results));
        assert!(is_shown("test a ... ok", Show::Tests));
        assert!(!is_shown("   Compiling h2 v0.4.20", Show::Tests));
    }

    #[test]
    fn a_command_reads_as_it_is_typed() {
        let mut command = Command::new("/somewhere/cargo");
        command.args(["test", "--locked"]).env("ETCD_LINE", "3.7");
        assert_eq!(line(&command), "ETCD_LINE=\"3.7\" cargo test --locked");
    }
}
