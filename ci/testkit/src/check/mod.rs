//! Judges a history: pure functions from what was recorded to what was broken, each violation with the lines that show
//! it.
//!
//! ```no_run
//! use etcd_testkit::{check::{self, Limits}, history::History};
//!
//! let history = History::read("history.jsonl".as_ref())?;
//! let verdict = check::all(&history, &Limits::default());
//! assert!(verdict.is_clean(), "{}", verdict.report(&history));
//! # Ok::<(), anyhow::Error>(())
//! ```

mod barrier;
mod item;
mod lease;
mod lock;
mod log;
mod place;
mod verdict;
mod watch;
mod write;

use std::time::Duration;

use lease::Leases;
use log::Log;
use place::Places;
pub use verdict::{Figures, Lag, Rule, Verdict, Violation};

use crate::history::History;

/// The expected precision of the client's clock and of its margins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The time before the deadline of a lease at which the client may report it lost. Default: 0.5 s.
    pub margin: Duration,
    /// The delay with which the client may report an expiry, because timers of a busy machine are late. Default: 0.25
    /// s.
    pub lateness: Duration,
    /// The delay with which a witness may see a change that a client saw. Two of them watch members that are not
    /// paused.
    /// Default: 1 s.
    pub witness: Duration,
    /// The time after a member was resumed in which it may revoke a lease by a proposal from before.
    ///
    /// It proposes at once, but may wait for a leader as long as any request, which is 7 s by default (`ReqTimeout` in
    /// etcd's `server/config/config.go`). Default: 8 s.
    pub thaw: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            margin: Duration::from_millis(500),
            lateness: Duration::from_millis(250),
            witness: Duration::from_secs(1),
            thaw: Duration::from_secs(8),
        }
    }
}

/// Every check.
pub fn all(history: &History, limits: &Limits) -> Verdict {
    let mut verdict = Verdict::default();
    let log = Log::of(history, &mut verdict);
    write::check(history, &log, &mut verdict);
    watch::check(history, &log, &mut verdict);
    let (leases, places) = (Leases::of(history, &log, limits), Places::of(&log));
    lease::check(history, &leases, limits, &mut verdict);
    lock::check(history, &leases, &places, limits, &mut verdict);
    place::check(history, &leases, &places, &mut verdict);
    item::check(history, &log, &mut verdict);
    barrier::check(history, &leases, &mut verdict);
    verdict.lags.sort_by(|one, other| other.cmp(one));
    verdict
}
