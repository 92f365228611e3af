//! A key that a session holds or waits by: entered with a token, given up by its create revision.

mod leased;

use std::{
    mem,
    sync::atomic::{AtomicI64, Ordering},
};

use etcd_client_core::{
    CallOptions, Code, Compare, Delete, ErrorKind, Get, GetResponse, Key, KeyValue, LeaseId, Op, OpResponse,
    Outcome, Put, Resend, Revision, Txn, TxnResponse, Value,
};

use crate::{
    Error, Session, SessionEnd,
    pause::{Pauses, passes},
    session::{
        settle::{Left, Settlement, Ticket},
        slots::Slot,
    },
    token::{
        Fate, Token,
        judge::{Verdict, judge},
        rules::Rule,
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
    /// The last known mod revision of the key.
    modified: AtomicI64,
    /// The place's own lease, in a session that keeps no tokens. The key is under it.
    lease: Option<LeaseId>,
    /// `None` when there is nothing to delete any more.
    ticket: Option<Ticket>,
    slot: Option<Slot>,
}

#[derive(Debug)]
enum State {
    /// It was not created, and no copy of an entry can create it.
    Outside,
    /// It may be there, or come to be there for as long as this token is unspent.
    Entering(Token),
    /// It was created by this revision.
    Inside(Revision),
}

/// How an entry went.
#[derive(Debug)]
pub(crate) enum Entered {
    /// The key is new, and this is how it stands.
    New(Standing),
    /// The session's lease has the key: from before, or from an earlier copy of the entry.
    Found(KeyValue),
}

/// How one transaction that may create the key went.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It created the key, after it read this.
    Created(Vec<GetResponse>),
    /// The session's lease has the key: from before, or from an earlier copy of the entry. This was read besides.
    Found(KeyValue, Vec<GetResponse>),
    /// No copy created the key, and none will. This is the key that is there.
    Refused(Option<KeyValue>),
}

impl Place {
    pub(crate) fn new(session: &Session, key: Key, slot: Option<Slot>) -> Result<Self, Error> {
        let ticket = Some(session.ticket()?);
        let modified = AtomicI64::new(0);
        Ok(Self { session: session.clone(), key, state: State::Outside, modified, lease: None, ticket, slot })
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
    pub(crate) fn found(&mut self, created: Revision, modified: Revision) {
        self.state = State::Inside(created);
        self.modified = AtomicI64::new(modified.get());
    }

    /// Creates the key if it is not there, and reads who is ahead in the same transaction: the read comes before the put, when
    /// everybody in the queue is ahead.
    pub(crate) async fn enter(&mut self, value: Value, ahead: Get) -> Result<Entered, Error> {
        Ok(match self.create(value, vec![ahead]).await? {
            Answer::Created(reads) => {
                let ahead = reads.into_iter().next().unwrap_or_default();
                let ahead = ahead.kvs.into_iter().map(contender).collect();
                Entered::New(Standing { revision: self.fence(), own: Some(self.fence()), ahead })
            }
            Answer::Found(own, _) => Entered::Found(own),
            Answer::Refused(_) => return Err(Error::KeyExists),
        })
    }

    /// Creates the key if it is not there, after the `reads` in the same transaction.
    pub(crate) async fn create(&mut self, value: Value, reads: Vec<Get>) -> Result<Answer, Error> {
        loop {
            let missing = Compare::create_revision(&self.key).equal(0);
            match self.create_if(missing, value.clone(), reads.clone(), None).await? {
                // The key that was in the way when an earlier copy was refused is gone.
                Answer::Refused(None) => {}
                answer => return Ok(answer),
            }
        }
    }

    /// Creates the key if a condition holds, by a transaction of which one copy at most is ever applied.
    ///
    /// Each outcome spends the token, because only some of the copies are answered: where the condition does not hold, the
    /// token is burnt in the same transaction. `otherwise` is read in that case.
    pub(crate) async fn create_if(
        &mut self,
        room: Compare,
        value: Value,
        reads: Vec<Get>,
        otherwise: Option<Get>,
    ) -> Result<Answer, Error> {
        self.session.check()?;
        if self.session.entry_leases().is_some() {
            return self.create_leased(room, value, reads, otherwise).await;
        }
        let (lease, rules) = (self.session.lease(), self.session.rules());
        let token = self.session.draw_token();
        let spend = rules.hold(Rule::EntrySpendsToken).then(|| token.spend(lease, rules));
        let burn = match rules.hold(Rule::RefusalBurnsToken) {
            true => Op::from(token.burn(lease, rules)),
            false => token.read().into(),
        };
        let txn = Txn::new()
            .when((token.unspent(), room))
            .then((reads, Put::new(&self.key, value).lease(lease), spend))
            .or_else((burn, Get::new(&self.key), otherwise));
        self.state = State::Entering(token);
        let options = CallOptions::default().resend(Resend::AsIfIdempotent);
        match self.session.store().kv().txn(txn, options).await {
            Ok(response) => self.entered(response),
            Err(error) => {
                if error.outcome() == Outcome::NotApplied {
                    self.spent(Fate::Open, State::Outside);
                }
                Err(self.explain_entry(error))
            }
        }
    }

    /// What the answer to an entry says.
    fn entered(&mut self, response: TxnResponse) -> Result<Answer, Error> {
        let revision = response.header.revision;
        if response.succeeded() {
            let kept = !self.session.rules().hold(Rule::EntrySpendsToken);
            let fate = if kept { Fate::Open } else { Fate::Applied(revision) };
            self.inside(fate, revision, revision);
            let reads = response.into_responses().into_iter().filter_map(OpResponse::into_get);
            return Ok(Answer::Created(reads.collect()));
        }
        let State::Entering(token) = &self.state else { return Err(malformed().into()) };
        let fate = match response.txn(0) {
            Some(burn) => token.burnt(burn, revision),
            None => token.seen(response.responses().first()),
        };
        let mut reads = response.into_responses().into_iter().filter_map(OpResponse::into_get);
        // Dropping the place burns the token where it stays open.
        let Some(fate) = fate else { return Err(malformed().into()) };
        let mut reads_after =
            reads.by_ref().skip(usize::from(!self.session.rules().hold(Rule::RefusalBurnsToken)));
        let own = reads_after.next().and_then(GetResponse::into_first);
        match judge(fate, own.as_ref(), self.session.lease()) {
            Verdict::Entered(_) | Verdict::Adopted(_) => {
                let Some(own) = own else { return Err(malformed().into()) };
                self.inside(fate, own.create_revision, own.mod_revision);
                Ok(Answer::Found(own, reads.collect()))
            }
            Verdict::Refused => {
                self.spent(fate, State::Outside);
                Ok(Answer::Refused(own))
            }
            Verdict::Lost(_) | Verdict::Gone => {
                self.spent(fate, State::Outside);
                self.session.check()?;
                Err(Error::Lost)
            }
            // Dropping the place deletes the key.
            Verdict::Stray(created) => {
                self.spent(fate, State::Inside(created));
                self.session.check()?;
                Err(Error::Lost)
            }
            Verdict::Open if !self.session.rules().hold(Rule::RefusalBurnsToken) => {
                self.spent(fate, State::Outside);
                Ok(Answer::Refused(own))
            }
            Verdict::Open => Err(malformed().into()),
        }
    }

    fn inside(&mut self, fate: Fate, created: Revision, modified: Revision) {
        self.spent(fate, State::Inside(created));
        self.modified = AtomicI64::new(modified.get());
    }

    /// The fate of the entry is known, and its token can be used for the next one.
    fn spent(&mut self, fate: Fate, next: State) {
        if let State::Entering(token) = mem::replace(&mut self.state, next)
            && let Some(token) = token.after(fate)
        {
            self.session.put_back_token(token);
        }
    }

    /// A lease that is not found is the end of the session or of the place, whoever hears of it first.
    pub(crate) fn explain(&self, error: etcd_client_core::Error) -> Error {
        if self.is_leased() && error.code() == Some(Code::LeaseNotFound) {
            return self.session.check().err().unwrap_or(Error::Lost);
        }
        explain(&self.session, error)
    }

    fn explain_entry(&self, error: etcd_client_core::Error) -> Error {
        explain_with_token(&self.session, error)
    }

    /// Replaces the value, if the key is still the one that was created.
    ///
    /// The mod revision that is compared makes each put one-shot: it changes with every put, so that a late copy of an earlier
    /// one is refused.
    pub(crate) async fn put(&self, value: Value) -> Result<(), Error> {
        let mut pauses = Pauses::CONFLICT;
        loop {
            self.check()?;
            let known = self.modified.load(Ordering::Relaxed);
            let one_shot = self.session.rules().hold(Rule::PutComparesModRevision);
            let unchanged = one_shot.then(|| Compare::mod_revision(&self.key).equal(known));
            let txn = Txn::new()
                .when((self.owned(), unchanged))
                .then(Put::new(&self.key, value.clone()).ignore_lease())
                .or_else(Get::new(&self.key));
            let options = CallOptions::default().resend(Resend::AsIfIdempotent);
            let response = self.session.store().kv().txn(txn, options).await;
            let response = response.map_err(|error| self.explain(error))?;
            if response.succeeded() {
                self.modified.fetch_max(response.header.revision.get(), Ordering::Relaxed);
                return Ok(());
            }
            let now = response.get(0).and_then(GetResponse::first);
            let now = now.filter(|kv| kv.create_revision == self.fence()).ok_or(Error::NotOwner)?;
            self.modified.fetch_max(now.mod_revision.get(), Ordering::Relaxed);
            // An earlier copy of this put was applied; or a put whose outcome is unknown, or that of another holder of the same key.
            if now.value == value.as_bytes() {
                return Ok(());
            }
            pauses.pause().await;
        }
    }

    /// Deletes the key if it is still the one that was created.
    pub(crate) async fn leave(mut self) -> Result<(), Error> {
        if let Err(over) = self.session.check() {
            self.forget();
            return Err(over);
        }
        if self.is_leased() {
            return self.leave_leased().await;
        }
        let (mut pauses, mut in_doubt) = (Pauses::OUTAGE, false);
        for attempt in 1.. {
            let txn = Txn::new().when(self.owned()).then(Delete::new(&self.key));
            match txn.bind(self.session.store().kv()).await {
                Ok(response) => {
                    self.forget();
                    // Not there after an attempt with an unknown outcome means that the attempt did it.
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
    Err(etcd_client_core::Error::new(ErrorKind::Unavailable, "the watch ended"))
}

/// A lease that is not found is the end of the session, whoever hears of it first.
pub(crate) fn explain(session: &Session, error: etcd_client_core::Error) -> Error {
    if error.code() == Some(Code::LeaseNotFound) {
        return Error::Expired(session.ended().unwrap_or(SessionEnd::Lost));
    }
    error.into()
}

/// The same for a write with a token, which needs permission for the token too.
pub(crate) fn explain_with_token(session: &Session, error: etcd_client_core::Error) -> Error {
    if error.is_permission_denied() {
        let tokens = String::from_utf8_lossy(session.token_prefix().as_bytes()).into_owned();
        return Error::PermissionDenied { tokens, source: error };
    }
    explain(session, error)
}

/// An answer that does not fit the request: whether it was applied is unknown.
pub(crate) fn malformed() -> etcd_client_core::Error {
    etcd_client_core::Error::new(ErrorKind::Protocol, "the answer has another shape than the request")
        .with_outcome(Outcome::Unknown)
}

pub(crate) fn contender(kv: KeyValue) -> Contender {
    Contender { create_revision: kv.create_revision, key: kv.key.into() }
}

impl Drop for Place {
    fn drop(&mut self) {
        let left = match (self.lease.take(), mem::replace(&mut self.state, State::Outside)) {
            (Some(lease), _) => Left::Lease(lease),
            (None, State::Outside) => return,
            (None, State::Entering(token)) => {
                #[cfg(test)]
                if !self.session.rules().hold(Rule::TokenUntilSettled) {
                    self.session.put_back_token(token.duplicate());
                }
                Left::Open { token, key: Some(self.key.clone()) }
            }
            (None, State::Inside(created)) => Left::Key { key: self.key.clone(), created },
        };
        if let Some(ticket) = self.ticket.take() {
            ticket.send(Settlement { left, slot: self.slot.take() });
        }
    }
}
