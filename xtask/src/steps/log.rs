//! The log of one step: a file, and the summary of its lines.

use std::{
    fmt,
    fs::File,
    io::{BufWriter, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, Result};

/// The number of lines shown of a failed step. The file has all of them.
const EXCERPT: usize = 150;
/// The number of last lines shown of a failed step whose log has no error line.
const TAIL: usize = 60;

/// The output of a step, on disk and in memory.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: BufWriter<File>,
    lines: Vec<String>,
    /// Set if the lines are the text of an error, whose first line is the summary.
    is_error: bool,
}

impl Log {
    pub(super) fn create(path: PathBuf) -> Result<Self> {
        let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self { path, file: BufWriter::new(file), lines: Vec::new(), is_error: false })
    }

    pub(super) fn push(&mut self, line: String) -> Result<()> {
        writeln!(self.file, "{line}").with_context(|| format!("writing {}", self.path.display()))?;
        self.lines.push(line);
        Ok(())
    }

    /// Logs the result of a function. Returns `true` if it succeeded.
    pub(super) fn outcome(&mut self, outcome: Result<String>) -> Result<bool> {
        let (succeeded, text) = match outcome {
            Ok(text) => (true, text),
            Err(error) => (false, format!("{error:#}")),
        };
        for line in text.lines() {
            self.push(line.to_owned())?;
        }
        if succeeded && !text.is_empty() {
            println!("{text}");
        }
        self.is_error = !succeeded;
        self.flush()?;
        Ok(succeeded)
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        self.file.flush().with_context(|| format!("writing {}", self.path.display()))
    }

    pub(super) fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// Returns the last line that is not empty.
    fn last(&self) -> Option<&str> {
        self.lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty())
    }

    /// Returns the last line that shows the progress of cargo or of a test run, and not a diagnostic of the compiler.
    pub(super) fn progress(&self) -> Option<&str> {
        self.lines.iter().rev().map(|line| line.trim()).find(|line| is_progress(line)).or_else(|| self.last())
    }

    pub(super) fn tally(&self) -> Tally {
        Tally::of(&self.lines)
    }

    /// Returns one line that describes the first failure.
    pub(super) fn first_failure(&self) -> String {
        if self.is_error {
            return self.lines.first().cloned().unwrap_or_default();
        }
        let line = self.lines.iter().find_map(|line| failed_test(line)).or_else(|| {
            let error = self.lines.iter().find(|line| is_error(line));
            error.map(String::as_str).or_else(|| self.last())
        });
        line.unwrap_or("no output").to_owned()
    }

    /// Returns the part of the log that describes the failure.
    pub(super) fn excerpt(&self) -> String {
        let telling = |line: &String| line == "failures:" || is_error(line);
        let start = self.lines.iter().position(telling);
        let start = start.unwrap_or_else(|| self.lines.len().saturating_sub(TAIL));
        let end = self.lines.len().min(start + EXCERPT);
        self.lines[start..end].join("\n")
    }
}

fn is_progress(line: &str) -> bool {
    let word = line.split(' ').next().unwrap_or_default();
    word == "test" || word.len() > 5 && (word.ends_with("ing") || word.ends_with("ed") || word == "Doc-tests")
}

/// Returns `true` if the compiler or cargo reports an error with this line.
fn is_error(line: &str) -> bool {
    line.starts_with("error:") || line.starts_with("error[")
}

/// Returns the name in `test a::b ... FAILED`.
fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

/// The numbers of tests that passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl Tally {
    fn of(lines: &[String]) -> Self {
        let mut total = Self::default();
        for line in lines.iter().filter(|line| is_result(line)) {
            total.add(Self { passed: before(line, " passed"), failed: before(line, " failed") });
        }
        total
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::default()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Returns the tally of a whole step. A step without tests, or one that failed apart from them, counts as one.
    pub(super) fn counting(self, succeeded: bool) -> Self {
        match (succeeded, self) {
            (true, Self { passed: 0, failed: 0 }) => Self { passed: 1, failed: 0 },
            (false, Self { passed, failed: 0 }) => Self { passed, failed: 1 },
            _ => self,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Returns `true` if a test binary ends with this line.
pub(super) fn is_result(line: &str) -> bool {
    line.starts_with("test result: ")
}

/// Returns the number in front of a word.
fn before(line: &str, word: &str) -> u64 {
    let number = line.split(word).next().and_then(|rest| rest.rsplit(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const RUN: &str = "     Running tests/it/main.rs
test kv::put ... ok
test kv::get ... FAILED

failures:

---- kv::get stdout ----
left: 1

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.01s
error: 1 target failed:";

    fn log(text: &str) -> Log {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("xtask-log-{}-{number}", std::process::id()));
        let mut log = Log::create(path.clone()).expect("the folder for temporary files is writable");
        for line in text.lines() {
            log.push(line.to_owned()).expect("the file was just created");
        }
        std::fs::remove_file(path).expect("the file was just created");
        log
    }

    #[test]
    fn results_of_all_binaries_are_added() {
        assert_eq!(log(RUN).tally(), Tally { passed: 13, failed: 1 });
        assert!(log("no tests").tally().is_empty());
    }

    #[test]
    fn a_step_without_failed_tests_counts_itself() {
        let tests = |passed, failed| Tally { passed, failed };
        assert_eq!(tests(0, 0).counting(true), tests(1, 0));
        assert_eq!(tests(0, 0).counting(false), tests(0, 1));
        assert_eq!(tests(5, 0).counting(true), tests(5, 0));
        assert_eq!(tests(5, 0).counting(false), tests(5, 1));
        assert_eq!(tests(5, 2).counting(false), tests(5, 2));
    }

    #[test]
    fn the_first_failure_is_a_test_an_error_or_the_last_line() {
        assert_eq!(log(RUN).first_failure(), "kv::get");
        assert_eq!(log("a\nerror[E1]: b\nerror: c").first_failure(), "error[E1]: b");
        assert_eq!(log("a\nb\n\n").first_failure(), "b");
        let mut called = log("");
        assert!(!called.outcome(Err(anyhow::anyhow!("a\nb"))).expect("the file was just created"));
        assert_eq!(called.first_failure(), "a");
    }

    #[test]
    fn progress_ignores_diagnostics_of_the_compiler() {
        let log = log("   Compiling h2 v0.4.20\nwarning: unused\n  |  ^^^^\n");
        assert_eq!(log.progress(), Some("Compiling h2 v0.4.20"));
        assert_eq!(log.last(), Some("|  ^^^^"));
    }

    #[test]
    fn the_excerpt_starts_at_the_failure() {
        assert!(log(RUN).excerpt().starts_with("failures:"));
        assert_eq!(log(&"a\n".repeat(TAIL * 2)).excerpt().lines().count(), TAIL);
    }
}
