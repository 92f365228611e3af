//! One endpoint of the pool: its address on the wire, and what its calls have shown of it.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use http::Uri;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    identity::Refusal,
    large::LargeAnswers,
    method::Method,
    observe::trace,
    origin::Origins,
    record::{Need, Record},
};
use crate::{
    mechanism::{ejection::Use, latency::Latency},
    model::Endpoint,
};

/// How much longer than reads writes leave a member alone, in milliseconds.
const WRITES_WAIT: u64 = 5_000;

/// What a connection is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Calls with one answer.
    Calls,
    /// Streams, so that what is left unread and what lives long stays out of the way of calls.
    Streams,
    /// Calls that wait for other clients, such as Lock: on a peer that allows few requests at a time, they must not hold the
    /// slots that the calls they wait for need.
    Waits,
}

/// How many purposes there are.
pub(crate) const PURPOSES: usize = 3;

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
    /// By what calls need.
    records: [Record; 2],
    pub(crate) large: LargeAnswers,
    /// Whether its health service says that it is not serving.
    ailing: AtomicBool,
    /// Why it is not used although it answers.
    refusal: Mutex<Option<Refusal>>,
    /// The member's own id, zero until an answer showed it.
    server: AtomicU64,
    /// When a call was answered last.
    answered: AtomicU64,
    /// Since when its connections were seen with more calls than one should have; zero for not.
    crowded_since: AtomicU64,
    /// Notified when calls found out that others are to be used.
    pub(crate) ejected: Notify,
    connections: [AtomicUsize; PURPOSES],
    open_connections: [AtomicUsize; PURPOSES],
}

impl Member {
    pub(crate) fn new(id: usize, endpoint: Endpoint, origins: &Origins, removed: CancellationToken) -> Self {
        Self {
            id,
            uris: uris(origins, &endpoint),
            endpoint,
            removed,
            latency: Latency::default(),
            records: Default::default(),
            large: LargeAnswers::default(),
            ailing: AtomicBool::new(false),
            refusal: Mutex::default(),
            server: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            crowded_since: AtomicU64::new(0),
            ejected: Notify::new(),
            connections: Default::default(),
            open_connections: Default::default(),
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
    pub(crate) fn is_ejected(&self, need: Need, write: bool, now: u64) -> bool {
        let until = self.records[need as usize].until();
        let wait = if write && until != 0 { WRITES_WAIT } else { 0 };
        now < until.saturating_add(wait)
            || (!write && now < self.large.until())
            || self.ailing.load(Ordering::Relaxed)
    }

    /// Why it is not used although it answers, as the last connection to it showed.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_refusal(&self, refusal: Option<Refusal>) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }

    pub(crate) fn set_ailing(&self, ailing: bool) {
        self.ailing.store(ailing, Ordering::Relaxed);
    }

    /// How a call with this need, which took this time, ended here.
    pub(crate) fn judge(&self, need: Need, end: Use, took: Range<u64>) {
        let now = took.end;
        if let Some(until) = self.records[need as usize].judge(end, took) {
            trace::ejected(self.endpoint.as_str(), until.saturating_sub(now));
            self.ejected.notify_waiters();
        }
    }

    /// The member went silent, which concerns every call.
    pub(crate) fn went_silent(&self, now: u64) {
        self.judge(Need::Member, Use::Useless, now..now);
        self.judge(Need::Quorum, Use::Useless, now..now);
    }

    /// A call was answered.
    pub(crate) fn answered(&self, now: u64) {
        self.answered.store(now, Ordering::Relaxed);
    }

    /// Whether a call was answered since this moment.
    pub(crate) fn has_answered_since(&self, moment: u64) -> bool {
        self.answered.load(Ordering::Relaxed) >= moment.max(1)
    }

    /// A call with this need is about to go here.
    pub(crate) fn picked(&self, need: Need, now: u64) {
        self.records[need as usize].picked(now);
    }

    /// Notes whether a connection has more calls than one should have, and says for how many milliseconds one had.
    pub(crate) fn crowded(&self, crowded: bool, now: u64) -> u64 {
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
