//! The output of the demo: headings, lines of code, results, and checks with their count.

use std::{
    env,
    fmt::{Debug, Display},
    io::{IsTerminal as _, Write, stdout},
    time::Duration,
};

use anyhow::{Result, bail};
use tokio::time::{Instant, interval};

use super::bar::Bar;

/// The longest line, unless a single word is longer.
const WIDTH: usize = 100;

/// The interval of progress lines if the output is not a terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Prints the output and counts the checks.
pub(super) struct Transcript {
    out: Box<dyn Write + Send>,
    colours: bool,
    terminal: bool,
    /// Set if the last line shows progress and is replaced by the next one.
    alive: bool,
    last_sign: Instant,
    section: &'static str,
    sections: usize,
    passed: usize,
    failed: Vec<String>,
}

#[derive(Clone, Copy)]
enum Colour {
    None,
    Bold,
    Cyan,
    Green,
    Red,
}

impl Transcript {
    /// Writes to stdout, in colours if it is a terminal and `NO_COLOR` is not set.
    pub(super) fn to_stdout() -> Self {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        let terminal = stdout().is_terminal() && !dumb;
        Self::new(Box::new(stdout()), terminal && !set("NO_COLOR"), terminal)
    }

    fn new(out: Box<dyn Write + Send>, colours: bool, terminal: bool) -> Self {
        Self {
            out,
            colours,
            terminal,
            alive: false,
            last_sign: Instant::now(),
            section: "start",
            sections: 0,
            passed: 0,
            failed: Vec::new(),
        }
    }

    /// Prints the first line.
    pub(super) fn title(&mut self, text: &str) {
        self.line(Colour::Bold, "", text);
    }

    /// Prints an explanation.
    pub(super) fn note(&mut self, text: &str) {
        self.line(Colour::None, "   ", text);
    }

    /// Starts a section.
    pub(super) fn heading(&mut self, title: &'static str) {
        self.sections += 1;
        self.section = title;
        self.line(Colour::None, "", "");
        let number = format!("{:<4}", format!("{}.", self.sections));
        self.line(Colour::Bold, &number, title);
    }

    /// Prints a line of code or a command that is run.
    pub(super) fn code(&mut self, code: &str) {
        self.line(Colour::Cyan, "   > ", code);
    }

    /// Prints the lines of a result.
    pub(super) fn result(&mut self, text: impl Display) {
        for line in text.to_string().lines() {
            self.line(Colour::None, "     ", line);
        }
    }

    /// Checks that `got` equals `expected`. `name` describes the check.
    pub(super) fn check<T: PartialEq<U> + Debug, U: Debug>(&mut self, name: &str, got: T, expected: U) {
        let difference = (got != expected).then(|| format!("{got:?} instead of {expected:?}"));
        self.score(name, difference);
    }

    /// Checks that a condition holds. `name` describes it.
    pub(super) fn holds(&mut self, name: &str, condition: bool) {
        self.score(name, (!condition).then(|| "it does not hold".to_owned()));
    }

    fn score(&mut self, name: &str, difference: Option<String>) {
        match difference {
            None => {
                self.passed += 1;
                self.line(Colour::Green, "  ok ", name);
            }
            Some(difference) => {
                self.failed.push(format!("{}: {name}", self.section));
                self.line(Colour::Red, "FAIL ", &format!("{name}: {difference}"));
            }
        }
    }

    /// Shows progress, in a line that the next one replaces.
    pub(super) fn alive(&mut self, text: &str) {
        if self.terminal {
            let short: String = text.chars().take(WIDTH - 10).collect();
            self.write(&format!("\r\x1b[K     {short}"));
            self.alive = true;
        } else if self.last_sign.elapsed() >= PLAIN_INTERVAL {
            self.write(&format!("     {text}\n"));
        } else {
            return;
        }
        self.last_sign = Instant::now();
    }

    /// Shows the progress of a transfer: a bar on a terminal, and elsewhere a few lines.
    pub(super) fn progress(&mut self, bar: &mut Bar, done: u64, total: u64) {
        if self.terminal {
            self.alive(&bar.drawn(done, total));
        } else if let Some(line) = bar.plain(done, total) {
            self.result(line);
        }
    }

    /// Runs `work` and shows the elapsed time.
    pub(super) async fn during<T: Send>(&mut self, what: &str, work: impl Future<Output = T> + Send) -> T {
        let begun = Instant::now();
        let mut ticks = interval(Duration::from_secs(1));
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = ticks.tick() => self.alive(&format!("{what} ({} s)", begun.elapsed().as_secs())),
            }
        }
    }

    /// Prints the number of checks that passed.
    ///
    /// # Errors
    ///
    /// Returns an error that names each failed check.
    pub(super) fn sum_up(&mut self) -> Result<()> {
        self.line(Colour::None, "", "");
        if self.failed.is_empty() {
            let summary = format!("{} checks passed", self.passed);
            self.line(Colour::Green, "", &summary);
            return Ok(());
        }
        let (passed, failed) = (self.passed, self.failed.len());
        self.line(Colour::Red, "", &format!("{passed} checks passed, {failed} failed"));
        let names = self.failed.join("\n  ");
        bail!("{failed} of {} checks failed:\n  {names}", passed + failed)
    }

    /// Prints the last line after an early end.
    pub(super) fn stopped_early(&mut self) {
        self.line(Colour::None, "", "");
        let mut text = format!("stopped early; {} checks passed", self.passed);
        if !self.failed.is_empty() {
            text += &format!(", {} failed: {}", self.failed.len(), self.failed.join(", "));
        }
        self.line(Colour::Red, "", &text);
    }

    fn line(&mut self, colour: Colour, mark: &str, text: &str) {
        let before = if self.alive { "\r\x1b[K" } else { "" };
        self.alive = false;
        self.last_sign = Instant::now();
        let (on, off) = match colour {
            _ if !self.colours => ("", ""),
            Colour::None => ("", ""),
            Colour::Bold => ("\x1b[1m", "\x1b[0m"),
            Colour::Cyan => ("\x1b[36m", "\x1b[0m"),
            Colour::Green => ("\x1b[32m", "\x1b[0m"),
            Colour::Red => ("\x1b[31m", "\x1b[0m"),
        };
        let lines: String =
            wrap(mark, text).iter().map(|line| format!("{on}{}{off}\n", line.trim_end())).collect();
        self.write(&format!("{before}{lines}"));
    }

    fn write(&mut self, text: &str) {
        // A closed output does not stop the checks and the clean-up.
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// Breaks a text at spaces so that it fits behind `mark`. Further lines are indented by four more characters.
fn wrap(mark: &str, text: &str) -> Vec<String> {
    let inner = text.len() - text.trim_start().len();
    let hanging = " ".repeat(mark.len() + inner + 4);
    let mut lines = vec![format!("{mark}{text}")];
    while let Some(last) = lines.pop() {
        let from = if lines.is_empty() { mark.len() + inner } else { hanging.len() };
        let Some(at) = break_point(&last, from) else {
            lines.push(last);
            break;
        };
        lines.push(last[..at].to_owned());
        lines.push(format!("{hanging}{}", last[at..].trim_start()));
    }
    lines
}

/// Returns the last space at which the line is short enough, or else the first one. Returns `None` if the line fits.
fn break_point(line: &str, from: usize) -> Option<usize> {
    let limit = line.char_indices().nth(WIDTH)?.0;
    let space = |(at, _): (usize, &str)| (at > from).then_some(at);
    line[..=limit].rmatch_indices(' ').find_map(space).or_else(|| line.match_indices(' ').find_map(space))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no writer panics").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("no writer panics").clone()).expect("text was written")
        }
    }

    fn transcript(colours: bool, terminal: bool) -> (Transcript, Page) {
        let page = Page::default();
        (Transcript::new(Box::new(page.clone()), colours, terminal), page)
    }

    #[test]
    fn failed_checks_are_counted_and_named() {
        let (mut transcript, page) = transcript(false, false);
        transcript.heading("Keys");
        transcript.check("the value is v", "v", "v");
        transcript.check("the count is 1", 2, 1);
        transcript.holds("it is old", false);
        let error = transcript.sum_up().expect_err("two failed").to_string();
        assert_eq!(error, "2 of 3 checks failed:\n  Keys: the count is 1\n  Keys: it is old");
        let text = page.text();
        assert!(
            text.contains("\n1.  Keys\n  ok the value is v\nFAIL the count is 1: 2 instead of 1\n"),
            "{text}"
        );
        assert!(text.ends_with("\n1 checks passed, 2 failed\n"), "{text}");
    }

    #[test]
    fn the_summary_succeeds_without_a_failure() {
        let (mut transcript, page) = transcript(false, false);
        transcript.holds("it is", true);
        transcript.sum_up().expect("all passed");
        assert!(page.text().ends_with("\n1 checks passed\n"), "{}", page.text());
    }

    #[test]
    fn only_terminals_get_colours_and_replaced_lines() {
        let (mut plain, page) = transcript(false, false);
        plain.code("x");
        plain.alive("too early");
        assert_eq!(page.text(), "   > x\n");
        let (mut coloured, page) = transcript(true, true);
        coloured.alive("half");
        coloured.code("x");
        assert_eq!(page.text(), "\r\x1b[K     half\r\x1b[K\x1b[36m   > x\x1b[0m\n");
    }

    #[test]
    fn progress_is_a_bar_on_terminals_and_lines_elsewhere() {
        let (mut plain, page) = transcript(false, false);
        let mut bar = Bar::begin("saved");
        for done in 0..=4 {
            plain.progress(&mut bar, done, 4);
        }
        assert_eq!(page.text().lines().count(), 3, "{}", page.text());
        assert!(!page.text().contains('['), "{}", page.text());
        let (mut moving, page) = transcript(false, true);
        moving.progress(&mut Bar::begin("saved"), 1, 4);
        assert!(page.text().starts_with("\r\x1b[K     [======>"), "{}", page.text());
    }

    #[test]
    fn long_lines_are_broken_at_spaces() {
        let text = "word ".repeat(60);
        let lines = wrap("     ", &format!("  {}", text.trim_end()));
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{lines:?}");
        assert!(lines[0].starts_with("       word") && lines[1].starts_with("           word"), "{lines:?}");
        let words: Vec<_> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
        assert_eq!(words.len(), 60);
    }

    #[test]
    fn a_long_word_is_not_broken() {
        let long = "x".repeat(150);
        assert_eq!(wrap("  ", &long), [format!("  {long}")]);
        assert_eq!(wrap("", &format!("a {long} b")).len(), 3);
        assert_eq!(wrap("", ""), [""]);
    }
}
