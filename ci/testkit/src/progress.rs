//! Says what a long step is doing: a line a step, and a sign of life in between.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

/// Hears what [`obtain`](crate::obtain()) does.
pub trait Progress: Send {
    /// A step begins or has ended.
    fn step(&mut self, text: &str);

    /// Reports that the step is still running. Called at least once a second.
    fn waiting(&mut self, text: &str);
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&mut self, _text: &str) {}

    fn waiting(&mut self, _text: &str) {}
}

/// Writes to stderr with the time elapsed: on a terminal signs of life update one line, elsewhere one is written every
/// ten seconds.
#[derive(Debug)]
pub struct StderrProgress {
    begun: Instant,
    last_line: Instant,
    terminal: bool,
}

const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

impl StderrProgress {
    /// Starts the clock.
    #[must_use]
    pub fn new() -> Self {
        let now = Instant::now();
        Self { begun: now, last_line: now, terminal: stderr().is_terminal() }
    }

    fn write(&mut self, before: &str, text: &str, after: &str) {
        let elapsed = self.begun.elapsed().as_secs();
        // Ignored: stderr is closed.
        let _ = write!(stderr(), "{before}[{elapsed:>4} s] {text}{after}");
        self.last_line = Instant::now();
    }
}

impl Default for StderrProgress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for StderrProgress {
    fn step(&mut self, text: &str) {
        let before = if self.terminal { "\r\x1b[K" } else { "" };
        self.write(before, text, "\n");
    }

    fn waiting(&mut self, text: &str) {
        if self.terminal {
            let short: String = text.chars().take(90).collect();
            self.write("\r\x1b[K", &short, "");
        } else if self.last_line.elapsed() >= PLAIN_INTERVAL {
            self.write("", text, "\n");
        }
    }
}
