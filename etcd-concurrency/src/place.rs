//! A key that a session holds or waits by, and that is deleted when nobody answers for it any more.

use etcd_client_core::{
    CallOptions, Code, Compare, Delete, Get, Key, KeyValue, Outcome, Put, Resend, Revision, Txn, TxnResponse,
    Value,
};
use tokio::time::Instant;

use crate::{
    Error, Session, SessionEnd,
    pause::{Pauses, passes},
    session::{
        cleanup::{Cleanup, Ticket},
        slots::Slot,
    },
    waiting::machine::{Contender, Standing},
};

/// How often giving back is tried while nobody knows whether it was done.
const TRIES: u32 = 4;

/// A key in a queue.
#[derive(Debug)]
pub(crate) struct Place {
    session: Session,
    key: Key,
    state: State,
    /// `None` when there is nothing to delete any more.
    ticket: Option<Ticket>,
    slot: Option<Slot>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was sent.
    Outside,
    /// It may be there, or come to be there.
    Entering,
    /// It was created by this revision.
    Inside(Revision),
}

/// How an entry went.
#[derive(Debug)]
pub(crate) enum Entered {
    /// The key is new, and this is how it stands.
    New(Standing),
    /// The session's lease had the key already.
    Found(KeyValue),
}

impl Place {
    pub(crate) fn new(session: &Session, key: Key, slot: Option<Slot>) -> Result<Self, Error> {
        let ticket = Some(session.ticket()?);
        Ok(Self { session: session.clone(), key, state: State::Outside, ticket, slot })
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// The revision that created the key; zero before it is known.
    pub(crate) fn fence(&self) -> Revision {
        if let State::Inside(fence) = self.state { fence } else { Revision::ZERO }
    }

    pub(crate) fn contender(&self) -> Contender {
        Contender { key: self.key.clone(), create_revision: self.fence() }
    }

    /// Takes a key that is there already.
    pub(crate) fn found(&mut self, fence: Revision) {
        self.state = State::Inside(fence);
    }

    /// Creates the key if it is not there, and reads who is ahead in the same transaction: the read comes before the put, when
    /// everybody in the queue is ahead.
    ///
    /// Applying it twice does no harm: the second time finds the key of the first.
    pub(crate) async fn enter(&mut self, value: Value, ahead: Get) -> Result<Entered, Error> {
        let put = Put::new(&self.key, value).lease(self.session.lease());
        let txn = Txn::new()
            .when(Compare::create_revision(&self.key).equal(0))
            .then((ahead, put))
            .or_else(Get::new(&self.key));
        let response = self.send(txn).await?;
        let read = response.get(0).cloned().unwrap_or_default();
        if response.succeeded() {
            let fence = response.header.revision;
            self.state = State::Inside(fence);
            return Ok(Entered::New(Standing {
                revision: fence,
                own: Some(fence),
                ahead: read.kvs.into_iter().map(contender).collect(),
            }));
        }
        // Between two applications of the same entry somebody deleted the key.
        let own = read.into_first().ok_or(Error::Lost)?;
        self.state = State::Inside(own.create_revision);
        Ok(Entered::Found(own))
    }

    /// Sends a transaction that may create the key, and that may be applied twice.
    pub(crate) async fn send(&mut self, txn: Txn) -> Result<TxnResponse, Error> {
        self.session.check()?;
        self.state = State::Entering;
        let options = CallOptions::default().resend(Resend::AsIfIdempotent);
        let answer = self.session.store().kv().txn(txn, options).await;
        answer.map_err(|error| {
            if error.outcome() == Outcome::NotApplied {
                self.state = State::Outside;
            }
            self.explain(error)
        })
    }

    /// A lease that is not found is the end of the session, whoever hears of it first.
    pub(crate) fn explain(&self, error: etcd_client_core::Error) -> Error {
        if error.code() == Some(Code::LeaseNotFound) {
            return Error::Expired(self.session.ended().unwrap_or(SessionEnd::Lost));
        }
        error.into()
    }

    /// Replaces the value, if the key is still the one that was created.
    pub(crate) async fn put(&self, value: Value) -> Result<(), Error> {
        self.session.check()?;
        let put = Put::new(&self.key, value).ignore_lease();
        let txn = Txn::new().when(self.owned()).then(put);
        let response = txn.bind(self.session.store().kv()).await.map_err(|error| self.explain(error))?;
        if response.succeeded() { Ok(()) } else { Err(Error::NotOwner) }
    }

    /// Deletes the key if it is still the one that was created.
    pub(crate) async fn leave(mut self) -> Result<(), Error> {
        if let Err(over) = self.session.check() {
            self.forget();
            return Err(over);
        }
        let (mut pauses, mut in_doubt) = (Pauses::OUTAGE, false);
        for attempt in 1.. {
            let txn = Txn::new().when(self.owned()).then(Delete::new(&self.key));
            match txn.bind(self.session.store().kv()).await {
                Ok(response) => {
                    self.forget();
                    // Not there after an attempt in doubt means that the attempt did it.
                    return if response.succeeded() || in_doubt { Ok(()) } else { Err(Error::NotOwner) };
                }
                Err(error) if attempt < TRIES && error.outcome_unknown() && !error.is_timeout() => {
                    in_doubt = true;
                    pauses.pause().await;
                }
                // Dropping the place has the session go on trying.
                Err(error) => return Err(error.into()),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Nothing is left to delete.
    pub(crate) fn forget(&mut self) {
        self.ticket = None;
    }

    /// Holds while the key is the one that was created.
    pub(crate) fn owned(&self) -> Compare {
        Compare::create_revision(&self.key).equal(self.fence())
    }

    /// Waits until the key is gone; for ever where it cannot be watched.
    pub(crate) fn gone(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let (store, key, fence) = (self.session.store().clone(), self.key.clone(), self.fence());
        async move {
            let (mut from, mut pauses) = (fence.next(), Pauses::OUTAGE);
            loop {
                match watch_until_deleted(&store, &key, from).await {
                    Ok(()) => return,
                    Err(error) if error.is_compacted() || passes(&error) => {}
                    Err(_) => return std::future::pending().await,
                }
                pauses.pause().await;
                match Get::new(&key).keys_only().bind(store.kv()).await {
                    Ok(now) if now.first().map(|kv| kv.create_revision) != Some(fence) => return,
                    Ok(now) => {
                        from = now.header.revision.next();
                        pauses.reset();
                    }
                    Err(error) if passes(&error) => {}
                    Err(_) => return std::future::pending().await,
                }
            }
        }
    }
}

async fn watch_until_deleted(
    store: &crate::Store,
    key: &Key,
    from: Revision,
) -> Result<(), etcd_client_core::Error> {
    let watch = etcd_client_core::WatchCreate::new(key).start_revision(from).no_put();
    let mut watch = watch.bind(store.watch_service()).await?;
    while let Some(response) = watch.next().await {
        if response?.events.iter().any(|event| event.is_delete() && event.kv.key == key.as_bytes()) {
            return Ok(());
        }
    }
    Err(etcd_client_core::Error::new(etcd_client_core::ErrorKind::Unavailable, "the watch ended"))
}

pub(crate) fn contender(kv: KeyValue) -> Contender {
    Contender { create_revision: kv.create_revision, key: kv.key.into() }
}

impl Drop for Place {
    fn drop(&mut self) {
        let fence = match self.state {
            State::Outside => return,
            State::Entering => None,
            State::Inside(fence) => Some(fence),
        };
        if let Some(ticket) = self.ticket.take() {
            ticket.send(Cleanup {
                key: self.key.clone(),
                lease: self.session.lease(),
                fence,
                slot: self.slot.take(),
                since: Instant::now(),
            });
        }
    }
}
