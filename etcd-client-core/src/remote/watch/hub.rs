//! Which stream a watch goes to.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use etcd_errors::Error;
use tokio::sync::oneshot;

use super::{
    entry::Entry,
    inbox::{Command, Inbox},
    lane::Lane,
    shared::Shared,
};
use crate::{
    mechanism::watch::Ticket,
    model::{Endpoint, Value},
    op::WatchCreateSpec,
    service::CallOptions,
    transport::{channel::Channel, pool::Pool, reopening::WeakChannel},
};

/// The watches of one stream at most. A member sends the events of a stream one after the other, and what a broken one costs
/// grows with it; a connection carries any number of streams.
pub(super) const MOST_WATCHES: usize = 5_000;

/// What watches of one stream have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LaneKey {
    pub(super) metadata: Vec<(String, Value)>,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) start: Start,
}

/// Where watches begin. A member tells no progress on a stream while one of its watches is behind, or begins in the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Now,
    Past,
    Future,
}

impl LaneKey {
    pub(super) fn of(spec: &WatchCreateSpec, options: &CallOptions) -> Self {
        let start = if spec.start_revision == 0 { Start::Now } else { Start::Past };
        let metadata = options.metadata_entries().to_vec();
        Self { metadata, endpoint: options.chosen_endpoint().cloned(), start }
    }

    /// What each stream of these watches carries.
    pub(super) fn options(&self) -> CallOptions {
        let options = CallOptions::default().require_leader();
        let options = self.endpoint.iter().cloned().fold(options, CallOptions::endpoint);
        self.metadata.iter().cloned().fold(options, |options, (name, value)| options.metadata(name, value))
    }
}

/// The lanes of one client. It does not keep the client open.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) channel: WeakChannel,
    pub(super) pool: Arc<Pool>,
    lanes: Mutex<Vec<(LaneKey, Arc<Inbox>)>>,
    tickets: AtomicU64,
}

impl Hub {
    pub(super) fn new(channel: &Channel) -> Arc<Self> {
        Arc::new(Self {
            channel: channel.weak(),
            pool: Arc::clone(channel.pool()),
            lanes: Mutex::default(),
            tickets: AtomicU64::new(0),
        })
    }

    fn lanes(&self) -> MutexGuard<'_, Vec<(LaneKey, Arc<Inbox>)>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a watch. The receiver is told when it was created, or why it was not.
    pub(super) fn start(
        self: &Arc<Self>,
        channel: &Channel,
        spec: WatchCreateSpec,
        options: &CallOptions,
    ) -> (Arc<Shared>, oneshot::Receiver<Result<(), Error>>) {
        let key = LaneKey::of(&spec, options);
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let (creation, created) = oneshot::channel();
        let inbox = Arc::new(Inbox::default());
        let shared = Arc::new(Shared::new(ticket, spec, inbox));
        self.place(channel, &key, Box::new(Entry::new(Arc::clone(&shared), creation, &channel.history())));
        (shared, created)
    }

    /// Gives a watch to a lane of its kind, a new one where none has room.
    pub(super) fn place(self: &Arc<Self>, channel: &Channel, key: &LaneKey, entry: Box<Entry>) {
        let mut entry = entry;
        loop {
            let inbox = self.lane(channel, key);
            entry.shared.move_to(&inbox);
            match inbox.push(Command::Add(entry)) {
                None => return,
                Some(Command::Add(back)) => {
                    inbox.watches.fetch_sub(1, Ordering::Relaxed);
                    self.forget(&inbox);
                    entry = back;
                    if let Err(error) = self.pool.check_alive() {
                        return entry.end(error);
                    }
                }
                Some(_) => return,
            }
        }
    }

    fn lane(self: &Arc<Self>, channel: &Channel, key: &LaneKey) -> Arc<Inbox> {
        let mut lanes = self.lanes();
        let fits = |(other, inbox): &&(LaneKey, Arc<Inbox>)| {
            other == key && !inbox.is_retired() && inbox.watches.load(Ordering::Relaxed) < MOST_WATCHES
        };
        if let Some((_, inbox)) = lanes.iter().find(fits) {
            inbox.watches.fetch_add(1, Ordering::Relaxed);
            return Arc::clone(inbox);
        }
        let inbox = Arc::new(Inbox::default());
        inbox.watches.fetch_add(1, Ordering::Relaxed);
        lanes.push((key.clone(), Arc::clone(&inbox)));
        let lane = Lane::new(Arc::clone(self), channel, key.clone(), Arc::clone(&inbox));
        drop(lanes);
        drop(self.pool.spawn(lane.run()));
        inbox
    }

    /// How many watches each lane has.
    #[cfg(test)]
    pub(super) fn watches_of_lanes(&self) -> Vec<usize> {
        self.lanes().iter().map(|(_, inbox)| inbox.watches.load(Ordering::Relaxed)).collect()
    }

    /// A lane has ended.
    pub(super) fn forget(&self, ended: &Arc<Inbox>) {
        self.lanes().retain(|(_, inbox)| !Arc::ptr_eq(inbox, ended));
    }
}
