//! A progress bar with the number of bytes and the rate.

use std::time::Duration;

use tokio::time::Instant;

use super::show;

/// The width of the bar in characters.
const WIDTH: u64 = 24;

/// The percentage after which another line is written if the output is not a terminal.
const PART: u64 = 25;

/// A running transfer and its start.
#[derive(Debug)]
pub(super) struct Bar {
    what: &'static str,
    begun: Instant,
    /// The percentage of the last line.
    written: u64,
}

impl Bar {
    /// Starts a transfer, which `what` describes.
    pub(super) fn begin(what: &'static str) -> Self {
        Self { what, begun: Instant::now(), written: 0 }
    }

    /// Returns the current bar, which replaces the previous one.
    pub(super) fn drawn(&self, done: u64, total: u64) -> String {
        drawn(self.what, done, total, self.begun.elapsed())
    }

    /// Returns a line without a bar if another part is complete. [`Bar::done`] reports the end.
    pub(super) fn plain(&mut self, done: u64, total: u64) -> Option<String> {
        let parts = percent(done, total) / PART * PART;
        (parts > self.written && parts < 100).then(|| {
            self.written = parts;
            plain(self.what, done, total, self.begun.elapsed())
        })
    }

    /// Returns the summary of the finished transfer.
    pub(super) fn done(&self, bytes: u64) -> String {
        let took = self.begun.elapsed();
        format!("{} in {}, {}/s", show::bytes(bytes), show::duration(took), show::bytes(rate(bytes, took)))
    }
}

fn drawn(what: &str, done: u64, total: u64, took: Duration) -> String {
    let filled = usize::try_from(percent(done, total) * WIDTH / 100).unwrap_or_default();
    let bar = format!("{}>", "=".repeat(filled));
    let width = usize::try_from(WIDTH).unwrap_or_default();
    format!("[{bar:width$.width$}] {}", plain(what, done, total, took))
}

fn plain(what: &str, done: u64, total: u64, took: Duration) -> String {
    let (percent, rate) = (percent(done, total), show::bytes(rate(done, took)));
    format!("{percent:>3} % {what}  {} of {}  {rate}/s", show::bytes(done), show::bytes(total))
}

/// Returns the percentage, which is 100 for a total of zero.
fn percent(done: u64, total: u64) -> u64 {
    let percent = u128::from(done) * 100 / u128::from(total.max(1));
    if total == 0 { 100 } else { u64::try_from(percent).unwrap_or(100).min(100) }
}

fn rate(bytes: u64, took: Duration) -> u64 {
    let rate = u128::from(bytes) * 1000 / took.as_millis().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_bar_fills_and_keeps_its_width() {
        let second = Duration::from_secs(1);
        let cases = [
            (0, "[>                       ]   0 % saved  0.0 MiB of 8.0 MiB  0.0 MiB/s"),
            (2 * MIB, "[======>                 ]  25 % saved  2.0 MiB of 8.0 MiB  2.0 MiB/s"),
            (8 * MIB, "[========================] 100 % saved  8.0 MiB of 8.0 MiB  8.0 MiB/s"),
        ];
        for (done, shown) in cases {
            assert_eq!(drawn("saved", done, 8 * MIB, second), shown);
        }
    }

    #[test]
    fn each_quarter_has_one_line() {
        let mut bar = Bar::begin("saved");
        let lines = (0..=100).filter_map(|done| bar.plain(done, 100));
        let percents: Vec<String> = lines.map(|line| line[..5].to_owned()).collect();
        assert_eq!(percents, [" 25 %", " 50 %", " 75 %"]);
    }

    #[test]
    fn percent_handles_zero_and_too_large_values() {
        for (done, total, expected) in [(0, 0, 100), (5, 3, 100), (u64::MAX, u64::MAX, 100), (1, 3, 33)] {
            assert_eq!(percent(done, total), expected, "{done} of {total}");
        }
    }
}
