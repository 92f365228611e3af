//! What the environment asks of a run.

use std::{env, fmt::Display, io::Write as _, path::PathBuf, str::FromStr, time::Duration};

use crate::workspace;

/// How a run is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How long faults happen: `ETCD_ROBUSTNESS_SECONDS`, 20 s by default.
    pub length: Duration,
    /// What faults and load are drawn from: `ETCD_ROBUSTNESS_SEED`, another one each time by default.
    pub seed: u64,
    /// Whether the history of a clean run stays: `ETCD_ROBUSTNESS_KEEP=1`.
    pub keep: bool,
}

impl Settings {
    /// What the environment says.
    ///
    /// # Panics
    /// When it says something else than a number.
    pub(super) fn from_env() -> Self {
        let length = Duration::from_secs(number("ETCD_ROBUSTNESS_SECONDS").unwrap_or(20));
        let seed = number("ETCD_ROBUSTNESS_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
        let keep = env::var_os("ETCD_ROBUSTNESS_KEEP").is_some_and(|value| value == "1");
        Self { length, seed, keep }
    }

    /// Where the history of a scenario goes.
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
    // Fails only where nobody reads.
    let _ = writeln!(std::io::stderr(), "robustness: {line}");
}
