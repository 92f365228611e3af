//! Runs a list of steps, logs and times each, and prints a table at the end.
//!
//! The output of a step goes to a file below the target directory and is shown if the step fails. The result lines of
//! test runs are always shown. Every step runs, so that one run reports every problem.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

mod log;
mod process;

use log::{Log, Tally};

/// One step of a task.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) work: Work,
}

/// The work of a step.
pub(crate) enum Work {
    /// Runs a program and checks its exit status.
    Run(Command),
    /// Calls a function that returns the text to log.
    Call(Box<dyn FnOnce() -> Result<String>>),
}

impl Step {
    pub(crate) fn run(name: impl Into<String>, command: Command) -> Self {
        Self { name: name.into(), work: Work::Run(command) }
    }

    pub(crate) fn call(name: impl Into<String>, call: impl FnOnce() -> Result<String> + 'static) -> Self {
        Self { name: name.into(), work: Work::Call(Box::new(call)) }
    }
}

/// The lines of test runs that are shown while they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// The result line of each test binary.
    Results,
    /// The results and each test.
    Tests,
}

/// A step that has ended.
#[derive(Debug)]
struct Done {
    name: String,
    elapsed: Duration,
    tally: Tally,
    /// One line that describes the failure.
    failure: Option<String>,
}

/// Runs every step and prints the table.
///
/// # Errors
///
/// Returns an error that names the first failed step and its failure.
pub(crate) fn run(task: &str, steps: Vec<Step>, show: Show) -> Result<()> {
    let folder = workspace::target().join(task);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;

    let begun = Instant::now();
    let count = steps.len();
    let mut done = Vec::with_capacity(count);
    for (index, step) in steps.into_iter().enumerate() {
        println!("[{:>2}/{count}] {}", index + 1, step.name);
        let path = folder.join(format!("{:02}-{}.log", index + 1, file_name(&step.name)));
        done.push(one(step, Log::create(path)?, show)?);
    }
    println!("\n{}", table(&done, begun.elapsed()));
    match done.iter().find_map(|step| Some((step, step.failure.as_ref()?))) {
        Some((step, what)) => bail!("step `{}` failed first: {what}", step.name),
        None => Ok(()),
    }
}

fn one(step: Step, mut log: Log, show: Show) -> Result<Done> {
    let begun = Instant::now();
    let succeeded = match step.work {
        Work::Run(command) => process::run(command, &mut log, show)?,
        Work::Call(call) => log.outcome(call())?,
    };
    let elapsed = begun.elapsed();
    let failure = (!succeeded).then(|| log.first_failure());
    match &failure {
        None => println!("        ok in {}", seconds(elapsed)),
        Some(what) => {
            println!("{}", log.excerpt());
            println!("        FAILED after {}: {what}\n        full log: {}", seconds(elapsed), log.path());
        }
    }
    Ok(Done { name: step.name, elapsed, tally: log.tally(), failure })
}

fn file_name(step: &str) -> String {
    let words = step.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Returns the table of all steps. Its last line has the totals.
///
/// A step without tests counts as one test.
fn table(done: &[Done], elapsed: Duration) -> String {
    let width = done.iter().map(|step| step.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut total = Tally::default();
    for step in done {
        let result = if step.failure.is_some() { "FAILED" } else { "ok" };
        let tests = if step.tally.is_empty() { String::new() } else { format!("  {}", step.tally) };
        let row = format!("{:<width$}  {:>9}  {result:<6}{tests}", step.name, seconds(step.elapsed));
        text += row.trim_end();
        text.push('\n');
        total.add(step.tally.counting(step.failure.is_none()));
    }
    text + &format!("{:<width$}  {:>9}\n{total}", "total", seconds(elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(name: &str, tally: Tally, failure: Option<&str>) -> Done {
        let elapsed = Duration::from_millis(1_500);
        Done { name: name.into(), elapsed, tally, failure: failure.map(Into::into) }
    }

    #[test]
    fn the_table_ends_with_the_totals() {
        let steps = [
            done("fmt", Tally::default(), None),
            done("tests on etcd 3.7", Tally { passed: 40, failed: 2 }, Some("a::b")),
            done("docs", Tally::default(), Some("broken link")),
        ];
        let table = table(&steps, Duration::from_secs(9));
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[1], "tests on etcd 3.7      1.5 s  FAILED  40 passed, 2 failed");
        assert_eq!(lines.last(), Some(&"41 passed, 3 failed"));
    }

    #[test]
    fn log_files_have_the_name_of_their_step() {
        assert_eq!(file_name("clippy (--all-features)"), "clippy-all-features");
    }
}
