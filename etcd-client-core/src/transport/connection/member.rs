//! One endpoint of the pool: its address, and the observations of its calls.

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

use crate::{
    transport::{
        balance::{
            ejection::CallQuality,
            large::LargeAnswers,
            latency::Latency,
            member_health::{MemberHealth, Scope},
        },
        connection::identity::Rejection,
        endpoint::authority::Origins,
        grpc::method::{Method, PURPOSES, Purpose},
        observe::trace,
    },
    types::Endpoint,
};

/// The additional time for which writes avoid a member after its ejection, in milliseconds.
const WRITES_WAIT: u64 = 5_000;

/// One endpoint. Times are in milliseconds since the start of the pool.
#[derive(Debug)]
pub(crate) struct Member {
    /// Unique within the pool; never reused.
    pub(crate) id: usize,
    pub(crate) endpoint: Endpoint,
    uris: Box<[Uri]>,
    /// Cancelled when the endpoint is removed from the pool, or the pool is closed.
    pub(crate) removed: CancellationToken,
    pub(crate) latency: Latency,
    /// The call outcomes, by [`Scope`].
    records: [MemberHealth; 2],
    pub(crate) large: LargeAnswers,
    /// Set while the health service reports that the member is not serving.
    ailing: AtomicBool,
    /// The reason why the member is not used although it responds.
    rejection: Mutex<Option<Rejection>>,
    /// The member's own id, or zero until a response contains it.
    server: AtomicU64,
    /// The time of the last successful call.
    answered: AtomicU64,
    /// The time since which its connections have had more calls than one should have, or zero.
    crowded_since: AtomicU64,
    /// Notified when calls lead to an ejection.
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
            rejection: Mutex::default(),
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

    /// Returns a URI of this member. Requests whose path comes from elsewhere use its scheme and authority.
    pub(crate) fn origin(&self) -> &Uri {
        &self.uris[0]
    }

    /// Returns the member id from its responses, or zero before the first one.
    pub(crate) fn server(&self) -> u64 {
        self.server.load(Ordering::Relaxed)
    }

    pub(crate) fn set_server(&self, id: u64) {
        // Compared first: every response calls this, and the id hardly ever changes.
        if self.server() != id {
            self.server.store(id, Ordering::Relaxed);
        }
    }

    /// Returns `true` if other members are preferred.
    ///
    /// Writes return later than reads, so that reads test the member first: a former leader that was paused accepts
    /// proposals, and loses them, until it learns of its successor.
    pub(crate) fn is_ejected(&self, scope: Scope, write: bool, now: u64) -> bool {
        let until = self.records[scope as usize].until();
        let wait = if write && until != 0 { WRITES_WAIT } else { 0 };
        // Large responses are observed on reads, and keep only reads away.
        now < until.saturating_add(wait)
            || (!write && now < self.large.until())
            || self.ailing.load(Ordering::Relaxed)
    }

    /// Returns the reason why the member is not used although it responds, as determined by its last connection.
    pub(crate) fn rejection(&self) -> Option<Rejection> {
        self.rejection.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_rejection(&self, rejection: Option<Rejection>) {
        *self.rejection.lock().unwrap_or_else(PoisonError::into_inner) = rejection;
    }

    pub(crate) fn set_ailing(&self, ailing: bool) {
        self.ailing.store(ailing, Ordering::Relaxed);
    }

    /// Records the end of a call with this need that took the time range `took`.
    pub(crate) fn record(&self, scope: Scope, end: CallQuality, took: Range<u64>) {
        let now = took.end;
        if let Some(until) = self.records[scope as usize].record(end, took) {
            trace::ejected(self.endpoint.as_str(), until.saturating_sub(now));
            self.ejected.notify_waiters();
        }
    }

    /// Records that the member became unresponsive, which affects all calls.
    pub(crate) fn became_unresponsive(&self, now: u64) {
        self.record(Scope::Member, CallQuality::Useless, now..now);
        self.record(Scope::Quorum, CallQuality::Useless, now..now);
    }

    /// Records a successful call.
    pub(crate) fn answered(&self, now: u64) {
        self.answered.store(now, Ordering::Relaxed);
    }

    /// Returns `true` if a call succeeded at `moment` or later.
    pub(crate) fn has_answered_since(&self, moment: u64) -> bool {
        // Zero stands for "never", so it must not match a moment of zero.
        self.answered.load(Ordering::Relaxed) >= moment.max(1)
    }

    /// Records that a call with this need is about to use the member.
    pub(crate) fn picked(&self, scope: Scope, now: u64) {
        self.records[scope as usize].picked(now);
    }

    /// Records whether a connection has more calls than one should have. Returns for how many milliseconds that has
    /// lasted.
    pub(crate) fn crowded(&self, crowded: bool, now: u64) -> u64 {
        let since = self.crowded_since.load(Ordering::Relaxed);
        match (crowded, since) {
            (false, 0) => 0,
            (false, _) => {
                self.crowded_since.store(0, Ordering::Relaxed);
                0
            }
            (true, 0) => {
                // Zero stands for "not crowded".
                self.crowded_since.store(now.max(1), Ordering::Relaxed);
                0
            }
            (true, since) => now.saturating_sub(since),
        }
    }

    /// Returns the number of connections for this purpose that are maintained by tasks.
    pub(crate) fn connections(&self, purpose: Purpose) -> &AtomicUsize {
        &self.connections[purpose as usize]
    }

    /// Returns the number of open connections for this purpose, including those that accept no calls.
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
