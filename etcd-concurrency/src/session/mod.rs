//! Sessions: a lease that is kept alive, and whatever recipes hold by it.

mod builder;
pub(crate) mod entry_leases;
pub(crate) mod settle;
pub(crate) mod slots;
mod task;
mod tokens;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use etcd_client_core::{KeptLease, Key, LeaseId};
use futures_core::future::BoxFuture;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

pub use builder::SessionBuilder;
pub use tokens::Tokens;

use crate::{
    Error, SessionEnd, Store,
    token::{Token, pool::Pool, rules::Rules},
};
use entry_leases::EntryLeases;
use settle::{PLACES, Settlement, Settler, Ticket};
use slots::{Slot, Slots};
use task::Task;

/// A lease that is kept alive, and the life of everything that is acquired by it.
///
/// All that a session holds in etcd is attached to its lease: when the process dies, the lease expires and others move on.
/// Cheap to clone; clones are the same session. Each keeps its client alive, and so do the recipes and guards of the session:
/// dropping the last [`Client`](etcd_client_core::Client) ends none of them, and closing it ends the session.
///
/// **Guarantees.**
/// [`lost`](Self::lost) resolves at the latest when the lease may have expired on the server, counted from when its last
/// renewal was sent.
/// A future of a recipe that is dropped leaves no key behind: the session deletes it in the background. Where the outcome of
/// the entry is unknown it first burns the entry's token (see below), which takes one more round trip and shows what happened.
/// Until then the same session cannot try for the same lock again.
///
/// **Late copies.**
/// A request may be applied long after the caller gave it up, because a stopped member or a slow link kept a copy of it. A
/// session makes its writes one-shot: each compares and puts a *token*, a small key attached to the session's lease, so that
/// of all copies at most one is ever applied. Putting the token alone burns it, and no copy can be applied any more. What an
/// operation with an unknown outcome left behind is deleted by its create revision, which never recurs.
/// Where etcd refuses a burn, because its store is full for instance, it is repeated until it succeeds or the session ends.
/// [`Tokens`] says where tokens are kept; a user's role needs permission to read and write them. A session can do without:
/// see [`Tokens::lease_per_entry`].
///
/// **What breaks it.**
/// A second session on the same lease shares its places in each queue.
/// Clocks do: a machine that is suspended may run on before it notices that time has passed, so that
/// what must not happen twice needs the fence of its guard ([`Guard::owned`](crate::Guard::owned)), not only the session.
///
/// An entry that is applied before it is burnt exists until the session has deleted it again; if the client is stopped or cut off
/// in between, until the lease expires.
/// Somebody who deletes tokens, uses a lease id again, or restores an older backup makes copies from before valid again.
///
/// The end of the last clone, recipes and guards included, ends the session as [`orphan`](Self::orphan) does, once everything
/// is settled, and after one TTL in any case.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use std::time::Duration;
/// use etcd_concurrency::{Mutex, Session};
///
/// let session = Session::builder(&client).ttl(Duration::from_secs(10)).await?;
/// let guard = Mutex::new(&session, "jobs/nightly").lock().await?;
/// guard.unlock().await?;
/// session.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    lease: LeaseId,
    ttl: Duration,
    kept: Kept,
    end: watch::Sender<Option<SessionEnd>>,
    settlements: mpsc::Sender<Settlement>,
    slots: Slots,
    pool: Arc<Pool>,
    /// In a session that keeps no tokens.
    entries: Option<Arc<EntryLeases>>,
    rules: Rules,
}

/// The only handle of the lease, which is renewed until it is taken out of here.
type Kept = Arc<Mutex<Option<KeptLease>>>;

impl Session {
    /// Settings for a session of `client`.
    pub fn builder(client: &etcd_client_core::Client) -> SessionBuilder<'_> {
        SessionBuilder::new(client)
    }

    /// A session on any services, and on a lease that is kept alive there: for decorators and mocks.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn on(store: impl Into<Store>, lease: KeptLease) -> Self {
        Self::on_with(store, lease, Tokens::default())
    }

    /// [`on`](Self::on), with a choice of where the session keeps its tokens.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn on_with(store: impl Into<Store>, lease: KeptLease, tokens: Tokens) -> Self {
        Self::start(store.into(), lease, tokens, Box::pin(std::future::pending()))
    }

    /// A session that breaks a rule of the protocol.
    #[cfg(test)]
    pub(crate) fn with_rules(store: Store, lease: KeptLease, tokens: Tokens, rules: Rules) -> Self {
        Self::start_with(store, lease, tokens, Box::pin(std::future::pending()), rules)
    }

    fn start(store: Store, kept: KeptLease, tokens: Tokens, until: BoxFuture<'static, ()>) -> Self {
        Self::start_with(store, kept, tokens, until, Rules::default())
    }

    fn start_with(
        store: Store,
        kept: KeptLease,
        tokens: Tokens,
        until: BoxFuture<'static, ()>,
        rules: Rules,
    ) -> Self {
        let (settlements, received) = mpsc::channel(PLACES);
        let (end, _) = watch::channel(None);
        let (lease, ttl, lost) = (kept.id(), kept.ttl(), Box::pin(kept.lost()));
        let kept: Kept = Arc::new(Mutex::new(Some(kept)));
        let entries = tokens.prefix.is_none().then(|| Arc::new(EntryLeases::new(store.clone(), ttl, rules)));
        let pool = Arc::new(Pool::new(tokens.prefix.unwrap_or_default(), lease));
        let settler = Settler { store: store.clone(), lease, entries: entries.clone(), rules };
        let task = Task {
            settler,
            pool: Arc::clone(&pool),
            ttl,
            lost,
            kept: Arc::clone(&kept),
            until,
            end: end.clone(),
            received,
        };
        tokio::spawn(task.run());
        let slots = Slots::default();
        let inner = Inner { store, lease, ttl, kept, end, settlements, slots, pool, entries, rules };
        Self { inner: Arc::new(inner) }
    }

    /// The lease.
    pub fn lease(&self) -> LeaseId {
        self.inner.lease
    }

    /// How long the lease lives without renewal, as the server granted it.
    pub fn ttl(&self) -> Duration {
        self.inner.ttl
    }

    /// Until when the lease surely lives; `None` when the session is over.
    pub fn deadline(&self) -> Option<Instant> {
        self.check().ok()?;
        self.kept().as_ref().map(KeptLease::deadline)
    }

    /// How the session ended; `None` while it lives.
    pub fn ended(&self) -> Option<SessionEnd> {
        let known = *self.inner.end.borrow();
        // The task that would say so may not have run since the deadline passed.
        let expired =
            || self.kept().as_ref().is_some_and(|kept| kept.is_lost() || kept.deadline() <= Instant::now());
        known.or_else(|| expired().then_some(SessionEnd::Lost))
    }

    /// Waits for the end of the session. Resolves for a session that is over, too.
    ///
    /// Cancel safe; it does not keep the session alive.
    pub fn lost(&self) -> impl Future<Output = SessionEnd> + Send + 'static + use<> {
        let mut end = self.inner.end.subscribe();
        let lease = self.kept().as_ref().map(KeptLease::lost);
        async move {
            let told = async {
                match end.wait_for(Option::is_some).await {
                    Ok(end) => end.unwrap_or(SessionEnd::Orphaned),
                    Err(_) => SessionEnd::Orphaned,
                }
            };
            let Some(lease) = lease else { return told.await };
            tokio::select! {
                biased;
                end = told => end,
                _ = lease => SessionEnd::Lost,
            }
        }
    }

    /// Ends the session and revokes its lease: everything that was held by it is gone.
    ///
    /// Dropping the future leaves it open whether the lease is revoked; it is not renewed any more.
    ///
    /// # Errors
    /// When the lease could not be revoked: it then expires by itself. A session that is over already is no error.
    pub async fn close(self) -> Result<(), Error> {
        // Taken before anybody hears of the end, and lets go of it.
        let kept = self.kept().take();
        let entries = self.inner.entries.as_ref().map(|entries| (entries, entries.take()));
        self.end_with(SessionEnd::Closed);
        let entries_revoked = match entries {
            Some((entries, taken)) => entries.revoke_all(taken).await,
            None => Ok(()),
        };
        let Some(kept) = kept else { return Ok(entries_revoked?) };
        match kept.revoke().await {
            Err(error) if !error.is_lease_not_found() => Err(error.into()),
            _ => Ok(entries_revoked?),
        }
    }

    /// Ends the session without revoking its lease, which is no longer renewed: what was held stays until it expires, or until
    /// another session takes the lease over ([`SessionBuilder::lease`]).
    pub fn orphan(self) -> LeaseId {
        self.end_with(SessionEnd::Orphaned);
        self.kept().take();
        self.lease()
    }

    /// The services that it is held by.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Whether the session lives, by the clock and not only by what was heard.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.ended().map_or(Ok(()), |end| Err(Error::Expired(end)))
    }

    /// Room in the queue of settlements, taken before anything is sent that may have to be settled.
    pub(crate) fn ticket(&self) -> Result<Ticket, Error> {
        self.check()?;
        self.inner
            .settlements
            .clone()
            .try_reserve_owned()
            .map_err(|_| self.check().err().unwrap_or(Error::Full))
    }

    /// The right to a key that this session has once, such as its place in a queue: waits while another task of this process has it.
    pub(crate) async fn slot(&self, key: &Key) -> Result<Slot, Error> {
        tokio::select! {
            biased;
            end = self.lost() => Err(Error::Expired(end)),
            slot = self.inner.slots.slot(key) => Ok(slot),
        }
    }

    /// The same without a wait; `None` when it is taken.
    pub(crate) fn try_slot(&self, key: &Key) -> Option<Slot> {
        self.inner.slots.try_slot(key)
    }

    /// A token for one operation.
    pub(crate) fn draw_token(&self) -> Token {
        self.inner.pool.draw()
    }

    /// Takes back a token whose operation is over.
    pub(crate) fn put_back_token(&self, token: Token) {
        self.inner.pool.put_back(token);
    }

    /// The leases of the session's entries, where it keeps no tokens.
    pub(crate) fn entry_leases(&self) -> Option<&EntryLeases> {
        self.inner.entries.as_deref()
    }

    /// The prefix of the session's tokens.
    pub(crate) fn token_prefix(&self) -> &Key {
        self.inner.pool.base()
    }

    /// What settles operations, for those who wait for it themselves.
    pub(crate) fn settler(&self) -> Settler {
        let Inner { store, lease, entries, rules, .. } = &*self.inner;
        Settler { store: store.clone(), lease: *lease, entries: entries.clone(), rules: *rules }
    }

    pub(crate) fn rules(&self) -> Rules {
        self.inner.rules
    }

    fn end_with(&self, how: SessionEnd) {
        end_with(&self.inner.end, how);
    }

    fn kept(&self) -> MutexGuard<'_, Option<KeptLease>> {
        self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first end stays.
fn end_with(end: &watch::Sender<Option<SessionEnd>>, how: SessionEnd) {
    end.send_if_modified(|end| end.replace(end.unwrap_or(how)).is_none());
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("lease", &self.lease())
            .field("ended", &self.ended())
            .finish_non_exhaustive()
    }
}
