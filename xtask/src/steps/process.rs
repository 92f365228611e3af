//! Runs the program of a step, logs its output and shows its progress.

use std::{
    io::{self, BufRead as _, BufReader, PipeReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use super::{
    Show,
    log::{Log, is_result},
    seconds,
};

/// The longest time without output. A longer silence looks like a hang to a reader.
const SILENCE: Duration = Duration::from_secs(8);

/// Runs the program to its end. Returns `true` if it succeeded.
pub(super) fn run(mut command: Command, log: &mut Log, show: Show) -> Result<bool> {
    let typed = typed(&command);
    log.push(format!("$ {typed}"))?;
    // One pipe for both, so that the results of tests and the messages of cargo stay in order.
    let (reader, writer) = io::pipe().context("opening a pipe")?;
    command.stdin(Stdio::null()).stdout(writer.try_clone().context("opening a pipe")?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("starting {typed}"))?;
    // The command holds the writing end, which must close when the program ends.
    drop(command);

    let (sender, lines) = channel();
    thread::spawn(move || forward(reader, &sender));
    follow(&lines, &mut child, log, show)?;
    let status = child.wait().with_context(|| format!("waiting for {typed}"))?;
    log.push(format!("{status}"))?;
    log.flush()?;
    Ok(status.success())
}

/// Reads lines until the pipe closes or the receiver is gone.
fn forward(pipe: PipeReader, lines: &Sender<String>) {
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        if lines.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
            return;
        }
        line.clear();
    }
}

/// Logs the lines until the pipe closes, or until the program has ended and the processes it left print nothing.
fn follow(lines: &Receiver<String>, child: &mut Child, log: &mut Log, show: Show) -> Result<()> {
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
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_some() => {
                return log
                    .push("a process that the step left running still holds the output open".to_owned());
            }
            Err(RecvTimeoutError::Timeout) => {
                println!("        {:>8}  {}", seconds(begun.elapsed()), log.progress().unwrap_or("running"));
                printed = Instant::now();
            }
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

/// Returns the command as typed in a shell.
fn typed(command: &Command) -> String {
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
    fn each_test_is_shown_on_request_only() {
        assert!(is_shown("test result: ok. 1 passed; 0 failed", Show::Results));
        assert!(is_shown("     Running unittests src/lib.rs", Show::Results));
        assert!(is_shown("etcd-testkit: SKIPPED a (1 so far)", Show::Results));
        assert!(!is_shown("test a ... ok", Show::Results));
        assert!(is_shown("test a ... ok", Show::Tests));
        assert!(!is_shown("   Compiling h2 v0.4.20", Show::Tests));
    }

    fn outcome(script: &str, name: &str) -> (bool, Vec<String>) {
        let path = std::env::temp_dir().join(format!("xtask-process-{}-{name}", std::process::id()));
        let mut log = Log::create(path.clone()).expect("the folder for temporary files is writable");
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let succeeded = run(command, &mut log, Show::Results).expect("sh can be started");
        let text = std::fs::read_to_string(&path).expect("the log was just written");
        std::fs::remove_file(path).expect("the log was just written");
        (succeeded, text.lines().map(str::to_owned).collect())
    }

    #[test]
    #[cfg(unix)]
    fn both_outputs_are_logged_in_order_with_the_status() {
        let (succeeded, lines) = outcome("echo a; echo b >&2; echo c; exit 3", "order");
        assert!(!succeeded);
        assert_eq!(lines[1..], ["a", "b", "c", "exit status: 3"]);
        assert!(outcome("true", "success").0);
    }

    #[test]
    #[cfg(unix)]
    fn a_process_left_running_does_not_delay_the_step() {
        let begun = Instant::now();
        let (succeeded, lines) = outcome("sleep 60 & echo $!", "left");
        let mut kill = Command::new("kill");
        assert!(kill.arg(&lines[1]).status().expect("kill can be started").success(), "it ended by itself");
        assert!(succeeded);
        assert!(begun.elapsed() < SILENCE * 3);
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("/somewhere/cargo");
        command.args(["test", "--locked"]).env("ETCD_LINE", "3.7");
        assert_eq!(typed(&command), "ETCD_LINE=\"3.7\" cargo test --locked");
    }
}
