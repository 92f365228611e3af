//! Skips a test with a message if etcd cannot be obtained, or fails it if etcd is required.

use std::{
    collections::BTreeMap,
    env,
    io::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::anyhow;

use crate::{Binaries, Line, StderrProgress, obtain};

/// The beginning of the line of a skipped test, by which skips are counted.
pub const SKIPPED: &str = "etcd-testkit: SKIPPED";

/// The binaries for the line that `ETCD_LINE` names, or `None` when the test must be skipped; the test returns then.
///
/// The first call of a process may build etcd and block for minutes; later ones return at once. A skipped test is
/// announced on stderr past the test harness's capture, with a running count.
///
/// # Panics
/// When no etcd can be had and `ETCD_REQUIRED=1`, or when `ETCD_LINE` is not a known line.
pub fn require() -> Option<Binaries> {
    found_or_skip(Line::from_env().expect("ETCD_LINE must name a known line"))
}

/// As [`require`], for a test of a certain line.
///
/// # Panics
/// When no etcd of this line can be had and `ETCD_REQUIRED=1`.
pub fn require_line(line: Line) -> Option<Binaries> {
    found_or_skip(Some(line))
}

fn found_or_skip(line: Option<Line>) -> Option<Binaries> {
    match found(line) {
        Ok(binaries) => Some(binaries),
        Err(error) => {
            skip(&format!("{error:#}"));
            None
        }
    }
}

/// Looks once per process and line: failing can take as long as building.
pub(crate) fn found(line: Option<Line>) -> anyhow::Result<Binaries> {
    static FOUND: Mutex<BTreeMap<Option<Line>, Result<Binaries, String>>> = Mutex::new(BTreeMap::new());
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let result = found
        .entry(line)
        .or_insert_with(|| obtain(line, &mut StderrProgress::new()).map_err(|error| format!("{error:#}")));
    result.clone().map_err(|reason| anyhow!(reason))
}

/// Announces a skipped test.
///
/// # Panics
/// When `ETCD_REQUIRED=1`.
pub(crate) fn skip(reason: &str) {
    assert!(env::var_os("ETCD_REQUIRED").is_none_or(|value| value != "1"), "ETCD_REQUIRED=1, but {reason}");
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    let current = thread::current();
    let test = current.name().unwrap_or("a test");
    // `eprintln!` would be captured by the test harness. Errors are ignored: stderr is closed.
    let _ = writeln!(std::io::stderr(), "{SKIPPED} {test} ({count} so far in this process): {reason}");
}
