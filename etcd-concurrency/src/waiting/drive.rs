//! What the machine decides, done: transactions that ask, watches that tell, pauses where nobody answers.

use std::collections::VecDeque;

use etcd_client_core::{Get, GetResponse, Key, KeyRange, Revision, Txn, WatchCreate, WatchHandle};

use super::machine::{Input, Scope, Standing, Step, Target, Waiter};
use crate::{
    Error,
    pause::{Pauses, passes},
    place::{Entered, Place, contender},
};

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
        let drive = Drive { place, rivals, waiter, own: None, ahead: None, pauses: Pauses::OUTAGE };
        drive.run(steps.into()).await
    };
    tokio::select! {
        biased;
        end = session.lost() => Err(Error::Expired(end)),
        turn = wait => {
            // A turn that comes after the end is nobody's.
            session.check()?;
            turn
        }
    }
}

struct Drive<'a> {
    place: &'a Place,
    rivals: &'a Rivals,
    waiter: Waiter,
    own: Option<WatchHandle>,
    ahead: Option<WatchHandle>,
    pauses: Pauses,
}

impl Drive<'_> {
    async fn run(mut self, mut steps: VecDeque<Step>) -> Result<(), Error> {
        loop {
            let input = match steps.pop_front() {
                Some(Step::Acquired) => return Ok(()),
                Some(Step::Gone) => return Err(Error::Lost),
                Some(Step::Confirm) => Some(Input::Standing(self.confirm().await?)),
                Some(Step::Watch { target, from }) => self.watch(target, from).await?,
                Some(Step::Unwatch(target)) => {
                    *self.handle(&target) = None;
                    None
                }
                None => Some(self.next().await?),
            };
            if let Some(input) = input {
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

    /// One linearizable read, repeated while no member answers.
    async fn confirm(&mut self) -> Result<Standing, Error> {
        let own = self.place.contender();
        let last_before = Revision::new(own.create_revision.get() - 1);
        loop {
            let ahead = self.rivals.ahead().max_create_revision(last_before);
            let txn = Txn::new().then((Get::new(&own.key).keys_only(), ahead));
            match txn.bind(self.place.session().store().kv()).await {
                Ok(response) => {
                    let own = response.get(0).and_then(GetResponse::first).map(|kv| kv.create_revision);
                    let ahead = response.get(1).map(|ahead| ahead.kvs.clone()).unwrap_or_default();
                    let ahead = ahead.into_iter().map(contender).collect();
                    return Ok(Standing { revision: response.header.revision, own, ahead });
                }
                Err(error) if passes(&error) => self.pauses.pause().await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn watch(&mut self, target: Target, from: Revision) -> Result<Option<Input>, Error> {
        let watch = match &target {
            Target::Own => WatchCreate::new(self.place.key()),
            Target::Ahead(key) => WatchCreate::new(key),
            Target::Queue => WatchCreate::from_range(self.rivals.range.clone()),
        };
        let watch = watch.start_revision(from).no_put();
        match watch.bind(self.place.session().store().watch_service()).await {
            Ok(handle) => {
                *self.handle(&target) = Some(handle);
                Ok(None)
            }
            Err(error) => self.lost(target, Some(error)).await.map(Some),
        }
    }

    /// What a watch tells next.
    async fn next(&mut self) -> Result<Input, Error> {
        loop {
            let (target, response) = tokio::select! {
                biased;
                response = next_of(&mut self.own) => (self.own_target(), response),
                response = next_of(&mut self.ahead) => (Target::Ahead(Key::new()), response),
            };
            match response {
                Some(Ok(response)) => {
                    self.pauses.reset();
                    for event in response.events {
                        todo!()
                    }
                }
                Some(Err(error)) => return self.lost(target, Some(error)).await,
                None => return self.lost(target, None).await,
            }
        }
    }

    async fn lost(&mut self, _target: Target, _error: Option<etcd_client_core::Error>) -> Result<Input, Error> {
        todo!()
    }

    fn own_target(&self) -> Target {
        match self.rivals.scope {
            Scope::Predecessor => Target::Own,
            Scope::Queue { .. } => Target::Queue,
        }
    }
}

async fn next_of(handle: &mut Option<WatchHandle>) -> Option<Result<etcd_client_core::WatchResponse, etcd_client_core::Error>> {
    match handle {
        Some(handle) => handle.next().await,
        None => std::future::pending().await,
    }
}
