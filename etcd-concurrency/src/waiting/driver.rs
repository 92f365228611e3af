//! Executes the steps of a [`Waiter`]: reads its position, creates watches, and backs off during outages.

use std::{collections::VecDeque, time::Duration};

use etcd_client_core::{
    Event, Key, Revision, Watch,
    watch::{WatchResponse, WatchStream},
};
use tokio::time::Instant;

use super::{
    machine::{Input, QueuePosition, Scope, Step, Target, Waiter},
    wait_set::WaitSet,
};
use crate::{
    Error,
    backoff::{Backoff, is_transient},
    queue_entry::{Entered, QueueEntry},
};

/// A watch that lasted this long was healthy: its end does not continue an earlier outage, so the backoff starts over.
const STABLE_WATCH: Duration = Duration::from_secs(10);

/// Waits until it is the turn of `entry`.
pub(crate) async fn wait(entry: &QueueEntry, wait_set: &WaitSet, entered: Entered) -> Result<(), Error> {
    let session = entry.session().clone();
    let wait = async {
        let (waiter, steps) = match entered {
            Entered::New(position) => Waiter::new(entry.contender(), wait_set.scope, position),
            Entered::Found(_) => Waiter::unconfirmed(entry.contender(), wait_set.scope),
        };
        let driver = WaitDriver {
            entry,
            wait_set,
            waiter,
            own: None,
            ahead: None,
            ahead_key: Key::new(),
            watching_since: Instant::now(),
            backoff: Backoff::OUTAGE,
        };
        driver.run(steps.into()).await
    };
    tokio::select! {
        // Biased: an ended session is reported before a turn that arrives at the same time.
        biased;
        end = session.lost() => Err(Error::SessionExpired(end)),
        () = entry.lease_lost() => Err(Error::LockLost),
        turn = wait => {
            // The task may have been paused past the lease's deadline: such a turn is void.
            entry.check()?;
            turn
        }
    }
}

struct WaitDriver<'a> {
    entry: &'a QueueEntry,
    wait_set: &'a WaitSet,
    waiter: Waiter,
    /// The watch of the own key, or of the whole queue.
    own: Option<WatchStream>,
    ahead: Option<WatchStream>,
    ahead_key: Key,
    /// The time at which the last watch was created.
    watching_since: Instant,
    backoff: Backoff,
}

impl WaitDriver<'_> {
    async fn run(mut self, mut steps: VecDeque<Step>) -> Result<(), Error> {
        loop {
            let inputs = match steps.pop_front() {
                Some(Step::Acquired) => return Ok(()),
                Some(Step::Gone) => return Err(Error::LockLost),
                Some(Step::Confirm) => vec![Input::Position(self.confirm().await?)],
                Some(Step::Watch { target, from }) => self.watch(target, from).await?,
                Some(Step::Unwatch(target)) => {
                    *self.watch_of(&target) = None;
                    Vec::new()
                }
                None => self.next().await?,
            };
            for input in inputs {
                steps.extend(self.waiter.on(input));
            }
        }
    }

    fn watch_of(&mut self, target: &Target) -> &mut Option<WatchStream> {
        match target {
            Target::Own | Target::Queue => &mut self.own,
            Target::Ahead(_) => &mut self.ahead,
        }
    }

    /// Reads the position, and retries while no member responds.
    async fn confirm(&mut self) -> Result<QueuePosition, Error> {
        loop {
            match self.wait_set.position(self.entry).await {
                Ok(position) => return Ok(position),
                Err(error) if is_transient(&error) => self.backoff.wait().await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn watch(&mut self, target: Target, from: Revision) -> Result<Vec<Input>, Error> {
        let watch = match &target {
            Target::Own => Watch::new(self.entry.key()),
            Target::Ahead(key) => {
                self.ahead_key = key.clone();
                Watch::new(key)
            }
            Target::Queue => Watch::from_range(self.wait_set.range.clone()),
        };
        let watch = watch.start_revision(from).no_put();
        match watch.bind(self.entry.session().store().watch_service()).await {
            Ok(handle) => {
                self.watching_since = Instant::now();
                *self.watch_of(&target) = Some(handle);
                Ok(Vec::new())
            }
            Err(error) => self.watch_lost(target, Some(error)).await,
        }
    }

    /// Waits for the next message of a watch.
    async fn next(&mut self) -> Result<Vec<Input>, Error> {
        let (target, response) = tokio::select! {
            // Biased: the end of the own key is handled before a departure ahead.
            biased;
            response = next_of(&mut self.own) => (self.own_target(), response),
            response = next_of(&mut self.ahead) => (Target::Ahead(self.ahead_key.clone()), response),
        };
        match response {
            Some(Ok(response)) => {
                self.backoff.reset();
                Ok(response.events.into_iter().map(input).collect())
            }
            Some(Err(error)) => self.watch_lost(target, Some(error)).await,
            None => self.watch_lost(target, None).await,
        }
    }

    /// Handles the end of a watch: after a transient failure the waiter confirms its position and creates a new watch.
    async fn watch_lost(
        &mut self,
        target: Target,
        error: Option<etcd_client_core::Error>,
    ) -> Result<Vec<Input>, Error> {
        match error {
            // The current state can still be read, so no backoff is needed, and none would help.
            Some(error) if error.is_compacted() => {}
            Some(error) if !is_transient(&error) => return Err(error.into()),
            _ => {
                if self.watching_since.elapsed() > STABLE_WATCH {
                    self.backoff.reset();
                }
                self.backoff.wait().await;
            }
        }
        *self.watch_of(&target) = None;
        Ok(vec![Input::WatchLost(target)])
    }

    fn own_target(&self) -> Target {
        match self.wait_set.scope {
            Scope::Predecessor => Target::Own,
            Scope::Queue { .. } => Target::Queue,
        }
    }
}

fn input(event: Event) -> Input {
    match event.is_delete() {
        true => Input::Deleted { revision: event.revision(), key: event.kv.key.into() },
        false => Input::Put,
    }
}

async fn next_of(handle: &mut Option<WatchStream>) -> Option<Result<WatchResponse, etcd_client_core::Error>> {
    match handle {
        Some(handle) => handle.next().await,
        None => std::future::pending().await,
    }
}
