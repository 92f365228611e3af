//! One stream and its watches: their ids, the outstanding create requests, and the dispatch of messages.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use crate::watch::{
    codec::WatchMessage,
    state::{
        Action, End, Request, Ticket,
        assembly::Assembly,
        filter::Filter,
        idle_timeout,
        numbers::Numbers,
        position::Position,
        rules::{Rule, Rules},
    },
};

#[derive(Debug)]
struct WatchState {
    filter: Filter,
    position: Position,
    phase: Phase,
    assembly: Assembly,
    repeated: u64,
    /// The store's revision at the creation. Events up to it are history.
    created_revision: i64,
    /// True if the server should not fragment responses. To fragment history, members need time that is quadratic in
    /// the number of events (`sendFragments` in etcd's `server/etcdserver/api/v3rpc/watch.go`), and send nothing
    /// while doing so. After a stream was silent because of that, the watch is created without fragments.
    unfragmented: bool,
    /// Set if the watch was re-created after a compaction that did not affect it, until the next delivery.
    recreated_after_compaction: bool,
}

impl WatchState {
    /// Returns true if the server still has to send history for it.
    fn is_behind(&self) -> bool {
        matches!(self.phase, Phase::Live(_)) && self.position.next() <= self.created_revision
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waits for a stream.
    Waiting,
    Creating,
    Live(i64),
    /// Cancelled on the server until the reader has caught up.
    Paused,
}

/// An outstanding create request, with the id chosen for it. If several are in flight, servers answer them in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    Watch(Ticket, i64),
    /// Its watch was removed: it is to be cancelled as soon as its id is known.
    Abandoned(i64),
    Echo,
}

/// The watches of one stream, which is replaced when it is lost.
#[derive(Debug, Default)]
pub(crate) struct WatchStream {
    watches: HashMap<Ticket, WatchState>,
    /// The watches that wait for a stream, in the order of their arrival.
    order: VecDeque<Ticket>,
    ids: HashMap<i64, Ticket>,
    /// The ids whose cancellation the server has not confirmed yet.
    cancelling: HashSet<i64>,
    pending: VecDeque<Pending>,
    numbers: Numbers,
    open: bool,
    /// True if this member answers progress requests in order.
    ordered_progress: bool,
    last_received: Duration,
    /// The time since which an answer is owed.
    owed: Duration,
    /// The number of consecutive streams that became unresponsive before they delivered anything.
    unresponsive: u32,
    actions: VecDeque<Action>,
    rules: Rules,
}

impl WatchStream {
    #[cfg(test)]
    pub(crate) fn breaking(rule: Option<Rule>) -> Self {
        Self { rules: Rules { broken: rule }, ..Self::default() }
    }

    /// Returns the next action.
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Adds a watch. It is created now if there is a stream.
    pub(crate) fn add(&mut self, ticket: Ticket, filter: Filter, position: Position, now: Duration) {
        let watched = WatchState {
            filter,
            position,
            phase: Phase::Waiting,
            assembly: Assembly::default(),
            repeated: 0,
            created_revision: 0,
            unfragmented: false,
            recreated_after_compaction: false,
        };
        self.watches.insert(ticket, watched);
        self.order.push_back(ticket);
        if self.open {
            self.create_waiting(now);
        }
    }

    /// Removes a watch in any state and cancels it on the server. Returns its position.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<Position> {
        let watched = self.watches.remove(&ticket)?;
        self.retract(ticket, watched.phase);
        Some(watched.position)
    }

    /// Cancels a watch on the server until [`unpark`](Self::unpark) is called.
    pub(crate) fn park(&mut self, ticket: Ticket) {
        let Some(watched) = self.watches.get_mut(&ticket) else { return };
        let phase = std::mem::replace(&mut watched.phase, Phase::Paused);
        watched.assembly.clear();
        if phase != Phase::Paused {
            self.retract(ticket, phase);
        }
    }

    /// Re-creates a paused watch at its position.
    pub(crate) fn unpark(&mut self, ticket: Ticket, now: Duration) {
        let Some(watched) = self.watches.get_mut(&ticket) else { return };
        if watched.phase != Phase::Paused {
            return;
        }
        watched.phase = Phase::Waiting;
        self.order.push_back(ticket);
        if self.open {
            self.create_waiting(now);
        }
    }

    /// Records that a stream was opened. Only the first waiting watch is created at once; the others follow when its
    /// response shows that theirs can be distinguished.
    pub(crate) fn opened(&mut self, now: Duration) {
        self.open = true;
        // Ids are valid for one stream only, and the next peer may number differently.
        self.numbers = Numbers::default();
        self.last_received = now;
        self.ordered_progress = false;
        self.create_waiting(now);
    }

    /// Records whether the member answers progress requests in order, which follows from its version.
    pub(crate) fn set_ordered_progress(&mut self, ordered: bool) {
        self.ordered_progress = ordered;
    }

    /// Records that the stream was lost, together with everything in progress on it. Returns the watches that lost
    /// it.
    pub(crate) fn lost(&mut self) -> Vec<Ticket> {
        self.open = false;
        self.ids.clear();
        self.cancelling.clear();
        self.pending.clear();
        // Only requests can be left. The stream task executes all actions before it reads the next message,
        // so no delivery is discarded.
        self.actions.clear();
        let mut lost: Vec<Ticket> = Vec::new();
        for (ticket, watched) in &mut self.watches {
            if matches!(watched.phase, Phase::Creating | Phase::Live(_)) {
                watched.phase = Phase::Waiting;
                watched.assembly.clear();
                lost.push(*ticket);
            }
        }
        // In a fixed order: the map's order is random, and tests replay sequences.
        lost.sort_unstable();
        self.order.extend(&lost);
        lost
    }

    /// Requests the progress of the stream.
    pub(crate) fn request_progress(&mut self) {
        if self.open {
            self.send(Request::Progress);
        }
    }

    /// Checks the idle timeouts: requests a sign of life from a silent stream, and abandons it if there is none.
    /// Returns the latest time of the next check.
    pub(crate) fn tick(&mut self, now: Duration) -> Option<Duration> {
        if !self.open || self.is_empty() {
            return None;
        }
        if self.pending.is_empty() {
            let due = self.last_received + idle_timeout::IDLE;
            if now < due {
                return Some(due);
            }
            // PINGs show that the connection is alive, but not that the member still serves watches. Progress
            // requests are no substitute: members may legitimately not answer them.
            self.await_answer(Pending::Echo, Request::Echo, now);
        }
        let due = self.last_received.max(self.owed)
            + idle_timeout::answer_timeout(self.awaits_creation(), self.unresponsive);
        if now < due {
            return Some(due);
        }
        self.unresponsive = self.unresponsive.saturating_add(1);
        for watched in self.watches.values_mut() {
            // A watch that waits for history may be the reason for the silence.
            watched.unfragmented |= watched.is_behind();
        }
        self.actions.push_back(Action::Broken("member unresponsive: no answer on the watch stream"));
        None
    }

    /// Returns true if the response to a create request is outstanding.
    pub(crate) fn awaits_creation(&self) -> bool {
        self.pending.iter().any(|pending| matches!(pending, Pending::Watch(..)))
    }

    /// Returns true if there are no watches.
    pub(crate) fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }

    /// Returns the number of watches.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.watches.len()
    }

    /// Returns true if no more messages are expected on this stream: it has no watches, and every cancellation was
    /// confirmed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_empty() && self.pending.is_empty() && self.cancelling.is_empty()
    }

    /// Returns true if the peer chooses the watch ids itself, as etcd's gRPC proxy does. The proxy does not answer
    /// progress requests.
    pub(crate) fn is_proxied(&self) -> bool {
        self.numbers.are_foreign()
    }

    /// Returns true if the server sends events of this watch.
    pub(crate) fn is_live(&self, ticket: Ticket) -> bool {
        self.watches.get(&ticket).is_some_and(|watched| matches!(watched.phase, Phase::Live(_)))
    }

    /// Returns the position of a watch.
    pub(crate) fn position(&self, ticket: Ticket) -> Option<Position> {
        self.watches.get(&ticket).map(|watched| watched.position)
    }

    /// Returns the number of repeated events of a watch that were dropped since the last call.
    pub(crate) fn take_repeated(&mut self, ticket: Ticket) -> u64 {
        self.watches.get_mut(&ticket).map_or(0, |watched| std::mem::take(&mut watched.repeated))
    }

    /// Processes a message of the stream.
    pub(crate) fn receive(&mut self, message: WatchMessage, now: Duration) {
        self.last_received = now;
        if message.created {
            self.created(message);
            self.create_waiting(now);
        } else if message.canceled {
            self.canceled(message, now);
        } else if message.id < 0 {
            self.broadcast(&message);
        } else if let Some(&ticket) = self.ids.get(&message.id) {
            self.events(ticket, message);
        } else if self.cancelling.insert(message.id) {
            // It belongs to no watch of this client, so it is cancelled on the server.
            self.send(Request::Cancel(message.id));
        }
    }

    // ===== creation =====

    fn create_waiting(&mut self, now: Duration) {
        while self.pending.is_empty() || self.may_overlap() {
            let Some(ticket) = self.order.pop_front() else { return };
            let Some(watched) = self.watches.get_mut(&ticket) else { continue };
            // Paused since it was queued, or queued twice.
            if watched.phase != Phase::Waiting {
                continue;
            }
            watched.phase = Phase::Creating;
            let (start, fragment, number) =
                (watched.position.next(), !watched.unfragmented, self.numbers.choose());
            let request = Request::Create { ticket, start, fragment, number };
            self.await_answer(Pending::Watch(ticket, number), request, now);
        }
    }

    fn may_overlap(&self) -> bool {
        self.numbers.may_overlap() || !self.rules.hold(Rule::MatchedCreations)
    }

    fn await_answer(&mut self, pending: Pending, request: Request, now: Duration) {
        if self.pending.is_empty() {
            self.owed = now;
        }
        self.pending.push_back(pending);
        self.send(request);
    }

    fn created(&mut self, message: WatchMessage) {
        let Some(pending) = self.pending.pop_front() else {
            return self.broken("the member answered a watch creation that was not requested");
        };
        // The request was rejected: created and cancelled at once, without an id.
        if message.canceled {
            if let Pending::Watch(ticket, _) = pending {
                self.denied(ticket, message);
            }
            return;
        }
        if let Pending::Watch(_, chosen) | Pending::Abandoned(chosen) = pending
            && message.id >= 0
            && !self.numbers.matches(chosen, message.id)
        {
            return self.broken("the member answered a watch creation with the id of another one");
        }
        // An id that is still being cancelled may get late events of its old watch, so it cannot identify a
        // new one.
        if message.id < 0 || self.ids.contains_key(&message.id) || self.cancelling.contains(&message.id) {
            return self.broken("the member assigned a watch id that is invalid or in use");
        }
        match pending {
            Pending::Watch(ticket, _) => self.created_as(ticket, message),
            Pending::Abandoned(_) | Pending::Echo => self.cancel(message.id),
        }
    }

    fn created_as(&mut self, ticket: Ticket, message: WatchMessage) {
        let revision = message.header.revision.get();
        // A proxy that adds a watch to an existing one invents this response, with the start revision in
        // place of the store's revision. It has no cluster id.
        let of_store = message.header.cluster_id.get() != 0;
        // The watch exists: removing one marks its create request as abandoned.
        let Some(watched) = self.watches.get_mut(&ticket) else { return self.cancel(message.id) };
        if watched.position.is_now() && revision <= 0 {
            return self.broken("the member created a watch without its start revision");
        }
        if of_store || watched.position.is_now() {
            watched.position.pin(revision);
        }
        watched.phase = Phase::Live(message.id);
        watched.created_revision = if of_store { revision } else { 0 };
        let behind = of_store && watched.position.is_beyond(revision);
        let future = of_store && watched.position.is_future(revision);
        self.ids.insert(message.id, ticket);
        self.actions.push_back(Action::Created { ticket, header: message.header, behind, future });
    }

    fn denied(&mut self, ticket: Ticket, message: WatchMessage) {
        let end = match message.compact_revision {
            0 => End::Denied { reason: message.reason },
            revision => End::Compacted { revision },
        };
        self.end(ticket, end);
    }

    // ===== cancellation =====

    /// Cancels on the server the part of the watch that exists there in this phase.
    fn retract(&mut self, ticket: Ticket, phase: Phase) {
        match phase {
            Phase::Waiting | Phase::Paused => {}
            Phase::Creating => {
                let mut pending = self.pending.iter_mut();
                let of_watch =
                    |pending: &&mut Pending| matches!(pending, Pending::Watch(of, _) if *of == ticket);
                if let Some(pending) = pending.find(of_watch)
                    && let Pending::Watch(_, number) = *pending
                {
                    // It cannot be cancelled yet: a proxy assigns the id only in its response.
                    *pending = Pending::Abandoned(number);
                }
            }
            Phase::Live(id) => {
                self.ids.remove(&id);
                self.cancel(id);
            }
        }
    }

    fn cancel(&mut self, id: i64) {
        self.cancelling.insert(id);
        self.send(Request::Cancel(id));
    }

    fn canceled(&mut self, message: WatchMessage, now: Duration) {
        // The confirmation of a cancellation by this client.
        if self.cancelling.remove(&message.id) {
            return;
        }
        let Some(ticket) = self.ids.remove(&message.id) else { return };
        if message.compact_revision > 0 && self.needs_nothing_before(ticket, message.compact_revision) {
            self.send(Request::Cancel(message.id));
            self.order.push_back(ticket);
            return self.create_waiting(now);
        }
        let end = if message.compact_revision == 0 {
            if self.is_proxied() {
                // Until the client cancels it as well, the proxy adds later watches to the one that has ended
                // (`watchBroadcasts.add` in etcd's `server/proxy/grpcproxy/watch_broadcasts.go`).
                self.send(Request::Cancel(message.id));
            }
            End::Canceled { reason: message.reason }
        } else {
            // Until the client cancels it as well, the member answers no progress request on this stream
            // (`watchServer.sendLoop`). Versions differ in whether they confirm this cancellation.
            self.send(Request::Cancel(message.id));
            End::Compacted { revision: message.compact_revision }
        };
        self.end(ticket, end);
    }

    /// Returns true if the compaction does not affect the watch: members register a watch from now on before its
    /// first revision. The watch is then re-created, at most once until something is delivered.
    fn needs_nothing_before(&mut self, ticket: Ticket, revision: i64) -> bool {
        let Some(watched) = self.watches.get_mut(&ticket) else { return false };
        let recreated_after_compaction =
            watched.position.next() >= revision && !watched.recreated_after_compaction;
        if recreated_after_compaction {
            watched.recreated_after_compaction = true;
            watched.phase = Phase::Waiting;
            watched.assembly.clear();
        }
        recreated_after_compaction
    }

    fn end(&mut self, ticket: Ticket, end: End) {
        if let Some(watched) = self.watches.remove(&ticket) {
            self.actions.push_back(Action::Ended { ticket, position: watched.position, end });
        }
    }

    // ===== events and progress =====

    fn events(&mut self, ticket: Ticket, message: WatchMessage) {
        let rules = self.rules;
        let Some(watched) = self.watches.get_mut(&ticket) else { return };
        let header = message.header;
        // A proxy or server that mixes up watches must not deliver events of another range to this reader.
        let unasked = || message.events.iter().any(|event| !watched.filter.admits(event));
        if let Some(violation) = message
            .flaw
            .or_else(|| unasked().then_some("the member sent an event that the watch did not request"))
        {
            self.ids.remove(&message.id);
            self.cancel(message.id);
            return self.end(ticket, End::ProtocolViolation(violation));
        }
        let is_progress = message.events.is_empty() && !message.fragment && watched.assembly.is_empty();
        if is_progress {
            // Without a cluster id it is only a sign of life and says nothing about the store.
            let of_store = header.cluster_id.get() != 0;
            let in_order = of_store && watched.position.progressed(header.revision.get());
            self.unresponsive = 0;
            return if in_order {
                self.actions.push_back(Action::Progress { ticket, header })
            };
        }
        let received = message.events.last().map_or(0, |event| event.revision().get());
        let mut events = watched.assembly.push(message.events, message.fragment, rules);
        // After a resume, a server may send events again that were delivered before the stream was lost.
        watched.repeated += watched.position.admit(&mut events);
        if !rules.hold(Rule::BookmarkByRevision) {
            watched.position.delivered(received, 0, rules);
        }
        let Some(last) = events.last().map(|event| event.revision().get()) else { return };
        watched.position.delivered(last, header.revision.get(), rules);
        watched.unfragmented &= watched.is_behind();
        watched.recreated_after_compaction = false;
        self.unresponsive = 0;
        self.actions.push_back(Action::Deliver { ticket, header, events });
    }

    /// Processes the answer to a progress request, which applies to all watches of the stream.
    fn broadcast(&mut self, message: &WatchMessage) {
        if !message.events.is_empty() || message.header.revision.get() <= 0 {
            return self.broken("the member sent events without a watch id");
        }
        let in_order = self.rules.hold(Rule::ProgressInOrder);
        if in_order && !self.ordered_progress {
            return;
        }
        for (&ticket, watched) in &mut self.watches {
            // A watch with an incomplete revision has not reached the revision that the answer states.
            let created = matches!(watched.phase, Phase::Live(_)) && watched.assembly.is_empty();
            let created = created || (!in_order && watched.phase == Phase::Creating);
            if created && watched.position.progressed(message.header.revision.get()) {
                self.actions.push_back(Action::Progress { ticket, header: message.header });
            }
        }
    }

    fn broken(&mut self, why: &'static str) {
        self.actions.push_back(Action::Broken(why));
    }

    fn send(&mut self, request: Request) {
        self.actions.push_back(Action::Send(request));
    }
}
