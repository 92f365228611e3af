//! The tasks that keep an endpoint connected: connect, offer the connection to calls until it ends, back off, again.

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

use super::{
    connection::{Connection, ConnectionState, End, EndKind, Limit},
    connector::BoxError,
    health,
    identity::Refusal,
    member::{Member, Purpose},
    pool::Pool,
    state::EndpointPhase,
};
use crate::mechanism::{backoff::Backoff, complaints::Complaints, liveness::Keepalive};

/// A connection that lived this long proves the endpoint: the backoff starts anew.
const PROVEN_AFTER: Duration = Duration::from_secs(1);

/// How often a connection beyond the first looks whether it is still needed; twice in a row without need ends it.
const IDLE_CHECK: Duration = Duration::from_secs(5);

/// A connection beyond the first that cannot be made is not asked for again for a while: what is there serves.
const EXTRA_ATTEMPTS: u32 = 3;

/// Orderly ends in a row, without an answer in between, after which the next connection is made at once. A peer that ends
/// each connection after so many requests may end several before the first answer is there.
const FREE_GOODBYES: u32 = 8;

/// The orderly ends of connections to one peer. A peer may end connections as it likes, after so many requests for example,
/// and that is no failure. One that answers nothing in between is of no use.
#[derive(Debug, Default)]
struct Goodbyes {
    in_a_row: u32,
    last: u64,
}

impl Goodbyes {
    /// Counts one, and returns whether the next connection may be made at once. `useful` is whether a request was answered
    /// on this connection.
    fn are_free(&mut self, useful: bool, member: &Member, now: u64) -> bool {
        let answered = useful || member.has_answered_since(self.last);
        self.last = now;
        self.in_a_row = if answered { 0 } else { self.in_a_row.saturating_add(1) };
        self.in_a_row <= FREE_GOODBYES
    }
}

/// One connection to be kept.
pub(super) struct Supervisor {
    pub(super) pool: Arc<Pool>,
    pub(super) member: Arc<Member>,
    pub(super) purpose: Purpose,
    /// The endpoint's first connection for calls, which is kept for as long as the endpoint is in the pool.
    pub(super) first: bool,
}

/// A connection among those that calls pick from, for as long as this lives: the task may be dropped at any await.
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

/// Why a connection is no longer offered.
enum Served {
    Ended {
        end: End,
        /// Whether it answered a request.
        useful: bool,
    },
    /// An answer was of another cluster or history: it is asked again whose it is.
    Doubted,
    /// Another history was accepted, or that of this connection was found to have regressed.
    Outdated,
    /// It was asked again, and is not ours.
    Refused(Refusal),
    /// Another one took its place while it was suspect.
    Replaced(Connection),
    NotNeeded,
}

impl Supervisor {
    /// Runs until the endpoint leaves the pool, or the connection is not needed any more.
    pub(super) async fn run(self) {
        let mut watchdog = RuntimeWatch { pool: &self.pool, ended: false };
        tokio::select! {
            () = self.member.removed.cancelled() => {}
            () = self.keep_connected() => {}
        }
        watchdog.ended = true;
        self.member.connections(self.purpose).fetch_sub(1, Ordering::Relaxed);
    }

    /// Keeps the endpoint connected, and goes on after a panic: the endpoint would be lost for the life of the client.
    async fn keep_connected(&self) {
        let mut panics = 0_u32;
        while let Err(panic) = AssertUnwindSafe(self.serve_connections()).catch_unwind().await {
            panics = panics.saturating_add(1);
            let reason = format!("internal error: the task of the endpoint panicked: {}", message(&*panic));
            // To report the phase may be what panicked.
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
                            self.phase(EndpointPhase::Connecting, None);
                            continue;
                        }
                        Served::Doubted => {
                            let why = "an answer was of another cluster or history: it is checked again";
                            self.phase(EndpointPhase::Down, Some(why.into()));
                        }
                        Served::Refused(refusal) => self.refused(&refusal),
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
                    failures = if since.elapsed() >= PROVEN_AFTER { 1 } else { failures.saturating_add(1) };
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    match error.downcast_ref() {
                        Some(refusal) => self.refused(refusal),
                        None => {
                            self.unrefused();
                            if self.first {
                                let reason = in_words(&error).into();
                                self.pool.failed(&self.member, reason, error.into());
                            }
                        }
                    }
                    if !self.first && failures >= EXTRA_ATTEMPTS {
                        return;
                    }
                }
            }
            tokio::select! {
                () = sleep(Backoff::RECONNECT.wait(failures, fastrand::u64(..))) => {}
                _ = histories.changed() => failures = 0,
            }
        }
    }

    /// The member answers, and is not ours.
    fn refused(&self, refusal: &Refusal) {
        self.pool.refuse(&self.member, refusal, &self.pool.histories().current());
    }

    /// Who does not answer may be anybody.
    fn unrefused(&self) {
        if self.first {
            self.member.set_refusal(None);
        }
    }

    /// Connects in a task of its own: a connector that panics is trouble with one endpoint, and no more.
    async fn connect(&self, keepalive: Keepalive) -> Result<Connection, BoxError> {
        if self.member.refusal().is_none() {
            self.phase(EndpointPhase::Connecting, None);
        }
        self.dial(keepalive).await
    }

    async fn dial(&self, keepalive: Keepalive) -> Result<Connection, BoxError> {
        let task = self.pool.spawn({
            let (pool, member, purpose) = (Arc::clone(&self.pool), Arc::clone(&self.member), self.purpose);
            async move { Connection::open(pool.dial(&member, purpose, keepalive)).await }
        });
        AbortOnDropHandle::new(task).await.unwrap_or_else(|error| Err(error.into()))
    }

    /// Offers the connection to calls for as long as it takes new ones.
    async fn serve(&self, connection: Connection, keepalive: Keepalive) -> Served {
        let connection = Arc::new(connection);
        let mut histories = self.pool.histories().changes();
        let _offered = Offered::new(&self.pool, &connection);
        let served = tokio::select! {
            served = self.offer(&connection, keepalive) => served,
            never = self.spread_doubts(&connection) => match never {},
            () = connection.retired() => Served::Doubted,
            _ = histories.wait_for(|_number| connection.is_retired()) => Served::Outdated,
            never = self.listen() => match never {},
        };
        if matches!(served, Served::Doubted | Served::Outdated | Served::Refused(_)) {
            connection.retire();
        }
        served
    }

    /// Has the member's other connections probed together with this one: what silenced it may have silenced streams too, which
    /// find out by themselves after 10 s only.
    async fn spread_doubts(&self, connection: &Connection) -> Infallible {
        loop {
            connection.check.spreads().await;
            self.pool.check_others(connection);
        }
    }

    /// Keeps the member's own word on its health known, where that is wanted.
    async fn listen(&self) -> Infallible {
        if self.first && self.pool.listens_to_health() {
            health::follow(&self.pool, &self.member).await
        } else {
            std::future::pending().await
        }
    }

    async fn offer(&self, connection: &Arc<Connection>, keepalive: Keepalive) -> Served {
        let mut state = connection.state.clone();
        let ended = |end| Served::Ended { end, useful: connection.gauge.is_useful() };
        loop {
            let now = state.borrow_and_update().clone();
            match now {
                ConnectionState::Ready => {
                    self.phase(EndpointPhase::Ready, connection.limit().reason());
                    // It may have been suspect for so short that nobody but waiting calls noticed.
                    self.pool.tell();
                    tokio::select! {
                        changed = state.changed() => if changed.is_err() { return ended(unexplained()) },
                        () = self.not_needed(connection) => return Served::NotNeeded,
                        refused = self.limited(connection) => if let Some(refusal) = refused {
                            return Served::Refused(refusal);
                        },
                    }
                }
                ConnectionState::Suspect => {
                    self.phase(
                        EndpointPhase::Suspect,
                        Some("it owes an answer to a PING or SETTINGS".into()),
                    );
                    self.member.went_silent(self.pool.now());
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

    /// A new connection beside one that is silent: the path may be broken, not the member.
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

    /// Asks a member that is a learner, or behind, until it is neither; with a refusal where it is not ours.
    async fn limited(&self, connection: &Connection) -> Option<Refusal> {
        let before = connection.limit();
        if before == Limit::None {
            return std::future::pending().await;
        }
        let mut asked = 0;
        loop {
            asked += 1;
            sleep(Backoff::RECONNECT.wait_at_least_half(asked, fastrand::u64(..))).await;
            match connection.check_again(self.pool.headers(), self.pool.histories()).await {
                Ok(limit) if limit == before => {}
                Ok(_) => return None,
                Err(error) => {
                    if let Ok(refusal) = error.downcast::<Refusal>() {
                        return Some(*refusal);
                    }
                }
            }
        }
    }

    /// Ends when a connection beyond the first has been of no use for a while.
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
            Purpose::Streams | Purpose::Waits => connection.gauge.in_flight() > 0,
            Purpose::Calls => self.pool.needs_all_connections(&self.member),
        }
    }

    /// What is told of the endpoint is told of its first connection.
    fn phase(&self, phase: EndpointPhase, reason: Option<Arc<str>>) {
        if self.first {
            self.pool.phase(&self.member, phase, reason);
        }
    }
}

fn unexplained() -> End {
    End { why: "the connection ended".into(), kind: EndKind::Lost }
}

/// The message that a panic was raised with.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

/// The chain of an error in one line, each cause once.
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

/// Tells the pool when this task was dropped before its end, which only the end of its runtime does.
struct RuntimeWatch<'a> {
    pool: &'a Pool,
    /// Whether the task came to its own end.
    ended: bool,
}

impl Drop for RuntimeWatch<'_> {
    fn drop(&mut self) {
        if !self.ended && !std::thread::panicking() {
            self.pool.runtime_ended();
        }
    }
}
