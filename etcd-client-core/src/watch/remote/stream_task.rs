//! A stream task: it serves the watches of one stream and reopens the stream when it is lost.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use etcd_errors::{Attempt, Error, ErrorKind};
use etcd_proto::etcdserverpb as pb;
use futures_core::future::BoxFuture;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    task::coop::consume_budget,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    transport::{
        balance::member_health::Scope,
        call::channel::Channel,
        connection::{
            history::History,
            identity::{is_of_identity, superseded},
            member::Member,
            verified::{Connection, ConnectionState},
        },
        grpc::{failure::Failure, method::Method, observation::Observation},
        pool::{Pool, closed},
        stream::{
            duplex::Duplex,
            header_check::HeaderCheck,
            resumable_stream::{Opened, ResumableStream},
        },
    },
    watch::{
        codec,
        remote::{
            commands::{Command, CommandQueue},
            hub::{Hub, StreamKey},
            side_requests::Done,
            subscription::Subscription,
        },
        state::{Ticket, stream::WatchStream},
    },
};

/// The time for which a stream without watches is kept for the next watch.
const LINGER: Duration = Duration::from_secs(1);

/// The time for which a stream without watches is kept to receive the responses to its cancel requests. h2 closes a
/// connection on which many streams are reset while data is in flight.
const FAREWELL: Duration = Duration::from_secs(5);

/// The interval at which an alternative is looked for while the member is suspected to be unresponsive.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The maximum wait when nothing is due.
const LONG: Duration = Duration::from_secs(3_600);

pub(crate) type Stream = Duplex<pb::WatchResponse>;

/// The task of one stream of watches. It ends with the last watch or with the client.
pub(crate) struct StreamTask {
    pub(crate) hub: Arc<Hub>,
    pub(crate) key: StreamKey,
    pub(crate) commands: Arc<CommandQueue>,
    pub(crate) machine: WatchStream,
    pub(crate) entries: HashMap<Ticket, Subscription>,
    pub(crate) side_requests: FuturesUnordered<BoxFuture<'static, Done>>,
    pub(crate) resumable: Option<ResumableStream>,
    header_check: HeaderCheck,
    began: Instant,
    /// The time when the last stream was lost. `None` while there is one.
    lost_since: Option<Instant>,
    /// The number of consecutive streams that led to another cluster or sent messages above the size limit.
    consecutive_fatal: u32,
    /// True if the last stream that answered a create request led to a gRPC proxy.
    behind_proxy: bool,
    /// The number of streams opened so far.
    pub(crate) generation: u64,
    pub(crate) progress: ProgressOf,
}

/// The member's ability to report progress in order, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProgressOf {
    Unknown,
    Asked,
    InOrder,
    TooOld,
}

/// The reason why a stream is no longer served.
pub(crate) enum Loss {
    /// It has no watches.
    Idle,
    Failed(Failure),
    /// Its messages contradict the cluster or history of this client.
    Inconsistent(Error),
}

impl StreamTask {
    pub(crate) fn new(hub: Arc<Hub>, channel: &Channel, key: StreamKey, commands: Arc<CommandQueue>) -> Self {
        let resumable = ResumableStream::new(channel, Method::Watch, key.options());
        Self {
            hub,
            key,
            commands,
            machine: WatchStream::default(),
            entries: HashMap::new(),
            side_requests: FuturesUnordered::new(),
            resumable: Some(resumable),
            // Not linearizable: members may lag behind one another.
            header_check: channel.header_check(false),
            began: Instant::now(),
            lost_since: None,
            consecutive_fatal: 0,
            behind_proxy: false,
            generation: 0,
            progress: ProgressOf::Unknown,
        }
    }

    pub(crate) async fn run(mut self) {
        let pool = Arc::clone(&self.hub.pool);
        tokio::select! {
            biased;
            () = pool.shutdown() => {}
            () = self.work() => {}
        }
    }

    async fn work(&mut self) {
        let Some(mut resumable) = self.resumable.take() else { return };
        loop {
            let opened = match self.open(&mut resumable).await {
                Some(Ok(opened)) => opened,
                Some(Err(error)) => {
                    self.end_all(&error);
                    resumable.rejected();
                    continue;
                }
                None => return,
            };
            let (connection, loss) = match opened {
                Opened::Failed(connection, failure) => (connection, Loss::Failed(failure)),
                Opened::Stream(mut stream) => {
                    let connection = Arc::clone(stream.connection());
                    let loss = self.serve(&mut stream, &mut resumable).await;
                    (connection, loss)
                }
            };
            match loss {
                Loss::Idle => return,
                Loss::Failed(failure) => self.lost(&mut resumable, &connection, failure, None),
                Loss::Inconsistent(error) => {
                    let failure = Failure::malformed(error.message().to_owned());
                    self.lost(&mut resumable, &connection, failure, Some(error));
                }
            }
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Opens the next stream. Returns `None` if there are no watches left.
    async fn open(
        &mut self,
        resumable: &mut ResumableStream,
    ) -> Option<Result<Opened<pb::WatchResponse>, Error>> {
        let commands = Arc::clone(&self.commands);
        // Commands are handled while the stream opens, which can take long. The future is pinned outside of
        // the loop, so a command does not restart it.
        let mut opening = pin!(resumable.open());
        loop {
            self.handle_commands(None);
            if self.machine.is_empty() && self.side_requests.is_empty() && commands.close_if_idle() {
                return None;
            }
            tokio::select! {
                biased;
                () = commands.notified() => {}
                Some(done) = self.side_requests.next(), if !self.side_requests.is_empty() => self.done(done),
                opened = &mut opening => return Some(opened),
            }
        }
    }

    /// Serves the watches on one stream until the stream is lost.
    async fn serve(&mut self, stream: &mut Stream, resumable: &mut ResumableStream) -> Loss {
        let (pool, commands) = (Arc::clone(&self.hub.pool), Arc::clone(&self.commands));
        let connection = Arc::clone(stream.connection());
        self.generation += 1;
        self.progress = ProgressOf::Unknown;
        self.enter(&connection.history);
        self.machine.opened(self.now());
        let mut left = pin!(left(&pool, &connection, self.key.endpoint.is_some()));
        let mut empty_since = None;
        loop {
            // Buffered messages are ready at once. This lets other tasks of the thread run.
            consume_budget().await;
            let due = self.machine.tick(self.now());
            if let Some(loss) = self.act(stream, resumable) {
                return loss;
            }
            let mut wake = due.map_or_else(|| Instant::now() + LONG, |due| self.began + due);
            if self.machine.is_empty() && self.side_requests.is_empty() {
                let since = *empty_since.get_or_insert_with(Instant::now);
                wake = since + if self.machine.is_quiet() { LINGER } else { FAREWELL };
                let over = wake <= Instant::now() || commands.is_retired();
                if over && commands.close_if_idle() {
                    return Loss::Idle;
                }
            } else {
                empty_since = None;
            }
            tokio::select! {
                biased;
                // Commands first: a dropped watch is cancelled before more of its events are read.
                () = commands.notified() => self.handle_commands(Some(&connection)),
                failure = &mut left => return Loss::Failed(failure),
                Some(done) = self.side_requests.next(), if !self.side_requests.is_empty() => self.done(done),
                message = stream.next() => match message {
                    Ok(Some(message)) => {
                        if let Err(error) = self.receive(message, &connection) {
                            return Loss::Inconsistent(error);
                        }
                    }
                    Ok(None) => return Loss::Failed(Failure::new(Observation::Lost, "the member ended the stream without an error")),
                    Err(failure) => return Loss::Failed(failure),
                },
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Moves watches to the history of the stream. A watch of another history ends or resumes from a listing.
    fn enter(&mut self, history: &History) {
        let left = self.entries.iter().filter(|(_, entry)| entry.history != history.number());
        let left: Vec<Ticket> = left.map(|(ticket, _)| *ticket).collect();
        for ticket in left {
            self.machine.remove(ticket);
            let Some(mut entry) = self.take(ticket) else { continue };
            if !entry.enter(history) {
                entry.end(superseded(history));
            } else if entry.creation.is_some() {
                self.add(entry, None);
            } else {
                self.resync(entry, superseded(history));
            }
        }
    }

    fn receive(&mut self, message: pb::WatchResponse, connection: &Connection) -> Result<(), Error> {
        if let Some(header) = &message.header {
            self.header_check.check_header(header, Some(connection))?;
        }
        let now = self.now();
        self.machine.receive(codec::watch_message(message), now);
        Ok(())
    }

    /// Records that the member answered a create request.
    pub(crate) fn answered(&mut self, resumable: &mut ResumableStream, connection: &Connection) {
        self.lost_since = None;
        resumable.answered(connection);
    }

    /// Records that the stream delivered events or progress.
    pub(crate) fn worked(&mut self, resumable: &mut ResumableStream) {
        self.consecutive_fatal = 0;
        resumable.worked();
    }

    fn lost(
        &mut self,
        resumable: &mut ResumableStream,
        connection: &Connection,
        failure: Failure,
        inconsistency: Option<Error>,
    ) {
        let since = *self.lost_since.get_or_insert_with(Instant::now);
        resumable.lost(connection, &failure);
        self.behind_proxy |= self.machine.is_proxied();
        let unresponsive = failure.observation == Observation::Malformed;
        if unresponsive {
            // The connection may hang and not only the watch. A probe finds that out for all users of the
            // connection.
            self.hub.pool.check(connection.id);
        }
        if unresponsive && self.behind_proxy && self.machine.awaits_creation() {
            // A gRPC proxy retries for seconds, without a response, what a member rejects because of its
            // token (`checkPermissionForWatch` in etcd's `server/proxy/grpcproxy/watch.go`). Another token is
            // the likely cure.
            resumable.renew_first(resumable.carried());
        }
        let attempt = Attempt::new(connection.endpoint(), failure.text.to_string()).with_sent(true);
        let too_large = failure.observation == Observation::Malformed && inconsistency.is_none();
        let error = inconsistency.unwrap_or_else(|| failure.into_error());
        let error = error.with_operation("watch").with_attempts(vec![attempt]);
        tracing::debug!(endpoint = connection.endpoint(), %error, "a watch stream was lost");
        for ticket in self.machine.lost() {
            if let Some(entry) = self.entries.get(&ticket)
                && entry.creation.is_none()
            {
                entry.shared.counters.resumed.fetch_add(1, Ordering::Relaxed);
            }
        }
        // Ends the watches instead of retrying forever: every member would respond the same way.
        let fatal = error.kind() == ErrorKind::WrongCluster || (too_large && error.code().is_some());
        self.consecutive_fatal = if fatal { self.consecutive_fatal + 1 } else { 0 };
        if self.consecutive_fatal > 1 || error.kind() == ErrorKind::Unsupported {
            return self.end_all(&error);
        }
        self.entries.values().for_each(|entry| entry.lost(since, &error));
    }

    /// Ends every watch of this task with the same error.
    fn end_all(&mut self, error: &Error) {
        self.handle_commands(None);
        let since = *self.lost_since.get_or_insert_with(Instant::now);
        for (ticket, mut entry) in std::mem::take(&mut self.entries) {
            // It resumes from a listing once the new cluster or history is accepted, or resumes as before if
            // the old one returns.
            if is_of_identity(error) && entry.known.is_some() && entry.creation.is_none() {
                entry.lost(since, error);
                self.entries.insert(ticket, entry);
                continue;
            }
            self.machine.remove(ticket);
            entry.end(error.clone());
            self.commands.watches.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for StreamTask {
    /// Ends the remaining watches. Runs also if the client is closed or its runtime shuts down.
    fn drop(&mut self) {
        let commands = self.commands.close();
        self.hub.forget(&self.commands);
        let entries = std::mem::take(&mut self.entries).into_values();
        let added = commands.into_iter().filter_map(|command| match command {
            Command::Add(entry) => Some(*entry),
            _ => None,
        });
        let ended = || {
            let text = "the Tokio runtime that this client was built on has shut down";
            self.hub.pool.check_alive().err().unwrap_or_else(|| Error::new(ErrorKind::NoRuntime, text))
        };
        entries.chain(added).for_each(|mut entry| entry.end(ended()));
    }
}

/// Completes when the stream should be abandoned, because of the state of its connection or because calls found the
/// member unusable. A member that is cut off from the others still answers PINGs and create requests, so the stream
/// alone does not show it.
async fn left(pool: &Pool, connection: &Connection, pinned: bool) -> Failure {
    let member = &connection.member;
    let mut state = connection.state.clone();
    loop {
        // Registered before the state is read: an ejection in between completes this future.
        let ejected = member.ejected.notified();
        let now = state.borrow_and_update().clone();
        let changed = match now {
            ConnectionState::Ready => tokio::select! {
                changed = state.changed() => changed,
                () = connection.retired() => {
                    let text = "the cluster of the member has to be verified again";
                    return Failure::new(Observation::Lost, text);
                }
                () = ejected, if !pinned => {
                    let now = pool.now();
                    let left = |member: &Member| member.is_ejected(Scope::Quorum, false, now);
                    // Kept if there is no better member: a stream of an ejected member may still deliver
                    // events.
                    if left(member) && pool.has_ready_connection(|other| !left(&other.member)) {
                        let text = "the member was ejected after failed calls";
                        return Failure::new(Observation::Abandoned, text);
                    }
                    Ok(())
                }
            },
            ConnectionState::Suspect
                if pool.has_ready_besides(&[connection.member.id])
                    || pool.has_other_for_streams(&connection.member, connection.id) =>
            {
                let text = "member unresponsive: no reply to an HTTP/2 PING";
                return Failure::new(Observation::Abandoned, text);
            }
            ConnectionState::Suspect => timeout(LOOK_EVERY, state.changed()).await.unwrap_or(Ok(())),
            ConnectionState::Draining(end) | ConnectionState::Closed(end) => {
                return Failure::new(Observation::Lost, end.why.to_string());
            }
        };
        if changed.is_err() {
            return Failure::new(Observation::Lost, closed().message().to_owned());
        }
    }
}
