//! One stream and its watches: who has which number on it, whose creation is awaited, what a message means for whom.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use super::{
    action::{Action, End, Request, Ticket},
    assembly::Assembly,
    filter::Filter,
    numbers::Numbers,
    position::Position,
    rules::{Rule, Rules},
    silence,
};
use crate::wire::WatchMessage;

#[derive(Debug)]
struct Watched {
    filter: Filter,
    position: Position,
    phase: Phase,
    assembly: Assembly,
    repeated: u64,
    /// The store's revision when it was created: up to there it is history that is sent.
    level: i64,
    /// Members cut history into fragments in a time that grows with the square of the number of events (`sendFragments` in etcd's
    /// `server/etcdserver/api/v3rpc/watch.go`), and say nothing meanwhile. One that went silent over it is spared the cutting.
    whole: bool,
    /// Whether it was created again after a compaction that took nothing from it, and nothing was delivered since.
    spared: bool,
}

impl Watched {
    /// Whether there is history that it was not sent yet.
    fn is_behind(&self) -> bool {
        matches!(self.phase, Phase::Live(_)) && self.position.next() <= self.level
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There is no stream.
    Waiting,
    Creating,
    Live(i64),
    /// Off the server until its reader has caught up.
    Parked,
}

/// Whose creation is awaited, with the number that was chosen for it. Where several are in flight, servers answer in the order of
/// the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    Watch(Ticket, i64),
    /// Given up meanwhile: to be cancelled as soon as its number is known.
    Abandoned(i64),
    Echo,
}

/// The watches of one stream, which is replaced when it is lost.
#[derive(Debug, Default)]
pub(crate) struct WatchStream {
    watches: HashMap<Ticket, Watched>,
    /// In the order in which they came, for those that wait for a stream.
    order: VecDeque<Ticket>,
    ids: HashMap<i64, Ticket>,
    /// Numbers that were cancelled, until the server says so.
    cancelling: HashSet<i64>,
    pending: VecDeque<Pending>,
    numbers: Numbers,
    open: bool,
    /// Whether this member answers requests for progress in order.
    ordered_progress: bool,
    heard: Duration,
    /// Since when an answer is owed.
    owed: Duration,
    /// Streams in a row that went silent before they delivered anything.
    silent: u32,
    actions: VecDeque<Action>,
    rules: Rules,
}

impl WatchStream {
    #[cfg(test)]
    pub(super) fn breaking(rule: Option<Rule>) -> Self {
        Self { rules: Rules { broken: rule }, ..Self::default() }
    }

    /// What is to be done next.
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Takes a watch in, and creates it where there is a stream.
    pub(crate) fn add(&mut self, ticket: Ticket, filter: Filter, position: Position, now: Duration) {
        let watched = Watched {
            filter,
            position,
            phase: Phase::Waiting,
            assembly: Assembly::default(),
            repeated: 0,
            level: 0,
            whole: false,
            spared: false,
        };
        self.watches.insert(ticket, watched);
        self.order.push_back(ticket);
        if self.open {
            self.create_waiting(now);
        }
    }

    /// Forgets a watch, whatever its state, and cancels it on the server. Returns where it was.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<Position> {
        let watched = self.watches.remove(&ticket)?;
        self.retract(ticket, watched.phase);
        Some(watched.position)
    }

    /// Takes a watch off the server; it goes on after [`unpark`](Self::unpark).
    pub(crate) fn park(&mut self, ticket: Ticket) {
        let Some(watched) = self.watches.get_mut(&ticket) else { return };
        let phase = std::mem::replace(&mut watched.phase, Phase::Parked);
        watched.assembly.clear();
        if phase != Phase::Parked {
            self.retract(ticket, phase);
        }
    }

    /// Creates a parked watch again where it stopped.
    pub(crate) fn unpark(&mut self, ticket: Ticket, now: Duration) {
        let Some(watched) = self.watches.get_mut(&ticket) else { return };
        if watched.phase != Phase::Parked {
            return;
        }
        watched.phase = Phase::Waiting;
        self.order.push_back(ticket);
        if self.open {
            self.create_waiting(now);
        }
    }

    /// A stream was opened: the first of those that wait is created, the others as soon as its answer shows that theirs can be
    /// told apart.
    pub(crate) fn opened(&mut self, now: Duration) {
        self.open = true;
        self.numbers = Numbers::default();
        self.heard = now;
        self.ordered_progress = false;
        self.create_waiting(now);
    }

    /// The version of the stream's member is known.
    pub(crate) fn set_ordered_progress(&mut self, ordered: bool) {
        self.ordered_progress = ordered;
    }

    /// The stream is gone, with everything that was under way on it. Returns those that lost it.
    pub(crate) fn lost(&mut self) -> Vec<Ticket> {
        self.open = false;
        self.ids.clear();
        self.cancelling.clear();
        self.pending.clear();
        self.actions.clear();
        let mut lost: Vec<Ticket> = Vec::new();
        for (ticket, watched) in &mut self.watches {
            if matches!(watched.phase, Phase::Creating | Phase::Live(_)) {
                watched.phase = Phase::Waiting;
                watched.assembly.clear();
                lost.push(*ticket);
            }
        }
        lost.sort_unstable();
        self.order.extend(&lost);
        lost
    }

    /// Asks how far the stream is.
    pub(crate) fn request_progress(&mut self) {
        if self.open {
            self.send(Request::Progress);
        }
    }

    /// Looks at the clock: a stream that has been silent for long is asked for a sign of life, and given up without one.
    /// Says when to look again, at the latest.
    pub(crate) fn tick(&mut self, now: Duration) -> Option<Duration> {
        if !self.open || self.is_empty() {
            return None;
        }
        if self.pending.is_empty() {
            let due = self.heard + silence::QUIET;
            if now < due {
                return Some(due);
            }
            self.await_answer(Pending::Echo, Request::Echo, now);
        }
        let due = self.heard.max(self.owed) + silence::patience(self.awaits_creation(), self.silent);
        if now < due {
            return Some(due);
        }
        self.silent = self.silent.saturating_add(1);
        for watched in self.watches.values_mut() {
            watched.whole |= watched.is_behind();
        }
        self.actions.push_back(Action::Broken("the member went silent: it answers no watch any more"));
        None
    }

    /// Whether the answer to a creation is owed.
    pub(crate) fn awaits_creation(&self) -> bool {
        self.pending.iter().any(|pending| matches!(pending, Pending::Watch(..)))
    }

    /// Whether it carries no watch.
    pub(crate) fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }

    /// How many watches it carries.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.watches.len()
    }

    /// Whether the server has nothing more to say on this stream: it carries no watch, and every cancellation was answered.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_empty() && self.pending.is_empty() && self.cancelling.is_empty()
    }

    /// Whether the stream's watches are numbered by whoever answers, as etcd's gRPC proxy does. It answers no request for progress.
    pub(crate) fn is_proxied(&self) -> bool {
        self.numbers.are_foreign()
    }

    /// Whether events of this watch come in.
    pub(crate) fn is_live(&self, ticket: Ticket) -> bool {
        self.watches.get(&ticket).is_some_and(|watched| matches!(watched.phase, Phase::Live(_)))
    }

    /// How far a watch is.
    pub(crate) fn position(&self, ticket: Ticket) -> Option<Position> {
        self.watches.get(&ticket).map(|watched| watched.position)
    }

    /// How many events of a watch were left out since this was last asked.
    pub(crate) fn take_repeated(&mut self, ticket: Ticket) -> u64 {
        self.watches.get_mut(&ticket).map_or(0, |watched| std::mem::take(&mut watched.repeated))
    }

    /// Takes a message of the stream in.
    pub(crate) fn receive(&mut self, message: WatchMessage, now: Duration) {
        self.heard = now;
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
            // Nobody's: it is on the server for nothing.
            self.send(Request::Cancel(message.id));
        }
    }

    // ===== creation =====

    fn create_waiting(&mut self, now: Duration) {
        while self.pending.is_empty() || self.may_overlap() {
            let Some(ticket) = self.order.pop_front() else { return };
            let Some(watched) = self.watches.get_mut(&ticket) else { continue };
            if watched.phase != Phase::Waiting {
                continue;
            }
            watched.phase = Phase::Creating;
            let (start, fragment, number) = (watched.position.next(), !watched.whole, self.numbers.choose());
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
            return self.broken("the member answered a creation that was not asked for");
        };
        // Refused: created and canceled at once, with no number.
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
            return self.broken("the member answered a creation with the number of another");
        }
        if message.id < 0 || self.ids.contains_key(&message.id) || self.cancelling.contains(&message.id) {
            return self.broken("the member gave a watch a number that is none, or is in use");
        }
        match pending {
            Pending::Watch(ticket, _) => self.created_as(ticket, message),
            Pending::Abandoned(_) | Pending::Echo => self.cancel(message.id),
        }
    }

    fn created_as(&mut self, ticket: Ticket, message: WatchMessage) {
        let revision = message.header.revision.get();
        // A proxy that adds a watch to one that it has already makes this answer up, with the start revision for the store's.
        let of_store = message.header.cluster_id.get() != 0;
        // Abandoned ones are marked so.
        let Some(watched) = self.watches.get_mut(&ticket) else { return self.cancel(message.id) };
        if watched.position.is_now() && revision <= 0 {
            return self.broken("the member did not say since when it watches");
        }
        if of_store || watched.position.is_now() {
            watched.position.pin(revision);
        }
        watched.phase = Phase::Live(message.id);
        watched.level = if of_store { revision } else { 0 };
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

    /// Takes off the server what `phase` has there.
    fn retract(&mut self, ticket: Ticket, phase: Phase) {
        match phase {
            Phase::Waiting | Phase::Parked => {}
            Phase::Creating => {
                let mut pending = self.pending.iter_mut();
                let of_watch =
                    |pending: &&mut Pending| matches!(pending, Pending::Watch(of, _) if *of == ticket);
                if let Some(pending) = pending.find(of_watch)
                    && let Pending::Watch(_, number) = *pending
                {
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
                // Until it is cancelled from here as well, the proxy gives later watches to the one that has ended
                // (`watchBroadcasts.add` in etcd's `server/proxy/grpcproxy/watch_broadcasts.go`).
                self.send(Request::Cancel(message.id));
            }
            End::Canceled { reason: message.reason }
        } else {
            // Until it is cancelled from here as well, the member answers no request for progress on this stream
            // (`watchServer.sendLoop`). Whether it answers this differs.
            self.send(Request::Cancel(message.id));
            End::Compacted { revision: message.compact_revision }
        };
        self.end(ticket, end);
    }

    /// Whether what was compacted is older than what the watch needs next: members register a watch from now on before its first
    /// revision. It is then to be created again, once until something is delivered.
    fn needs_nothing_before(&mut self, ticket: Ticket, revision: i64) -> bool {
        let Some(watched) = self.watches.get_mut(&ticket) else { return false };
        let spared = watched.position.next() >= revision && !watched.spared;
        if spared {
            watched.spared = true;
            watched.phase = Phase::Waiting;
            watched.assembly.clear();
        }
        spared
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
        let unasked = || message.events.iter().any(|event| !watched.filter.admits(event));
        if let Some(nonsense) =
            message.flaw.or_else(|| unasked().then_some("the watch did not ask for this event"))
        {
            self.ids.remove(&message.id);
            self.cancel(message.id);
            return self.end(ticket, End::Nonsense(nonsense));
        }
        let is_progress = message.events.is_empty() && !message.fragment && watched.assembly.is_empty();
        if is_progress {
            // Without a cluster it is a sign of life, and says nothing of the store.
            let of_store = header.cluster_id.get() != 0;
            let believed = of_store && watched.position.progressed(header.revision.get());
            self.silent = 0;
            return if believed {
                self.actions.push_back(Action::Progress { ticket, header })
            };
        }
        let received = message.events.last().map_or(0, |event| event.revision().get());
        let mut events = watched.assembly.push(message.events, message.fragment, rules);
        watched.repeated += watched.position.admit(&mut events);
        if !rules.hold(Rule::BookmarkByRevision) {
            watched.position.delivered(received, 0, rules);
        }
        let Some(last) = events.last().map(|event| event.revision().get()) else { return };
        watched.position.delivered(last, header.revision.get(), rules);
        watched.whole &= watched.is_behind();
        watched.spared = false;
        self.silent = 0;
        self.actions.push_back(Action::Deliver { ticket, header, events });
    }

    /// An answer to a request for progress is for all watches of the stream.
    fn broadcast(&mut self, message: &WatchMessage) {
        if !message.events.is_empty() || message.header.revision.get() <= 0 {
            return self.broken("the member sent events of no watch");
        }
        let in_order = self.rules.hold(Rule::ProgressInOrder);
        if in_order && !self.ordered_progress {
            return;
        }
        for (&ticket, watched) in &mut self.watches {
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
