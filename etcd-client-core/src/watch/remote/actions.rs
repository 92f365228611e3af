//! The actions of a stream task: commands of the handles, and the actions that the state machine requests.

use std::sync::{Arc, atomic::Ordering};

use etcd_errors::{Code, Error, ErrorKind, ErrorTopic, GrpcCode};

use crate::{
    transport::{
        connection::{identity::superseded, verified::Connection},
        grpc::failure::Failure,
        pool::closed,
        stream::resumable_stream::ResumableStream,
        token::Carried,
    },
    types::{Event, ResponseHeader},
    watch::{
        WatchResponse, codec,
        remote::{
            commands::Command,
            hub::{Start, StreamKey},
            shared::Counters,
            stream_task::{Loss, ProgressOf, Stream, StreamTask},
            subscription::{Fill, Subscription},
        },
        state::{Action, End, Request, Ticket, filter::Filter, position::Position},
    },
};

/// The maximum number of token renewals for one watch; the same limit as for a call.
const MOST_RENEWALS: u32 = 8;

impl StreamTask {
    /// Handles the commands of handles and of the hub.
    pub(crate) fn handle_commands(&mut self, connection: Option<&Connection>) {
        let mut asked = false;
        for command in self.commands.take() {
            match command {
                Command::Add(entry) => self.add(*entry, connection),
                Command::Remove(ticket) => {
                    self.machine.remove(ticket);
                    self.take(ticket);
                }
                Command::Drained(ticket) => self.machine.unpark(ticket, self.now()),
                Command::AskProgress(ticket) => asked |= self.ask(ticket, connection),
            }
        }
        if asked {
            // One request answers all waiters of the stream.
            self.machine.request_progress();
        }
    }

    /// Adds a watch. A watch of an older history enters the history of the open stream, or ends if it cannot. A watch
    /// of a newer history keeps it: the next stream that opens settles that.
    pub(crate) fn add(&mut self, mut entry: Subscription, connection: Option<&Connection>) {
        // The reader was dropped while the watch was on its way to this task.
        if entry.shared.is_gone() {
            self.commands.watches.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        if let Some(connection) = connection
            && entry.history < connection.history.number()
            && !entry.enter(&connection.history)
        {
            self.commands.watches.fetch_sub(1, Ordering::Relaxed);
            return entry.end(superseded(&connection.history));
        }
        let ticket = entry.shared.ticket;
        self.machine.add(ticket, Filter::of(&entry.shared.spec), entry.position, self.now());
        self.entries.insert(ticket, entry);
    }

    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<Subscription> {
        let entry = self.entries.remove(&ticket);
        if entry.is_some() {
            self.commands.watches.fetch_sub(1, Ordering::Relaxed);
        }
        entry
    }

    /// Returns true if a progress request should be sent to the member.
    fn ask(&mut self, ticket: Ticket, connection: Option<&Connection>) -> bool {
        let (Some(connection), true) = (connection, self.machine.is_live(ticket)) else { return false };
        if self.machine.is_proxied() {
            let error = Error::new(ErrorKind::Unsupported, "a gRPC proxy does not answer progress requests");
            self.progress_unsupported(ticket, error.with_topic(ErrorTopic::GrpcProxy));
            return false;
        }
        match self.progress {
            ProgressOf::InOrder => return true,
            ProgressOf::Asked => {}
            ProgressOf::Unknown => self.ask_version(&connection.member.endpoint),
            ProgressOf::TooOld => {
                let text = "this member may report progress ahead of the events it covers; fixed in etcd 3.4.25, 3.5.8 and 3.6";
                self.progress_unsupported(ticket, Error::new(ErrorKind::Unsupported, text));
            }
        }
        false
    }

    fn progress_unsupported(&self, ticket: Ticket, error: Error) {
        if let Some(entry) = self.entries.get(&ticket) {
            entry.shared.answer(&Err(error));
        }
    }

    /// Executes the actions of the state machine. Returns the reason if the stream can no longer be used.
    pub(crate) fn act(&mut self, stream: &mut Stream, resumable: &mut ResumableStream) -> Option<Loss> {
        while let Some(action) = self.machine.next_action() {
            match action {
                Action::Send(request) => self.send(stream, request),
                Action::Created { ticket, header, behind, future } => {
                    let connection = Arc::clone(stream.connection());
                    self.answered(resumable, &connection);
                    let moves = future && self.key.start != Start::Future;
                    self.created(ticket, header, &connection, moves);
                    if behind {
                        self.verify(ticket);
                    }
                    if moves {
                        self.transfer(ticket, Start::Future);
                    }
                }
                Action::Deliver { ticket, header, events } => {
                    self.worked(resumable);
                    self.deliver(ticket, header, events);
                }
                Action::Progress { ticket, header } => {
                    self.worked(resumable);
                    self.progressed(ticket, header);
                }
                Action::Ended { ticket, position, end } => self.ended(ticket, position, end, resumable),
                Action::Broken(why) => return Some(Loss::Failed(Failure::malformed(why))),
            }
        }
        None
    }

    fn send(&self, stream: &mut Stream, request: Request) {
        match request {
            Request::Create { ticket, start, fragment, number } => {
                if let Some(entry) = self.entries.get(&ticket) {
                    stream.push(&codec::watch_create_request(&entry.shared.spec, start, fragment, number));
                }
            }
            Request::Cancel(id) => stream.push(&codec::watch_cancel_request(id)),
            Request::Progress => stream.push(&codec::watch_progress_request()),
            Request::Echo => stream.push(&codec::watch_echo_request()),
        }
    }

    /// Handles the creation of a watch. `moves` is true if the watch is about to move to another stream task: a
    /// listing started here would be lost, because its result comes to this task.
    fn created(&mut self, ticket: Ticket, header: ResponseHeader, connection: &Connection, moves: bool) {
        let position = self.machine.position(ticket);
        let Some(entry) = self.entries.get_mut(&ticket) else { return };
        position.iter().for_each(|position| entry.shared.reached(*position));
        entry.created(header, &connection.member.endpoint);
        let awaits_listing = if moves { entry.known.is_some() } else { self.prime(ticket) };
        if !awaits_listing && let Some(entry) = self.entries.get_mut(&ticket) {
            entry.announce();
        }
    }

    fn deliver(&mut self, ticket: Ticket, header: ResponseHeader, events: Vec<Event>) {
        let position = self.machine.position(ticket);
        let repeated = self.machine.take_repeated(ticket);
        let Some(entry) = self.entries.get_mut(&ticket) else { return };
        Counters::add(&entry.shared.counters.repeated, repeated);
        // Buffered before the position is published: `progress` must not report events that the reader cannot
        // get yet.
        let fill = entry.deliver(WatchResponse::events(header, events));
        position.iter().for_each(|position| entry.shared.reached(*position));
        match fill {
            Fill::Fits => {}
            Fill::Pause => self.machine.park(ticket),
            Fill::Failed => {
                self.machine.remove(ticket);
                self.take(ticket);
            }
        }
    }

    fn progressed(&mut self, ticket: Ticket, header: ResponseHeader) {
        let position = self.machine.position(ticket);
        let Some(entry) = self.entries.get_mut(&ticket) else { return };
        position.iter().for_each(|position| entry.shared.reached(*position));
        if entry.shared.spec.progress_notify {
            entry.shared.with_buffer(|buffer| buffer.push(WatchResponse::progress(header)));
        }
        entry.shared.answer(&Ok(header.revision));
    }

    fn ended(&mut self, ticket: Ticket, position: Position, end: End, resumable: &mut ResumableStream) {
        let Some(mut entry) = self.take(ticket) else { return };
        entry.position = position;
        let error = match end {
            End::ProtocolViolation(why) => Error::new(ErrorKind::Protocol, why),
            End::Compacted { revision } => {
                let error = Error::from(Code::Compacted).with_compact_revision(revision);
                if entry.known.is_some() {
                    return self.resync(entry, error);
                }
                error
            }
            End::Denied { reason } | End::Canceled { reason } => {
                // A gRPC proxy omits the reason why the member cancelled a watch. The cause may be the token
                // of the first watcher that shares the proxy's watch, so the watch is re-created once with
                // another token.
                if reason.is_empty()
                    && self.machine.is_proxied()
                    && !std::mem::replace(&mut entry.recreated, true)
                {
                    return self.renew(entry, resumable, resumable.carried());
                }
                let code = Code::parse(GrpcCode::Unknown, &reason);
                if renews(code, entry.renewals) && resumable.can_renew(code) {
                    return self.renew(entry, resumable, resumable.carried());
                }
                if reason.is_empty() {
                    Error::from(Code::WatchCanceled)
                } else {
                    Error::from_server(GrpcCode::Unknown, reason)
                }
            }
        };
        entry.end(error);
    }

    /// Moves a watch to a stream with another token. The other watches of this stream stay, because members check
    /// tokens only when a watch is created.
    fn renew(&self, mut entry: Subscription, resumable: &ResumableStream, rejected: Carried) {
        entry.renewals += 1;
        resumable.renew_first(rejected);
        // No other watch may join this stream: it would be created with the rejected token.
        self.commands.retire();
        self.hand_on(entry, &self.key);
    }

    fn transfer(&mut self, ticket: Ticket, start: Start) {
        let Some(position) = self.machine.remove(ticket) else { return };
        if let Some(mut entry) = self.take(ticket) {
            entry.position = position;
            self.hand_on(entry, &StreamKey { start, ..self.key.clone() });
        }
    }

    pub(crate) fn hand_on(&self, mut entry: Subscription, key: &StreamKey) {
        match self.hub.channel.upgrade() {
            Some(channel) => self.hub.assign(&channel, key, Box::new(entry)),
            None => entry.end(closed()),
        }
    }
}

/// Returns true if the error may be caused by the token. Members before 3.5.5 report every rejected token as a lack
/// of permission.
fn renews(code: Code, renewals: u32) -> bool {
    match code {
        Code::InvalidAuthToken | Code::AuthOldRevision | Code::UserEmpty => renewals < MOST_RENEWALS,
        Code::PermissionDenied => renewals == 0,
        _ => false,
    }
}
