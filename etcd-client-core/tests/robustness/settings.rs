//! What the environment asks for.

use std::{
    env,
    fmt::Display,
    io::Write as _,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

/// How a run is to be.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// How long faults happen.
    pub(super) length: Duration,
    pub(super) seed: u64,
    /// Whether the history of a clean run stays.
    pub(super) keep: bool,
}

impl Settings {
    pub(super) fn from_env() -> Self {
        let length = Duration::from_secs(number("ETCD_ROBUSTNESS_SECONDS").unwrap_or(20));
        let seed = number("ETCD_ROBUSTNESS_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
        let keep = env::var_os("ETCD_ROBUSTNESS_KEEP").is_some_and(|value| value == "1");
        Self { length, seed, keep }
    }

    /// Where the history of a scenario goes.
    pub(super) fn file(&self, scenario: &str, line: impl Display) -> PathBuf {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in a folder of the root");
        let target = env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
        let folder = root.join(target.unwrap_or_else(|| "target".into())).join("robustness");
        folder.join(format!("{scenario}-{line}-{}.jsonl", self.seed))
    }
}

fn number<N: FromStr>(name: &str) -> Option<N> {
    let text = env::var(name).ok()?;
    let number = text.parse().ok();
    assert!(number.is_some(), "{name}={text} is no number");
    number
}

/// One line on stderr, which the test harness does not swallow.
pub(super) fn print(line: impl Display) {
    // Fails only where nobody reads.
    let _ = writeln!(std::io::stderr(), "robustness: {line}");
}
