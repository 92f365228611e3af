//! The tasks that maintain the connections of an endpoint: connect, offer the connection to calls until it ends, back
//! off, repeat.

use std::{
    any::Any,
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::transport::{
    backoff::Backoff,
    connect::BoxError,
    connection::{
        complaints::Complaints,
        handshake,
        identity::Rejection,
        limit::Limit,
        liveness::Keepalive,
        member::Member,
        verified::{Connection, ConnectionState, End, EndKind},
    },
    endpoint::EndpointPhase,
    grpc::method::Purpose,
    pool::{Pool, health},
};

/// The lifetime after which a connection proves that the endpoint works, and resets the backoff.
const PROVEN_AFTER: Duration = Duration::from_secs(1);

/// The interval at which an additional connection checks whether it is still needed. Two checks in a row without need
/// end it.
const IDLE_CHECK: Duration = Duration::from_secs(5);

/// The number of failed attempts after which an additional connection is abandoned for a while. The existing ones
/// serve.
const EXTRA_ATTEMPTS: u32 = 3;

/// The number of consecutive graceful ends, without a response in between, after which the next connection is still
/// made immediately. A peer that limits the requests per connection may end several before the first response.
const FREE_GOODBYES: u32 = 8;

/// The graceful ends of connections to one peer. A peer may end connections at will, for example after a number of
/// requests, and that is not a failure. A peer that answers nothing in between is treated as failing.
#[derive(Debug, Default)]
struct Goodbyes {
    in_a_row: u32,
    last: u64,
}

impl Goodbyes {
    /// Counts an end. Returns `true` if the next connection may be made immediately. `useful` is `true` if this
    /// connection answered a request.
    fn are_free(&mut self, useful: bool, member: &Member, now: u64) -> bool {
        let answered = useful || member.has_answered_since(self.last);
        self.last = now;
        self.in_a_row = if answered { 0 } else { self.in_a_row.saturating_add(1) };
        self.in_a_row <= FREE_GOODBYES
    }
}

/// The task of one connection slot of an endpoint.
pub(crate) struct Supervisor {
    pub(crate) pool: Arc<Pool>,
    pub(crate) member: Arc<Member>,
    pub(crate) purpose: Purpose,
    /// `true` for the endpoint's first connection for calls, which is maintained as long as the endpoint is
    /// configured.
    pub(crate) first: bool,
}

/// A connection offered to calls. Its drop withdraws the offer, since the task may be dropped at any await.
struct Offered<'a> {
    pool: &'a Pool,
    connection: &'a Arc<Connection>,
}

impl<'a> Offered<'a> {
    fn new(pool: &'a Pool, connection: &'a Arc<Connection>) -> Self {
        let offered = Self { pool, connection };
        pool.add(connection);
        offered
    }
}

impl Drop for Offered<'_> {
    fn drop(&mut self) {
        self.pool.remove(self.connection);
    }
}

/// The reason why a connection is no longer offered.
enum Served {
    Ended {
        end: End,
        /// `true` if the connection answered a request.
        useful: bool,
    },
    /// A response came from another cluster or history. The identity of the member is checked again.
    Doubted,
    /// Another history was accepted, or the one of this connection regressed.
    Outdated,
    /// The identity was checked again, and the member does not belong to the client's cluster.
    Rejected(Rejection),
    /// Another connection replaced it while it was suspect.
    Replaced(Connection),
    NotNeeded,
}

impl Supervisor {
    /// Runs until the endpoint is removed from the pool, or the connection is no longer needed.
    pub(crate) async fn run(self) {
        let mut watchdog = RuntimeWatch { pool: &self.pool, ended: false };
        tokio::select! {
            () = self.member.removed.cancelled() => {}
            () = self.keep_connected() => {}
        }
        watchdog.ended = true;
        self.member.connections(self.purpose).fetch_sub(1, Ordering::Relaxed);
    }

    /// Maintains the connection, and continues after a panic. Otherwise the endpoint would be lost for the lifetime of
    /// the client.
    async fn keep_connected(&self) {
        let mut panics = 0_u32;
        while let Err(panic) = AssertUnwindSafe(self.serve_connections()).catch_unwind().await {
            panics = panics.saturating_add(1);
            let reason = format!("internal error: the endpoint's task panicked: {}", message(&*panic));
            // The report itself may be the source of the panic, through a user's `tracing` subscriber.
            let report = AssertUnwindSafe(|| self.phase(EndpointPhase::Down, Some(reason.into())));
            let _ = std::panic::catch_unwind(report);
            sleep(Backoff::RECONNECT.wait(panics, fastrand::u64(..))).await;
        }
    }

    async fn serve_connections(&self) {
        let mut complaints = Complaints::default();
        let mut histories = self.pool.histories().changes();
        let mut failures = 0_u32;
        let mut goodbyes = Goodbyes::default();
        let mut replacement = None;
        loop {
            let doublings = complaints.doublings(self.pool.age());
            let keepalive = self.pool.keepalive(self.purpose).spaced(doublings);
            let connection = match replacement.take() {
                Some(connection) => Ok(connection),
                None => self.connect(keepalive).await,
            };
            match connection {
                Ok(connection) => {
                    let since = Instant::now();
                    match self.serve(connection, keepalive).await {
                        Served::NotNeeded => return,
                        Served::Replaced(connection) => {
                            replacement = Some(connection);
                            continue;
                        }
                        Served::Outdated => {
                            // No backoff: nothing failed. The new connection is verified against the current
                            // history.
                            self.phase(EndpointPhase::Connecting, None);
                            continue;
                        }
                        Served::Doubted => {
                            let why = "a response came from another cluster or history; checking again";
                            self.phase(EndpointPhase::Down, Some(why.into()));
                        }
                        Served::Rejected(rejection) => self.rejected(&rejection),
                        Served::Ended { end, useful } if end.kind == EndKind::Graceful => {
                            if goodbyes.are_free(useful, &self.member, self.pool.now()) {
                                failures = 0;
                                self.phase(EndpointPhase::Connecting, Some(end.why));
                                continue;
                            }
                            self.phase(EndpointPhase::Down, Some(end.why));
                        }
                        Served::Ended { end, .. } => {
                            if end.kind == EndKind::TooManyPings {
                                complaints.note(self.pool.age());
                            }
                            self.phase(EndpointPhase::Down, Some(end.why));
                        }
                    }
                    // The loss itself counts as one failure. The first wait has jitter, which spreads the
                    // reconnects of a restarted member's clients.
                    failures = if since.elapsed() >= PROVEN_AFTER { 1 } else { failures.saturating_add(1) };
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    match error.downcast_ref() {
                        Some(rejection) => self.rejected(rejection),
                        None => {
                            self.unrejected();
                            if self.first {
                                let reason = in_words(&error).into();
                                self.pool.failed(&self.member, reason, error.into());
                            }
                        }
                    }
                    // Only the first connection is vital. Giving up the others releases their slot in
                    // `Pool::grow`.
                    if !self.first && failures >= EXTRA_ATTEMPTS {
                        return;
                    }
                }
            }
            tokio::select! {
                () = sleep(Backoff::RECONNECT.wait(failures, fastrand::u64(..))) => {}
                // The accepted history may include a member that was rejected, so it is tried again at once.
                _ = histories.changed() => failures = 0,
            }
        }
    }

    /// Reports that the member responds but does not belong to the client's cluster.
    fn rejected(&self, rejection: &Rejection) {
        self.pool.reject(&self.member, rejection, &self.pool.histories().current());
    }

    /// Clears the rejection: an unreachable address may belong to a different member by now.
    fn unrejected(&self) {
        if self.first {
            self.member.set_rejection(None);
        }
    }

    /// Connects in a separate task, so that a panic of a user's connector affects this endpoint only.
    async fn connect(&self, keepalive: Keepalive) -> Result<Connection, BoxError> {
        if self.member.rejection().is_none() {
            self.phase(EndpointPhase::Connecting, None);
        }
        self.dial(keepalive).await
    }

    async fn dial(&self, keepalive: Keepalive) -> Result<Connection, BoxError> {
        // Aborted on drop: a supervisor that ends, or a suspicion that clears, must not leave a half-open
        // connection.
        let task = self.pool.spawn({
            let (pool, member, purpose) = (Arc::clone(&self.pool), Arc::clone(&self.member), self.purpose);
            async move { handshake::open(pool.dial(&member, purpose, keepalive)).await }
        });
        AbortOnDropHandle::new(task).await.unwrap_or_else(|error| Err(error.into()))
    }

    /// Offers the connection to calls as long as it accepts new ones.
    async fn serve(&self, connection: Connection, keepalive: Keepalive) -> Served {
        let connection = Arc::new(connection);
        let mut histories = self.pool.histories().changes();
        // Subscribed to histories before the offer, so that an acceptance between the two is not missed.
        let _offered = Offered::new(&self.pool, &connection);
        let served = tokio::select! {
            served = self.offer(&connection, keepalive) => served,
            never = self.spread_doubts(&connection) => match never {},
            () = connection.retired() => Served::Doubted,
            _ = histories.wait_for(|_number| connection.is_retired()) => Served::Outdated,
            never = self.listen() => match never {},
        };
        // Calls may have picked the connection just before the offer was withdrawn. Retiring it makes
        // `begin` fail for them, so that no write reaches a foreign store.
        if matches!(served, Served::Doubted | Served::Outdated | Served::Rejected(_)) {
            connection.retire();
        }
        served
    }

    /// Probes the member's other connections together with this one. The failure that silenced this one may affect
    /// streams too, which would detect it only after 10 s on their own.
    async fn spread_doubts(&self, connection: &Connection) -> Infallible {
        loop {
            connection.check.spreads().await;
            self.pool.check_others(connection);
        }
    }

    /// Follows the health service of the member, if enabled.
    async fn listen(&self) -> Infallible {
        if self.first && self.pool.listens_to_health() {
            health::follow(&self.pool, &self.member).await
        } else {
            std::future::pending().await
        }
    }

    async fn offer(&self, connection: &Arc<Connection>, keepalive: Keepalive) -> Served {
        let mut state = connection.state.clone();
        let ended = |end| Served::Ended { end, useful: connection.load.is_useful() };
        loop {
            let now = state.borrow_and_update().clone();
            match now {
                ConnectionState::Ready => {
                    self.phase(EndpointPhase::Ready, connection.limit().reason());
                    // The suspicion may have been so short that only waiting calls noticed it.
                    self.pool.notify();
                    tokio::select! {
                        changed = state.changed() => if changed.is_err() { return ended(unexplained()) },
                        () = self.not_needed(connection) => return Served::NotNeeded,
                        rejected = self.limited(connection) => if let Some(rejection) = rejected {
                            return Served::Rejected(rejection);
                        },
                    }
                }
                ConnectionState::Suspect => {
                    self.phase(
                        EndpointPhase::Suspect,
                        Some("no reply yet to an HTTP/2 PING or SETTINGS".into()),
                    );
                    self.member.became_unresponsive(self.pool.now());
                    self.pool.check_others(connection);
                    tokio::select! {
                        changed = state.changed() => if changed.is_err() { return ended(unexplained()) },
                        connection = self.replacement(keepalive) => return Served::Replaced(connection),
                    }
                }
                ConnectionState::Draining(end) | ConnectionState::Closed(end) => return ended(end),
            }
        }
    }

    /// Opens a new connection next to an unresponsive one, because the path may be broken and not the member.
    async fn replacement(&self, keepalive: Keepalive) -> Connection {
        let mut failures = 0;
        loop {
            if let Ok(connection) = self.dial(keepalive).await {
                return connection;
            }
            failures += 1;
            sleep(Backoff::RECONNECT.wait(failures, fastrand::u64(..))).await;
        }
    }

    /// Checks a learner, or a member that is behind, until it has no restrictions. Returns the rejection if it does not
    /// belong to the client's cluster.
    async fn limited(&self, connection: &Connection) -> Option<Rejection> {
        let before = connection.limit();
        if before == Limit::None {
            return std::future::pending().await;
        }
        let mut asked = 0;
        loop {
            asked += 1;
            // At least half of the wait, because jitter near zero would send a burst of checks to a member
            // that is catching up.
            sleep(Backoff::RECONNECT.wait_at_least_half(asked, fastrand::u64(..))).await;
            match connection.check_again(self.pool.headers(), self.pool.histories()).await {
                Ok(limit) if limit == before => {}
                Ok(_) => return None,
                Err(error) => {
                    if let Ok(rejection) = error.downcast::<Rejection>() {
                        return Some(*rejection);
                    }
                }
            }
        }
    }

    /// Waits until an additional connection has not been needed for a while.
    async fn not_needed(&self, connection: &Connection) {
        if self.first {
            return std::future::pending().await;
        }
        let mut idle = 0;
        while idle < 2 {
            sleep(IDLE_CHECK).await;
            idle = if self.is_needed(connection) { 0 } else { idle + 1 };
        }
    }

    fn is_needed(&self, connection: &Connection) -> bool {
        match self.purpose {
            Purpose::Streams | Purpose::Waits => connection.load.in_flight() > 0,
            Purpose::Calls => self.pool.needs_all_connections(&self.member),
        }
    }

    /// Sets the endpoint's phase, which follows its first connection only.
    fn phase(&self, phase: EndpointPhase, reason: Option<Arc<str>>) {
        if self.first {
            self.pool.phase(&self.member, phase, reason);
        }
    }
}

fn unexplained() -> End {
    End { why: "the connection ended".into(), kind: EndKind::Lost }
}

/// Returns the message of a panic.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

/// Formats an error with its sources in one line, each text once.
fn in_words(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Notifies the pool if this task is dropped before it has ended, which happens only when its runtime shuts down.
struct RuntimeWatch<'a> {
    pool: &'a Pool,
    /// Set when the task ends by itself.
    ended: bool,
}

impl Drop for RuntimeWatch<'_> {
    fn drop(&mut self) {
        if !self.ended && !std::thread::panicking() {
            self.pool.runtime_ended();
        }
    }
}
