//! One endpoint of the pool: its address on the wire, and what its calls have shown of it.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Uri;
use tokio_util::sync::CancellationToken;

use super::{method::Method, observe::trace, origin::Origins};
use crate::{
    mechanism::{
        ejection::{Ejection, Use},
        latency::Latency,
    },
    model::Endpoint,
};

/// How much longer than reads writes leave a member alone, in milliseconds.
const WRITES_WAIT: u32 = 5_000;

/// What a connection is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Calls with one answer.
    Calls,
    /// Streams, so that what is left unread and what lives long stays out of the way of calls.
    Streams,
}

/// One endpoint. Times are milliseconds since the pool began.
#[derive(Debug)]
pub(crate) struct Member {
    /// Never used twice in a pool.
    pub(crate) id: usize,
    pub(crate) endpoint: Endpoint,
    uris: Box<[Uri]>,
    /// Cancelled when the endpoint leaves the pool, or the pool ends.
    pub(crate) removed: CancellationToken,
    pub(crate) latency: Latency,
    ejection: Mutex<Ejection>,
    /// Until when others are used; zero for not at all. A copy out of `ejection`.
    ejected_until: AtomicU32,
    /// Whether `ejection` holds anything that a good end would clear.
    troubled: AtomicBool,
    /// Whether its health service says that it is not serving.
    ailing: AtomicBool,
    /// Whether its answers came from another cluster.
    foreign: AtomicBool,
    /// The member's own id, zero until an answer showed it.
    server: AtomicU64,
    /// Since when its connections were seen with more calls than one should have; zero for not.
    crowded_since: AtomicU32,
    connections: [AtomicUsize; 2],
    open_connections: [AtomicUsize; 2],
}

impl Member {
    pub(crate) fn new(id: usize, endpoint: Endpoint, origins: &Origins, removed: CancellationToken) -> Self {
        Self {
            id,
            uris: uris(origins, &endpoint),
            endpoint,
            removed,
            latency: Latency::default(),
            ejection: Mutex::default(),
            ejected_until: AtomicU32::new(0),
            troubled: AtomicBool::new(false),
            ailing: AtomicBool::new(false),
            foreign: AtomicBool::new(false),
            server: AtomicU64::new(0),
            crowded_since: AtomicU32::new(0),
            connections: [AtomicUsize::new(0), AtomicUsize::new(0)],
            open_connections: [AtomicUsize::new(0), AtomicUsize::new(0)],
        }
    }

    pub(crate) fn uri(&self, method: Method) -> Uri {
        self.uris[method.index()].clone()
    }

    /// Any URI of this member: scheme and authority for requests whose path comes from elsewhere.
    pub(crate) fn origin(&self) -> &Uri {
        &self.uris[0]
    }

    /// The id that the member's answers show, zero before the first.
    pub(crate) fn server(&self) -> u64 {
        self.server.load(Ordering::Relaxed)
    }

    pub(crate) fn set_server(&self, id: u64) {
        if self.server() != id {
            self.server.store(id, Ordering::Relaxed);
        }
    }

    /// Whether others are to be used where there are others. A write gives reads the time to find out whether the member is
    /// of use again: one that led before it hung takes proposals that are lost until it hears of its successor.
    pub(crate) fn is_ejected(&self, now: u32, write: bool) -> bool {
        let until = self.ejected_until.load(Ordering::Relaxed);
        let wait = if write && until != 0 { WRITES_WAIT } else { 0 };
        now < until.saturating_add(wait)
            || self.ailing.load(Ordering::Relaxed)
            || self.foreign.load(Ordering::Relaxed)
    }

    /// Found out by an answer, forgotten with a new connection: what listens there may have changed.
    pub(crate) fn set_foreign(&self, foreign: bool) {
        self.foreign.store(foreign, Ordering::Relaxed);
    }

    pub(crate) fn set_ailing(&self, ailing: bool) {
        self.ailing.store(ailing, Ordering::Relaxed);
    }

    /// How a call ended here.
    pub(crate) fn judge(&self, end: Use, now: u32) {
        if end == Use::Unclear || (end == Use::Good && !self.troubled.load(Ordering::Relaxed)) {
            return;
        }
        let at = Duration::from_millis(now.into());
        let before = self.ejected_until.load(Ordering::Relaxed);
        self.change(|ejection| match end {
            Use::Good => ejection.good(),
            Use::Bad => ejection.bad(at, fastrand::u64(..)),
            Use::Useless => ejection.useless(at, fastrand::u64(..)),
            Use::Unclear => {}
        });
        self.troubled.store(end != Use::Good, Ordering::Relaxed);
        let until = self.ejected_until.load(Ordering::Relaxed);
        if until > before {
            trace::ejected(self.endpoint.as_str(), until.saturating_sub(now));
        }
    }

    /// A call is about to go here: where the member was ejected until now, others wait for what this one finds.
    pub(crate) fn picked(&self, now: u32) {
        if self.ejected_until.load(Ordering::Relaxed) != 0 {
            self.change(|ejection| ejection.probed(Duration::from_millis(now.into())));
        }
    }

    fn change(&self, change: impl FnOnce(&mut Ejection)) {
        let mut ejection = self.ejection.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut ejection);
        let until = ejection.until().map_or(0, |until| u32::try_from(until.as_millis()).unwrap_or(u32::MAX));
        self.ejected_until.store(until, Ordering::Relaxed);
    }

    /// Notes whether a connection has more calls than one should have, and says for how many milliseconds one had.
    pub(crate) fn crowded(&self, crowded: bool, now: u32) -> u32 {
        let since = self.crowded_since.load(Ordering::Relaxed);
        match (crowded, since) {
            (false, 0) => 0,
            (false, _) => {
                self.crowded_since.store(0, Ordering::Relaxed);
                0
            }
            (true, 0) => {
                self.crowded_since.store(now.max(1), Ordering::Relaxed);
                0
            }
            (true, since) => now.saturating_sub(since),
        }
    }

    /// The connections for this purpose that tasks look after.
    pub(crate) fn connections(&self, purpose: Purpose) -> &AtomicUsize {
        &self.connections[purpose as usize]
    }

    /// The connections for this purpose that are open, whether or not calls may use them.
    pub(crate) fn open_connections(&self, purpose: Purpose) -> &AtomicUsize {
        &self.open_connections[purpose as usize]
    }
}

fn uris(origins: &Origins, endpoint: &Endpoint) -> Box<[Uri]> {
    let uri = |method: Method| {
        Uri::builder()
            .scheme(origins.scheme(endpoint))
            .authority(origins.authority(endpoint))
            .path_and_query(method.path())
            .build()
            .expect("a scheme, an authority and a path are a URI")
    };
    Method::ALL.into_iter().map(uri).collect()
}
