//! An entry in a queue: the key that a session holds or waits with. It is created with a token, and deleted by its create
//! revision.

pub(crate) mod acquire;
mod leased;

use std::{
    mem,
    sync::atomic::{AtomicI64, Ordering},
};

use etcd_client_core::{
    CallOptions, Code, Compare, Delete, ErrorKind, Get, Key, KeyValue, LeaseId, Outcome, Put, Revision, Txn,
    Value, Watch,
    kv::GetResponse,
    request::RetryPolicy,
    txn::{Op, OpResponse, TxnResponse},
};

use crate::{
    Error, Session, Store,
    backoff::{Backoff, is_transient},
    session::{
        SessionEnd,
        cleanup::{Cleanup, CleanupPermit, Leftover},
        slots::Slot,
    },
    token::{
        Token, TokenStatus,
        entry_outcome::{EntryOutcome, entry_outcome},
        rules::Rule,
    },
    waiting::machine::{Contender, QueuePosition},
};

/// The maximum number of attempts to leave while the outcome is unknown. After that, the session continues in the background.
const MAX_ATTEMPTS: u32 = 4;

/// A key in a queue.
#[derive(Debug)]
pub(crate) struct QueueEntry {
    session: Session,
    key: Key,
    state: State,
    /// The last known mod revision of the key.
    modified: AtomicI64,
    /// The entry's own lease, in a session that keeps no tokens. The key is attached to it.
    lease: Option<LeaseId>,
    /// `None` if nothing is left to delete.
    permit: Option<CleanupPermit>,
    slot: Option<Slot>,
}

#[derive(Debug)]
enum State {
    /// The key was not created, and no copy of a request can create it.
    NotCreated,
    /// The key may exist, or may be created later, while this token is unspent.
    Creating(Token),
    /// The key was created by this revision.
    Created(Revision),
}

/// The result of entering a queue.
#[derive(Debug)]
pub(crate) enum Entered {
    /// The key is new, and has this position.
    New(QueuePosition),
    /// The session's lease already has the key, from before or from an earlier copy of the request.
    Found(KeyValue),
}

/// The result of a transaction that may create the key.
#[derive(Debug)]
pub(crate) enum CreateOutcome {
    /// It created the key, and returned these reads from before the creation.
    Created(Vec<GetResponse>),
    /// The session's lease already has the key, from before or from an earlier copy of the request. Other reads follow.
    Found(KeyValue, Vec<GetResponse>),
    /// No copy created the key, and none will. The key that exists instead, if any.
    Rejected(Option<KeyValue>),
}

impl QueueEntry {
    pub(crate) fn new(session: &Session, key: Key, slot: Option<Slot>) -> Result<Self, Error> {
        let permit = Some(session.cleanup_permit()?);
        let modified = AtomicI64::new(0);
        Ok(Self {
            session: session.clone(),
            key,
            state: State::NotCreated,
            modified,
            lease: None,
            permit,
            slot,
        })
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the revision that created the key, or zero before it is known.
    pub(crate) fn fence(&self) -> Revision {
        if let State::Created(fence) = self.state { fence } else { Revision::ZERO }
    }

    pub(crate) fn contender(&self) -> Contender {
        Contender { key: self.key.clone(), create_revision: self.fence() }
    }

    /// Adopts a key that already exists.
    pub(crate) fn adopt(&mut self, created: Revision, modified: Revision) {
        self.state = State::Created(created);
        self.modified = AtomicI64::new(modified.get());
    }

    /// Creates the key if it does not exist, and reads the keys ahead in the same transaction. The read comes before the put, so
    /// that every key in the queue is ahead.
    pub(crate) async fn enter(&mut self, value: Value, ahead: Get) -> Result<Entered, Error> {
        Ok(match self.create(value, vec![ahead]).await? {
            CreateOutcome::Created(reads) => {
                let ahead = reads.into_iter().next().unwrap_or_default();
                let ahead = ahead.kvs.into_iter().map(contender).collect();
                Entered::New(QueuePosition { revision: self.fence(), own: Some(self.fence()), ahead })
            }
            CreateOutcome::Found(own, _) => Entered::Found(own),
            CreateOutcome::Rejected(_) => return Err(Error::KeyExists),
        })
    }

    /// Creates the key if it does not exist, after the `reads` in the same transaction.
    pub(crate) async fn create(&mut self, value: Value, reads: Vec<Get>) -> Result<CreateOutcome, Error> {
        loop {
            let missing = Compare::create_revision(&self.key).equal(0);
            match self.create_if(missing, value.clone(), reads.clone(), None).await? {
                // An earlier copy found a key in the way, which has been deleted since: try again.
                CreateOutcome::Rejected(None) => {}
                outcome => return Ok(outcome),
            }
        }
    }

    /// Creates the key if `condition` holds, in a transaction of which at most one copy is applied. Reads `otherwise` if it does
    /// not hold.
    ///
    /// Both branches use up the token, because only some of the copies are answered: if the condition does not hold, the token is
    /// burnt in the same transaction.
    pub(crate) async fn create_if(
        &mut self,
        condition: Compare,
        value: Value,
        reads: Vec<Get>,
        otherwise: Option<Get>,
    ) -> Result<CreateOutcome, Error> {
        self.session.check()?;
        if self.session.entry_leases().is_some() {
            return self.create_leased(condition, value, reads, otherwise).await;
        }
        let (lease, rules) = (self.session.lease(), self.session.rules());
        let token = self.session.draw_token();
        let spend = rules.enforces(Rule::EntrySpendsToken).then(|| token.spend(lease, rules));
        let burn = match rules.enforces(Rule::RejectionBurnsToken) {
            true => Op::from(token.burn(lease, rules)),
            false => token.read().into(),
        };
        let txn = Txn::new()
            .when((token.unspent(), condition))
            .then((reads, Put::new(&self.key, value).lease(lease), spend))
            .or_else((burn, Get::new(&self.key), otherwise));
        // Set before the request is sent: if this future is dropped, the entry's `Drop` burns the token.
        self.state = State::Creating(token);
        let options = CallOptions::default().retry(RetryPolicy::AssumeIdempotent);
        match self.session.store().kv().txn(txn, options).await {
            Ok(response) => self.created(response),
            Err(error) => {
                if error.outcome() == Outcome::NotApplied {
                    self.resolve(TokenStatus::Unspent, State::NotCreated);
                }
                Err(self.map_create_error(error))
            }
        }
    }

    /// Interprets the response to the transaction of [`create_if`](Self::create_if).
    fn created(&mut self, response: TxnResponse) -> Result<CreateOutcome, Error> {
        let revision = response.header.revision;
        if response.succeeded() {
            let kept = !self.session.rules().enforces(Rule::EntrySpendsToken);
            let status = if kept { TokenStatus::Unspent } else { TokenStatus::Spent(revision) };
            self.resolve_created(status, revision, revision);
            let reads = response.into_responses().into_iter().filter_map(OpResponse::into_get);
            return Ok(CreateOutcome::Created(reads.collect()));
        }
        let State::Creating(token) = &self.state else { return Err(malformed_response().into()) };
        // The branch is, in this order: the burn (or the read of the token), the own key, and the caller's read.
        let status = match response.txn(0) {
            Some(burn) => token.burnt(burn, revision),
            None => token.seen(response.responses().first()),
        };
        let mut reads = response.into_responses().into_iter().filter_map(OpResponse::into_get);
        // The token stays in the state: dropping the entry burns it.
        let Some(status) = status else { return Err(malformed_response().into()) };
        let mut reads_after =
            reads.by_ref().skip(usize::from(!self.session.rules().enforces(Rule::RejectionBurnsToken)));
        let own = reads_after.next().and_then(GetResponse::into_first);
        match entry_outcome(status, own.as_ref(), self.session.lease()) {
            EntryOutcome::Created(_) | EntryOutcome::Found(_) => {
                let Some(own) = own else { return Err(malformed_response().into()) };
                self.resolve_created(status, own.create_revision, own.mod_revision);
                Ok(CreateOutcome::Found(own, reads.collect()))
            }
            EntryOutcome::Rejected => {
                self.resolve(status, State::NotCreated);
                Ok(CreateOutcome::Rejected(own))
            }
            EntryOutcome::Deleted(_) | EntryOutcome::Gone => {
                self.resolve(status, State::NotCreated);
                self.session.check()?;
                Err(Error::LockLost)
            }
            // Dropping the entry deletes the key.
            EntryOutcome::Stray(created) => {
                self.resolve(status, State::Created(created));
                self.session.check()?;
                Err(Error::LockLost)
            }
            EntryOutcome::Pending if !self.session.rules().enforces(Rule::RejectionBurnsToken) => {
                self.resolve(status, State::NotCreated);
                Ok(CreateOutcome::Rejected(own))
            }
            EntryOutcome::Pending => Err(malformed_response().into()),
        }
    }

    fn resolve_created(&mut self, status: TokenStatus, created: Revision, modified: Revision) {
        self.resolve(status, State::Created(created));
        self.modified = AtomicI64::new(modified.get());
    }

    /// Returns the token to the pool after its status is known, so that the next operation can use it.
    fn resolve(&mut self, status: TokenStatus, next: State) {
        if let State::Creating(token) = mem::replace(&mut self.state, next)
            && let Some(token) = token.after(status)
        {
            self.session.put_back_token(token);
        }
    }

    /// Converts a client error. A missing lease means that the session or the entry has ended, even if no renewal has failed yet.
    pub(crate) fn map_error(&self, error: etcd_client_core::Error) -> Error {
        if self.is_leased() && error.code() == Some(Code::LeaseNotFound) {
            return self.session.check().err().unwrap_or(Error::LockLost);
        }
        map_error(&self.session, error)
    }

    fn map_create_error(&self, error: etcd_client_core::Error) -> Error {
        map_token_error(&self.session, error)
    }

    /// Replaces the value if the key is still the one that was created.
    ///
    /// The put compares the mod revision, which changes with every put. This makes it one-shot: a late copy of an earlier put is
    /// rejected.
    pub(crate) async fn put(&self, value: Value) -> Result<(), Error> {
        let mut backoff = Backoff::CONFLICT;
        loop {
            self.check()?;
            // Relaxed: a stale value only makes etcd reject the put once, and the response has the current one.
            let known = self.modified.load(Ordering::Relaxed);
            let one_shot = self.session.rules().enforces(Rule::PutComparesModRevision);
            let unchanged = one_shot.then(|| Compare::mod_revision(&self.key).equal(known));
            let txn = Txn::new()
                .when((self.owned(), unchanged))
                .then(Put::new(&self.key, value.clone()).ignore_lease())
                .or_else(Get::new(&self.key));
            let options = CallOptions::default().retry(RetryPolicy::AssumeIdempotent);
            let response = self.session.store().kv().txn(txn, options).await;
            let response = response.map_err(|error| self.map_error(error))?;
            if response.succeeded() {
                self.modified.fetch_max(response.header.revision.get(), Ordering::Relaxed);
                return Ok(());
            }
            let now = response.get(0).and_then(GetResponse::first);
            let now = now.filter(|kv| kv.create_revision == self.fence()).ok_or(Error::NotOwner)?;
            self.modified.fetch_max(now.mod_revision.get(), Ordering::Relaxed);
            // An earlier copy of this put was applied. Otherwise an earlier put with an unknown outcome changed the key, or
            // another holder of the same lease did: retry with the current mod revision.
            if now.value == value.as_bytes() {
                return Ok(());
            }
            backoff.wait().await;
        }
    }

    /// Deletes the key if it is still the one that was created.
    pub(crate) async fn leave(mut self) -> Result<(), Error> {
        if let Err(ended) = self.session.check() {
            self.cancel_cleanup();
            return Err(ended);
        }
        if self.is_leased() {
            return self.leave_leased().await;
        }
        let (mut backoff, mut outcome_unknown) = (Backoff::OUTAGE, false);
        for attempt in 1.. {
            let txn = Txn::new().when(self.owned()).then(Delete::new(&self.key));
            match txn.bind(self.session.store().kv()).await {
                Ok(response) => {
                    self.cancel_cleanup();
                    // If the key is missing after an attempt with an unknown outcome, that attempt deleted it.
                    return if response.succeeded() || outcome_unknown {
                        Ok(())
                    } else {
                        Err(Error::NotOwner)
                    };
                }
                // After a timeout the caller has waited long enough: the session continues in the background.
                Err(error) if attempt < MAX_ATTEMPTS && error.outcome_unknown() && !error.is_timeout() => {
                    outcome_unknown = true;
                    backoff.wait().await;
                }
                // Dropping the entry hands the deletion to the session.
                Err(error) => return Err(error.into()),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Cancels the cleanup on drop, because nothing is left to delete.
    pub(crate) fn cancel_cleanup(&mut self) {
        self.permit = None;
    }

    /// Returns a condition that holds while the key is the one that was created.
    pub(crate) fn owned(&self) -> Compare {
        Compare::create_revision(&self.key).equal(self.fence())
    }

    /// Waits until the key is gone. Never resolves if the key cannot be watched.
    pub(crate) fn gone(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let (store, key, fence) = (self.session.store().clone(), self.key.clone(), self.fence());
        async move {
            // From right after the creation, so that a deletion before this call is not missed.
            let (mut from, mut backoff) = (fence.next(), Backoff::OUTAGE);
            loop {
                match watch_until_deleted(&store, &key, from).await {
                    Ok(()) => return,
                    Err(error) if error.is_compacted() || is_transient(&error) => {}
                    Err(_) => return std::future::pending().await,
                }
                backoff.wait().await;
                match Get::new(&key).keys_only().bind(store.kv()).await {
                    Ok(now) if now.first().map(|kv| kv.create_revision) != Some(fence) => return,
                    Ok(now) => {
                        from = now.header.revision.next();
                        backoff.reset();
                    }
                    Err(error) if is_transient(&error) => {}
                    Err(_) => return std::future::pending().await,
                }
            }
        }
    }
}

async fn watch_until_deleted(
    store: &Store,
    key: &Key,
    from: Revision,
) -> Result<(), etcd_client_core::Error> {
    let watch = Watch::new(key).start_revision(from).no_put();
    let mut watch = watch.bind(store.watch_service()).await?;
    while let Some(response) = watch.next().await {
        if response?.events.iter().any(|event| event.is_delete() && event.kv.key == key.as_bytes()) {
            return Ok(());
        }
    }
    Err(etcd_client_core::Error::new(ErrorKind::Unavailable, "the watch ended"))
}

/// Converts a client error. A missing lease means that the session has ended, even if no renewal has failed yet.
pub(crate) fn map_error(session: &Session, error: etcd_client_core::Error) -> Error {
    if error.code() == Some(Code::LeaseNotFound) {
        return Error::SessionExpired(session.ended().unwrap_or(SessionEnd::Lost));
    }
    error.into()
}

/// Converts the error of a write with a token, which needs permission for the token as well.
pub(crate) fn map_token_error(session: &Session, error: etcd_client_core::Error) -> Error {
    if error.is_permission_denied() {
        let tokens = String::from_utf8_lossy(session.token_prefix().as_bytes()).into_owned();
        return Error::PermissionDenied { tokens, source: error };
    }
    map_error(session, error)
}

/// The error for a response that does not match its request: the outcome is unknown.
pub(crate) fn malformed_response() -> etcd_client_core::Error {
    etcd_client_core::Error::new(ErrorKind::Protocol, "the response does not match the request")
        .with_outcome(Outcome::Unknown)
}

pub(crate) fn contender(kv: KeyValue) -> Contender {
    Contender { create_revision: kv.create_revision, key: kv.key.into() }
}

impl Drop for QueueEntry {
    fn drop(&mut self) {
        let leftover = match (self.lease.take(), mem::replace(&mut self.state, State::NotCreated)) {
            // Revoking the lease deletes the key in every state, and makes late copies fail.
            (Some(lease), _) => Leftover::Lease(lease),
            (None, State::NotCreated) => return,
            (None, State::Creating(token)) => {
                #[cfg(test)]
                if !self.session.rules().enforces(Rule::TokenUntilResolved) {
                    self.session.put_back_token(token.duplicate());
                }
                Leftover::Unresolved { token, key: Some(self.key.clone()) }
            }
            (None, State::Created(created)) => Leftover::Key { key: self.key.clone(), created },
        };
        if let Some(permit) = self.permit.take() {
            permit.send(Cleanup { leftover, slot: self.slot.take() });
        }
    }
}
