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
            commands::{Command, CommandQueue},
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
pub(crate) struct StreamKey {
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

impl StreamKey {
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
    tasks: Mutex<Vec<(StreamKey, Arc<CommandQueue>)>>,
    tickets: AtomicU64,
}

impl Hub {
    pub(crate) fn new(channel: &Channel) -> Arc<Self> {
        Arc::new(Self {
            channel: channel.weak(),
            pool: Arc::clone(channel.pool()),
            tasks: Mutex::default(),
            tickets: AtomicU64::new(0),
        })
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<(StreamKey, Arc<CommandQueue>)>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a watch. The receiver is notified when the watch was created, or why it failed.
    pub(crate) fn start(
        self: &Arc<Self>,
        channel: &Channel,
        spec: Watch,
        options: &CallOptions,
    ) -> (Arc<Shared>, oneshot::Receiver<Result<(), Error>>) {
        let key = StreamKey::of(&spec, options);
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let (creation, created) = oneshot::channel();
        let commands = Arc::new(CommandQueue::default());
        let shared = Arc::new(Shared::new(ticket, spec, commands));
        self.assign(
            channel,
            &key,
            Box::new(Subscription::new(Arc::clone(&shared), creation, &channel.history())),
        );
        (shared, created)
    }

    /// Passes a watch to a stream task of its kind, and starts a new task if none has capacity.
    pub(crate) fn assign(self: &Arc<Self>, channel: &Channel, key: &StreamKey, entry: Box<Subscription>) {
        let mut entry = entry;
        loop {
            let commands = self.task(channel, key);
            // Redirected before the push, so that no later command goes to the previous task. A command that
            // overtakes its watch finds nothing and is dropped; `add` checks whether the reader still exists.
            entry.shared.move_to(&commands);
            match commands.push(Command::Add(entry)) {
                None => return,
                // The task closed its queue after it was chosen. The watch comes back and goes to another
                // task.
                Some(Command::Add(back)) => {
                    commands.watches.fetch_sub(1, Ordering::Relaxed);
                    self.forget(&commands);
                    entry = back;
                    if let Err(error) = self.pool.check_alive() {
                        return entry.end(error);
                    }
                }
                Some(_) => return,
            }
        }
    }

    fn task(self: &Arc<Self>, channel: &Channel, key: &StreamKey) -> Arc<CommandQueue> {
        let mut tasks = self.tasks();
        let fits = |(other, commands): &&(StreamKey, Arc<CommandQueue>)| {
            other == key && !commands.is_retired() && commands.watches.load(Ordering::Relaxed) < MOST_WATCHES
        };
        if let Some((_, commands)) = tasks.iter().find(fits) {
            // Reserved under the lock, so that two concurrent watches cannot both take the last place.
            commands.watches.fetch_add(1, Ordering::Relaxed);
            return Arc::clone(commands);
        }
        let commands = Arc::new(CommandQueue::default());
        commands.watches.fetch_add(1, Ordering::Relaxed);
        tasks.push((key.clone(), Arc::clone(&commands)));
        let task = StreamTask::new(Arc::clone(self), channel, key.clone(), Arc::clone(&commands));
        // Spawned without the lock: if the runtime has shut down, the task is dropped at once, and its `Drop`
        // takes the lock.
        drop(tasks);
        drop(self.pool.spawn(task.run()));
        commands
    }

    /// Returns the number of watches of each stream task.
    #[cfg(test)]
    pub(crate) fn watches_of_tasks(&self) -> Vec<usize> {
        self.tasks().iter().map(|(_, commands)| commands.watches.load(Ordering::Relaxed)).collect()
    }

    /// Removes a stream task that has ended.
    pub(crate) fn forget(&self, ended: &Arc<CommandQueue>) {
        self.tasks().retain(|(_, commands)| !Arc::ptr_eq(commands, ended));
    }
}
