//! What the machine decides, done: transactions that ask, watches that tell, pauses where nobody answers.

use std::{collections::VecDeque, time::Duration};

use etcd_client_core::{
    Event, Get, GetResponse, Key, KeyRange, Revision, Txn, WatchCreate, WatchHandle, WatchResponse,
};

use tokio::time::Instant;

use super::machine::{Input, Scope, Standing, Step, Target, Waiter};
use crate::{
    Error,
    pause::{Pauses, passes},
    place::{Entered, Place, contender},
};

/// A watch that lasted so long was a good one: its end is no sign of an outage that goes on.
const LASTED: Duration = Duration::from_secs(10);

/// Whom to wait for: those of these keys that were created before one's own.
#[derive(Clone, Debug)]
pub(crate) struct Rivals {
    pub(crate) range: KeyRange,
    pub(crate) scope: Scope,
}

impl Rivals {
    /// Until none of the keys that begin with `prefix` is ahead.
    pub(crate) fn all_gone(prefix: impl Into<Key>) -> Self {
        Self { range: KeyRange::prefix(prefix), scope: Scope::Predecessor }
    }

    /// Until at most so many of the keys that begin with `prefix` are ahead.
    pub(crate) fn at_most(tolerated: usize, prefix: impl Into<Key>) -> Self {
        Self { range: KeyRange::prefix(prefix), scope: Scope::Queue { tolerated } }
    }

    /// Whether it is the turn of one that stands so.
    pub(crate) fn is_turn(&self, standing: &Standing) -> bool {
        let tolerated = match self.scope {
            Scope::Predecessor => 0,
            Scope::Queue { tolerated } => tolerated,
        };
        standing.ahead.len() <= tolerated
    }

    /// How a place stands, by one linearizable read.
    pub(crate) async fn standing(&self, place: &Place) -> Result<Standing, etcd_client_core::Error> {
        let last_before = Revision::new(place.fence().get() - 1);
        let ahead = self.ahead().max_create_revision(last_before);
        let txn = Txn::new().then((Get::new(place.key()).keys_only(), ahead));
        let response = txn.bind(place.session().store().kv()).await?;
        let own = response.get(0).and_then(GetResponse::first).map(|kv| kv.create_revision);
        let ahead = response.get(1).map(|ahead| ahead.kvs.clone()).unwrap_or_default();
        let ahead = ahead.into_iter().map(contender).collect();
        Ok(Standing { revision: response.header.revision, own, ahead })
    }

    /// Who is in the queue: all, or where it is enough the last.
    pub(crate) fn ahead(&self) -> Get {
        let all = Get::from_range(self.range.clone()).keys_only();
        match self.scope {
            Scope::Predecessor => all.last_create(),
            Scope::Queue { .. } => all,
        }
    }
}

/// Waits until it is the turn of `place`.
pub(crate) async fn wait(place: &Place, rivals: &Rivals, entered: Entered) -> Result<(), Error> {
    let session = place.session().clone();
    let wait = async {
        let (waiter, steps) = match entered {
            Entered::New(standing) => Waiter::new(place.contender(), rivals.scope, standing),
            Entered::Found(_) => Waiter::unsure(place.contender(), rivals.scope),
        };
        let drive = Drive {
            place,
            rivals,
            waiter,
            own: None,
            ahead: None,
            ahead_key: Key::new(),
            watching_since: Instant::now(),
            pauses: Pauses::OUTAGE,
        };
        drive.run(steps.into()).await
    };
    tokio::select! {
        biased;
        end = session.lost() => Err(Error::Expired(end)),
        () = place.lease_lost() => Err(Error::Lost),
        turn = wait => {
            // A turn that comes after the end is nobody's.
            place.check()?;
            turn
        }
    }
}

struct Drive<'a> {
    place: &'a Place,
    rivals: &'a Rivals,
    waiter: Waiter,
    /// The watch of the own key, or of the whole queue.
    own: Option<WatchHandle>,
    ahead: Option<WatchHandle>,
    ahead_key: Key,
    /// When the last watch was created.
    watching_since: Instant,
    pauses: Pauses,
}

impl Drive<'_> {
    async fn run(mut self, mut steps: VecDeque<Step>) -> Result<(), Error> {
        loop {
            let inputs = match steps.pop_front() {
                Some(Step::Acquired) => return Ok(()),
                Some(Step::Gone) => return Err(Error::Lost),
                Some(Step::Confirm) => vec![Input::Standing(self.confirm().await?)],
                Some(Step::Watch { target, from }) => self.watch(target, from).await?,
                Some(Step::Unwatch(target)) => {
                    *self.handle(&target) = None;
                    Vec::new()
                }
                None => self.next().await?,
            };
            for input in inputs {
                steps.extend(self.waiter.on(input));
            }
        }
    }

    fn handle(&mut self, target: &Target) -> &mut Option<WatchHandle> {
        match target {
            Target::Own | Target::Queue => &mut self.own,
            Target::Ahead(_) => &mut self.ahead,
        }
    }

    /// How it stands, asked again while no member answers.
    async fn confirm(&mut self) -> Result<Standing, Error> {
        loop {
            match self.rivals.standing(self.place).await {
                Ok(standing) => return Ok(standing),
                Err(error) if passes(&error) => self.pauses.pause().await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn watch(&mut self, target: Target, from: Revision) -> Result<Vec<Input>, Error> {
        let watch = match &target {
            Target::Own => WatchCreate::new(self.place.key()),
            Target::Ahead(key) => {
                self.ahead_key = key.clone();
                WatchCreate::new(key)
            }
            Target::Queue => WatchCreate::from_range(self.rivals.range.clone()),
        };
        let watch = watch.start_revision(from).no_put();
        match watch.bind(self.place.session().store().watch_service()).await {
            Ok(handle) => {
                self.watching_since = Instant::now();
                *self.handle(&target) = Some(handle);
                Ok(Vec::new())
            }
            Err(error) => self.lost(target, Some(error)).await,
        }
    }

    /// What the watches tell next.
    async fn next(&mut self) -> Result<Vec<Input>, Error> {
        let (target, response) = tokio::select! {
            biased;
            response = next_of(&mut self.own) => (self.own_target(), response),
            response = next_of(&mut self.ahead) => (Target::Ahead(self.ahead_key.clone()), response),
        };
        match response {
            Some(Ok(response)) => {
                self.pauses.reset();
                Ok(response.events.into_iter().map(input).collect())
            }
            Some(Err(error)) => self.lost(target, Some(error)).await,
            None => self.lost(target, None).await,
        }
    }

    /// A watch that ended is no reason to give up where the next may last: the machine asks how things stand.
    async fn lost(
        &mut self,
        target: Target,
        error: Option<etcd_client_core::Error>,
    ) -> Result<Vec<Input>, Error> {
        match error {
            // What was compacted can be read: no pause is needed, and none would help.
            Some(error) if error.is_compacted() => {}
            Some(error) if !passes(&error) => return Err(error.into()),
            _ => {
                if self.watching_since.elapsed() > LASTED {
                    self.pauses.reset();
                }
                self.pauses.pause().await;
            }
        }
        *self.handle(&target) = None;
        Ok(vec![Input::WatchLost(target)])
    }

    fn own_target(&self) -> Target {
        match self.rivals.scope {
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

async fn next_of(handle: &mut Option<WatchHandle>) -> Option<Result<WatchResponse, etcd_client_core::Error>> {
    match handle {
        Some(handle) => handle.next().await,
        None => std::future::pending().await,
    }
}
