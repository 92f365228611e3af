//! A model of a store, of a server with one watch stream, and of the deliveries that each watch should have received.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    types::{ClusterId, Event, KeyValue, MemberId, ResponseHeader, Revision},
    watch::{
        Watch,
        codec::WatchMessage,
        state::{
            Action, End, Request, Ticket, filter::Filter, position::Position, rules::Rule,
            stream::WatchStream,
        },
    },
};

/// An event of the simulation. Numbers select among the existing items.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A revision with this many events.
    Write(usize),
    /// The server sends revisions to one watch: which watch, how many revisions at most, in how many fragments.
    Send(usize, usize, usize),
    /// The client reads a message.
    Read,
    /// A message is repeated by a server that travels back in time (etcd issue 15271).
    Repeat(usize),
    Progress,
    /// An out-of-order answer of an old server (etcd issue 15220).
    EarlyProgress,
    OwnProgress(usize),
    Lose,
    Add(i64),
    Remove(usize),
    Pause(usize),
    Unpark(usize),
    Compact,
}

/// The peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A member that uses the requested ids and keeps progress in order.
    Modern,
    /// A member that does not keep progress in order.
    Old,
    /// etcd's gRPC proxy: it chooses the ids itself, and answers create requests out of order and some without a
    /// cluster id.
    Proxy,
}

/// A watch on the server.
#[derive(Debug)]
struct Registered {
    id: i64,
    /// The first revision that was not sent.
    next: i64,
}

/// The expected and the actual deliveries of a watch.
#[derive(Debug, Default)]
struct Expected {
    /// The first revision that it has to receive. `None` until the first create response was read.
    from: Option<i64>,
    /// The highest revision up to which everything was delivered.
    given: i64,
    live: bool,
    paused: bool,
    removed: bool,
    ended: bool,
}

#[derive(Debug)]
pub(crate) struct World {
    machine: WatchStream,
    kind: Kind,
    /// The number of events of each revision, starting with revision 1.
    store: Vec<usize>,
    compacted: i64,
    /// The server's watches of the current stream.
    registered: Vec<Registered>,
    next_id: i64,
    queue: VecDeque<WatchMessage>,
    sent: Vec<WatchMessage>,
    watches: BTreeMap<Ticket, Expected>,
    tickets: u64,
}

impl World {
    pub(crate) fn new(broken: Option<Rule>, kind: Kind) -> Self {
        let mut world = Self {
            machine: WatchStream::breaking(broken),
            kind,
            store: vec![1],
            compacted: 0,
            registered: Vec::new(),
            next_id: 0,
            queue: VecDeque::new(),
            sent: Vec::new(),
            watches: BTreeMap::new(),
            tickets: 0,
        };
        world.open();
        world
    }

    fn open(&mut self) {
        self.machine.opened(Duration::ZERO);
        self.machine.set_ordered_progress(self.kind == Kind::Modern);
    }

    fn revision(&self) -> i64 {
        i64::try_from(self.store.len()).expect("short")
    }

    fn header(&self) -> ResponseHeader {
        ResponseHeader::new(ClusterId::new(1), MemberId::new(1), Revision::new(self.revision()), 1)
    }

    fn events(&self, revision: i64) -> impl Iterator<Item = Event> + use<> {
        let count = self.store[usize::try_from(revision - 1).expect("positive")];
        (0..count).map(move |n| Event::put(KeyValue::new(format!("k{n}"), "").with_revisions(1, revision)))
    }

    pub(crate) fn step(&mut self, step: &Step) -> Result<(), String> {
        match *step {
            Step::Write(events) => self.store.push(events),
            Step::Send(which, revisions, fragments) => self.send(which, revisions, fragments),
            Step::Read => self.read(),
            Step::Repeat(which) => {
                // Belongs to this stream: an id means nothing on another one.
                if !self.sent.is_empty() {
                    let again = self.sent[which % self.sent.len()].clone();
                    self.queue.push_back(again);
                }
            }
            Step::Progress => self.progress(),
            Step::EarlyProgress => self.early_progress(),
            Step::OwnProgress(which) => self.own_progress(which),
            Step::Lose => self.lose(),
            Step::Add(back) => self.add(back),
            Step::Remove(which) => {
                if let Some(ticket) = self.pick(which) {
                    self.machine.remove(ticket);
                    self.watches.get_mut(&ticket).expect("there").removed = true;
                }
            }
            Step::Pause(which) => {
                if let Some(ticket) = self.pick(which) {
                    self.machine.park(ticket);
                    self.watches.get_mut(&ticket).expect("there").paused = true;
                }
            }
            Step::Unpark(which) => {
                if let Some(ticket) = self.pick(which) {
                    self.machine.unpark(ticket, Duration::ZERO);
                    self.watches.get_mut(&ticket).expect("there").paused = false;
                }
            }
            Step::Compact => self.compacted = self.revision(),
        }
        self.act()
    }

    /// Delivers everything in flight. Each watch that has not ended must then be up to date.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        for which in 0..self.watches.len() {
            self.step(&Step::Unpark(which))?;
        }
        self.step(&Step::Write(1))?;
        for _ in 0..self.queue.len() + 4 * self.watches.len() + 8 {
            while !self.queue.is_empty() {
                self.step(&Step::Read)?;
            }
            for which in 0..self.registered.len() {
                self.step(&Step::Send(which, usize::MAX, 1))?;
            }
        }
        for (ticket, watch) in &self.watches {
            let from = watch.from.unwrap_or(0);
            if !watch.removed && !watch.ended && from <= self.revision() && watch.given < self.revision() {
                return Err(format!(
                    "{ticket:?} stopped at {} of {}: {watch:?}",
                    watch.given,
                    self.revision()
                ));
            }
        }
        if self.machine.is_empty() != self.watches.values().all(|watch| watch.removed || watch.ended) {
            return Err("the machine holds on to what has ended".into());
        }
        Ok(())
    }

    fn pick(&self, which: usize) -> Option<Ticket> {
        let open: Vec<Ticket> = self
            .watches
            .iter()
            .filter(|(_, watch)| !watch.removed && !watch.ended)
            .map(|(ticket, _)| *ticket)
            .collect();
        open.get(which.checked_rem(open.len())?).copied()
    }

    fn add(&mut self, back: i64) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let start = if back == 0 { 0 } else { (self.revision() - back).max(1) };
        let filter = Filter::of(&Watch::new("").all_keys());
        let expected =
            Expected { from: (start > 0).then_some(start), given: start - 1, ..Expected::default() };
        self.watches.insert(ticket, expected);
        self.machine.add(ticket, filter, Position::new(start), Duration::ZERO);
    }

    fn lose(&mut self) {
        self.registered.clear();
        self.queue.clear();
        self.sent.clear();
        self.next_id = 0;
        self.machine.lost();
        self.watches.values_mut().for_each(|watch| watch.live = false);
        self.open();
    }

    // ===== the server =====

    fn send(&mut self, which: usize, revisions: usize, fragments: usize) {
        let header = self.header();
        let (now, compacted) = (self.revision(), self.compacted);
        let Some(index) = which.checked_rem(self.registered.len()) else { return };
        let Registered { id, next } = self.registered[index];
        if next < compacted {
            self.registered.remove(index);
            let message =
                WatchMessage { id, canceled: true, compact_revision: compacted, ..WatchMessage::default() };
            return self.queue.push_back(message);
        }
        let last = next.saturating_add(i64::try_from(revisions).unwrap_or(i64::MAX - 1) - 1).min(now);
        if last < next {
            return;
        }
        let events: Vec<Event> = (next..=last).flat_map(|revision| self.events(revision)).collect();
        self.registered[index].next = last + 1;
        let size = events.len().div_ceil(fragments.max(1)).max(1);
        let pieces = events.chunks(size).len();
        for (piece, events) in events.chunks(size).enumerate() {
            let fragment = piece + 1 < pieces;
            let events = events.to_vec();
            let message = WatchMessage { header, id, fragment, events, ..WatchMessage::default() };
            if pieces == 1 {
                self.sent.push(message.clone());
            }
            self.queue.push_back(message);
        }
    }

    /// Sent only when all watches are up to date. It may overtake create responses, but not events.
    fn progress(&mut self) {
        let synced = self.registered.iter().all(|watch| watch.next == self.revision() + 1);
        if self.kind != Kind::Modern || !synced || self.registered.is_empty() {
            return;
        }
        let message = WatchMessage { header: self.header(), id: -1, ..WatchMessage::default() };
        let behind = self.queue.iter().rev().take_while(|message| message.created).count();
        self.queue.insert(self.queue.len() - behind, message);
    }

    fn early_progress(&mut self) {
        if self.kind == Kind::Old {
            let message = WatchMessage { header: self.header(), id: -1, ..WatchMessage::default() };
            self.queue.push_front(message);
        }
    }

    fn own_progress(&mut self, which: usize) {
        let header = self.header();
        let Some(index) = which.checked_rem(self.registered.len()) else { return };
        if self.registered[index].next == self.revision() + 1 {
            let id = self.registered[index].id;
            self.queue.push_back(WatchMessage { header, id, ..WatchMessage::default() });
        }
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Create { start, number, .. } => {
                let id = if self.kind == Kind::Proxy { self.next_id } else { number };
                self.next_id += 1;
                // A newer server registers the watch before it reads the revision, so writes in between are
                // sent too.
                let early =
                    if start == 0 && self.kind == Kind::Modern && self.revision() > 1 { 1 } else { 0 };
                let next = if start == 0 { self.revision() + 1 - early } else { start };
                self.registered.push(Registered { id, next });
                let message =
                    WatchMessage { header: self.header(), id, created: true, ..WatchMessage::default() };
                match self.kind {
                    Kind::Modern | Kind::Old => self.queue.push_back(message),
                    Kind::Proxy => self.proxy_created(message, start),
                }
            }
            Request::Cancel(id) => {
                self.registered.retain(|watch| watch.id != id);
                self.queue.push_back(WatchMessage { id, canceled: true, ..WatchMessage::default() });
            }
            Request::Progress => {}
            Request::Echo => self.queue.push_back(WatchMessage {
                id: -1,
                created: true,
                canceled: true,
                ..WatchMessage::default()
            }),
        }
    }

    /// Every second response overtakes the queued messages. That to a watch of history is invented.
    fn proxy_created(&mut self, mut message: WatchMessage, start: i64) {
        if start != 0 {
            message.header = ResponseHeader { revision: Revision::new(start), ..ResponseHeader::default() };
        }
        if message.id % 2 == 0 { self.queue.push_back(message) } else { self.queue.push_front(message) }
    }

    // ===== the client =====

    fn read(&mut self) {
        if let Some(message) = self.queue.pop_front() {
            self.machine.receive(message, Duration::ZERO);
        }
    }

    fn act(&mut self) -> Result<(), String> {
        while let Some(action) = self.machine.next_action() {
            match action {
                Action::Send(request) => self.serve(request),
                Action::Created { ticket, header, behind, .. } => {
                    if behind {
                        return Err(format!("{ticket:?} is said to be behind"));
                    }
                    let watch = self.watch(ticket)?;
                    watch.live = true;
                    if watch.from.is_none() {
                        watch.from = Some(header.revision.get() + 1);
                        watch.given = header.revision.get();
                    }
                }
                Action::Deliver { ticket, events, .. } => self.given(ticket, events)?,
                Action::Progress { ticket, header } => {
                    let watch = self.watch(ticket)?;
                    if header.revision.get() > watch.given {
                        return Err(format!("{ticket:?}: progress to {} before its events", header.revision));
                    }
                }
                Action::Ended { ticket, end, .. } => self.ended(ticket, &end)?,
                Action::Broken(why) => return Err(why.into()),
            }
        }
        Ok(())
    }

    fn watch(&mut self, ticket: Ticket) -> Result<&mut Expected, String> {
        let watch = self.watches.get_mut(&ticket).ok_or("nobody's")?;
        if watch.removed || watch.ended || watch.paused {
            return Err(format!("{ticket:?} is spoken to after its end: {watch:?}"));
        }
        Ok(watch)
    }

    fn given(&mut self, ticket: Ticket, events: Vec<Event>) -> Result<(), String> {
        let given = self.watch(ticket)?.given;
        let last = events.last().map_or(given, |event| event.revision().get());
        let expected: Vec<Event> = (given + 1..=last).flat_map(|revision| self.events(revision)).collect();
        if events != expected {
            let revisions: Vec<i64> = events.iter().map(|event| event.revision().get()).collect();
            return Err(format!("{ticket:?} was given {revisions:?} after {given}"));
        }
        self.watch(ticket)?.given = last;
        Ok(())
    }

    fn ended(&mut self, ticket: Ticket, end: &End) -> Result<(), String> {
        let compacted = self.compacted;
        let watch = self.watch(ticket)?;
        watch.ended = true;
        match end {
            End::Compacted { revision } if *revision <= compacted && watch.given + 1 < *revision => Ok(()),
            other => Err(format!("{ticket:?} ended: {other:?}, {watch:?}")),
        }
    }
}
