//! The assignment of watches to streams.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use etcd_errors::Error;
use tokio::sync::oneshot;

use crate::{
    request::CallOptions,
    transport::{
        call::channel::{Channel, WeakChannel},
        pool::Pool,
    },
    types::{Endpoint, Value},
    watch::{
        Watch,
        remote::{
            commands::{Command, Inbox},
            shared::Shared,
            stream_task::StreamTask,
            subscription::Subscription,
        },
        state::Ticket,
    },
};

/// The maximum number of watches on one stream. A member sends the events of a stream sequentially, and the cost of a
/// broken stream grows with its watches. A connection can carry many streams.
pub(crate) const MOST_WATCHES: usize = 5_000;

/// The properties that all watches of one stream share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LaneKey {
    pub(crate) metadata: Vec<(String, Value)>,
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) start: Start,
}

/// The start of a watch. A member does not report progress on a stream while one of its watches is behind or starts
/// in the future, so these get their own streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Now,
    Past,
    Future,
}

impl LaneKey {
    pub(crate) fn of(spec: &Watch, options: &CallOptions) -> Self {
        let start = if spec.start_revision == 0 { Start::Now } else { Start::Past };
        let metadata = options.metadata.to_vec();
        Self { metadata, endpoint: options.endpoint.as_ref().cloned(), start }
    }

    /// Returns the options that each stream of these watches is opened with.
    pub(crate) fn options(&self) -> CallOptions {
        let options = CallOptions::default().require_leader();
        let options = self.endpoint.iter().cloned().fold(options, CallOptions::endpoint);
        self.metadata.iter().cloned().fold(options, |options, (name, value)| options.metadata(name, value))
    }
}

/// The stream tasks of one client. They do not keep the client open.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) channel: WeakChannel,
    pub(crate) pool: Arc<Pool>,
    lanes: Mutex<Vec<(LaneKey, Arc<Inbox>)>>,
    tickets: AtomicU64,
}

impl Hub {
    pub(crate) fn new(channel: &Channel) -> Arc<Self> {
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

    /// Starts a watch. The receiver is notified when the watch was created, or why it failed.
    pub(crate) fn start(
        self: &Arc<Self>,
        channel: &Channel,
        spec: Watch,
        options: &CallOptions,
    ) -> (Arc<Shared>, oneshot::Receiver<Result<(), Error>>) {
        let key = LaneKey::of(&spec, options);
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let (creation, created) = oneshot::channel();
        let inbox = Arc::new(Inbox::default());
        let shared = Arc::new(Shared::new(ticket, spec, inbox));
        self.place(
            channel,
            &key,
            Box::new(Subscription::new(Arc::clone(&shared), creation, &channel.history())),
        );
        (shared, created)
    }

    /// Passes a watch to a stream task of its kind, and starts a new task if none has room.
    pub(crate) fn place(self: &Arc<Self>, channel: &Channel, key: &LaneKey, entry: Box<Subscription>) {
        let mut entry = entry;
        loop {
            let inbox = self.lane(channel, key);
            // Redirected before the push, so that no later command goes to the previous task. A command that
            // overtakes its watch finds nothing and is dropped; `add` checks whether the reader still exists.
            entry.shared.move_to(&inbox);
            match inbox.push(Command::Add(entry)) {
                None => return,
                // The task closed its inbox after it was chosen. The watch comes back and goes to another
                // task.
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
            // Reserved under the lock, so that two concurrent watches cannot both take the last place.
            inbox.watches.fetch_add(1, Ordering::Relaxed);
            return Arc::clone(inbox);
        }
        let inbox = Arc::new(Inbox::default());
        inbox.watches.fetch_add(1, Ordering::Relaxed);
        lanes.push((key.clone(), Arc::clone(&inbox)));
        let lane = StreamTask::new(Arc::clone(self), channel, key.clone(), Arc::clone(&inbox));
        // Spawned without the lock: if the runtime has shut down, the task is dropped at once, and its `Drop`
        // takes the lock.
        drop(lanes);
        drop(self.pool.spawn(lane.run()));
        inbox
    }

    /// Returns the number of watches of each stream task.
    #[cfg(test)]
    pub(crate) fn watches_of_lanes(&self) -> Vec<usize> {
        self.lanes().iter().map(|(_, inbox)| inbox.watches.load(Ordering::Relaxed)).collect()
    }

    /// Removes a stream task that has ended.
    pub(crate) fn forget(&self, ended: &Arc<Inbox>) {
        self.lanes().retain(|(_, inbox)| !Arc::ptr_eq(inbox, ended));
    }
}
