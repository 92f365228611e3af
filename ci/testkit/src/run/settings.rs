//! Settings of a run from environment variables.

use std::{env, fmt::Display, io::Write as _, path::PathBuf, str::FromStr, time::Duration};

use crate::workspace;

/// The settings of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The duration of the faults: `ETCD_ROBUSTNESS_SECONDS`, 20 s by default.
    pub length: Duration,
    /// The seed of faults and load: `ETCD_ROBUSTNESS_SEED`, by default a new one each time.
    pub seed: u64,
    /// Set if the history of a clean run is kept: `ETCD_ROBUSTNESS_KEEP=1`.
    pub keep: bool,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Panics
    ///
    /// Panics if a variable is not a number.
    pub(super) fn from_env() -> Self {
        let length = Duration::from_secs(number("ETCD_ROBUSTNESS_SECONDS").unwrap_or(20));
        let seed = number("ETCD_ROBUSTNESS_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
        let keep = env::var_os("ETCD_ROBUSTNESS_KEEP").is_some_and(|value| value == "1");
        Self { length, seed, keep }
    }

    /// Returns the path of the history of a scenario.
    pub(super) fn file(&self, scenario: &str, etcd: impl Display) -> PathBuf {
        workspace::target().join("robustness").join(format!("{scenario}-{etcd}-{}.jsonl", self.seed))
    }
}

fn number<N: FromStr>(name: &str) -> Option<N> {
    let text = env::var(name).ok()?;
    let number = text.parse().ok();
    assert!(number.is_some(), "{name}={text} is no number");
    number
}

/// Writes one line about a run to stderr, which the test harness does not swallow.
pub fn say(line: impl Display) {
    // Ignored: fails only if the output is closed.
    let _ = writeln!(std::io::stderr(), "robustness: {line}");
}
