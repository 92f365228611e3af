//! Sessions: a lease that is kept alive, and the lifetime of everything that is held through it.
//!
//! Start one [`Session`] per process with [`Session::builder`], and create the recipes from it. If the process dies, the lease
//! expires after its TTL, and other contenders continue.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use std::time::Duration;
//! use etcd_concurrency::{Mutex, Session};
//!
//! let session = Session::builder(&client).ttl(Duration::from_secs(10)).await?;
//! let guard = Mutex::new(&session, "jobs/nightly").lock().await?;
//! tokio::select! {
//!     end = session.lost() => eprintln!("stop working: {end}"),
//!     () = async { /* the work */ } => guard.unlock().await?,
//! }
//! session.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Tokens`] configures where a session keeps the keys that make its writes one-shot. [`SessionEnd`] is the reason why a
//! session ended.

mod builder;
pub(crate) mod cleanup;
mod end;
pub(crate) mod entry_leases;
pub(crate) mod slots;
mod task;
mod tokens;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use builder::SessionBuilder;
use cleanup::{Cleaner, Cleanup, CleanupPermit, MAX_CLEANUPS};
pub use end::SessionEnd;
use end::end_with;
use entry_leases::EntryLeases;
use etcd_client_core::{Key, LeaseId, lease::LeaseKeeper};
use futures_core::future::BoxFuture;
use slots::{Slot, Slots};
use task::Task;
pub use tokens::Tokens;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use crate::{
    Error, Store,
    token::{Token, pool::Pool, rules::Rules},
};

/// A lease that is kept alive, and the lifetime of everything that is acquired through it.
///
/// All keys that a session holds in etcd are attached to its lease. Clones are cheap and refer to the same session. A session
/// keeps its client alive, and so do its recipes and guards: dropping the last [`Client`](etcd_client_core::Client) handle does
/// not end the session, closing the client does.
///
/// Dropping the last clone, including those in recipes and guards, ends the session as [`orphan`](Self::orphan) does. This
/// happens when all cleanups are done, and after one TTL in any case.
///
/// **Guarantees.**
/// [`lost`](Self::lost) resolves at the latest when the lease may have expired on the server, counted from when its last
/// renewal was sent.
/// Dropping the future of a recipe leaves no key behind: the session deletes the key in the background. If the outcome of the
/// entry is unknown, the session first burns the entry's token, which takes one more round trip and shows the outcome. The
/// same session cannot try for the same lock again until this is done.
///
/// **Late copies.**
/// A request may be applied long after the caller abandoned it, because a hung member or a slow link kept a copy. A session
/// makes its writes one-shot: each write compares and puts a *token*, a small key attached to the session's lease, so that at
/// most one of all copies is applied. Putting the token alone *burns* it: no copy can be applied after that. If an operation
/// with an unknown outcome created a key, the key is deleted by its create revision, which never recurs.
/// If etcd rejects a burn, for instance because its store is full, the burn is retried until it succeeds or the session ends.
/// [`Tokens`] sets where tokens are kept. A user's role needs permission to read and write them.
/// [`Tokens::lease_per_entry`] needs no tokens.
///
/// **What breaks it.**
/// A second session on the same lease shares its keys in each queue.
/// Clocks: a machine that was suspended may run for a moment before it notices how much time has passed. Work that must not
/// happen twice needs the fence of its guard ([`Guard::owned`](crate::Guard::owned)), not only the session.
/// An entry that is applied before it is burnt exists until the session has deleted it. If the client is stopped or
/// disconnected in between, the entry exists until the lease expires.
/// Deleting tokens, reusing a lease id, or restoring an older backup makes earlier copies valid again.
///
/// # Examples
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
#[doc(alias = "NewSession")]
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    lease: LeaseId,
    ttl: Duration,
    keeper: Keeper,
    end: watch::Sender<Option<SessionEnd>>,
    cleanups: mpsc::Sender<Cleanup>,
    slots: Slots,
    pool: Arc<Pool>,
    /// Set in a session that keeps no tokens.
    entries: Option<Arc<EntryLeases>>,
    rules: Rules,
}

/// The only handle of the lease, which is renewed until the handle is taken out.
type Keeper = Arc<Mutex<Option<LeaseKeeper>>>;

impl Session {
    /// Returns a builder for a session. Awaiting the builder grants a lease and starts the session.
    ///
    /// `store` is usually a client. A [`Store`] of other services, such as wrappers and mocks, works as well.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use std::time::Duration;
    ///
    /// let session = etcd_concurrency::Session::builder(&client).ttl(Duration::from_secs(10)).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewSession")]
    pub fn builder(store: impl Into<Store>) -> SessionBuilder {
        SessionBuilder::new(store.into())
    }

    /// Starts a session that breaks a rule of the protocol.
    #[cfg(test)]
    pub(crate) fn with_rules(store: Store, lease: LeaseKeeper, tokens: Tokens, rules: Rules) -> Self {
        Self::start_with(store, lease, tokens, Box::pin(std::future::pending()), rules)
    }

    fn start(store: Store, lease: LeaseKeeper, tokens: Tokens, until: BoxFuture<'static, ()>) -> Self {
        Self::start_with(store, lease, tokens, until, Rules::default())
    }

    fn start_with(
        store: Store,
        keeper: LeaseKeeper,
        tokens: Tokens,
        until: BoxFuture<'static, ()>,
        rules: Rules,
    ) -> Self {
        // Each entry reserves its slot before it sends anything, so that handing over a cleanup never waits or fails.
        let (cleanups, received) = mpsc::channel(MAX_CLEANUPS);
        let (end, _) = watch::channel(None);
        let (lease, ttl, lost) = (keeper.id(), keeper.ttl(), Box::pin(keeper.lost()));
        let keeper: Keeper = Arc::new(Mutex::new(Some(keeper)));
        let entries = tokens.prefix.is_none().then(|| Arc::new(EntryLeases::new(store.clone(), ttl, rules)));
        let pool = Arc::new(Pool::new(tokens.prefix.unwrap_or_default(), lease));
        let cleaner = Cleaner { store: store.clone(), lease, entries: entries.clone(), rules };
        let task = Task {
            cleaner,
            pool: Arc::clone(&pool),
            ttl,
            lost,
            keeper: Arc::clone(&keeper),
            until,
            end: end.clone(),
            received,
        };
        tokio::spawn(task.run());
        let slots = Slots::default();
        let inner = Inner { store, lease, ttl, keeper, end, cleanups, slots, pool, entries, rules };
        Self { inner: Arc::new(inner) }
    }

    /// Returns the id of the lease.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// use etcd_client_core::Put;
    ///
    /// // A key that is deleted when the session ends.
    /// let put = Put::new("hosts/a", "up").lease(session.lease());
    /// # drop(put);
    /// # }
    /// ```
    #[doc(alias = "Lease")]
    pub fn lease(&self) -> LeaseId {
        self.inner.lease
    }

    /// Returns the lease TTL that the server granted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// println!("others wait for up to {:?} after a crash", session.ttl());
    /// # }
    /// ```
    pub fn ttl(&self) -> Duration {
        self.inner.ttl
    }

    /// Returns the time until which the lease is certainly alive, or `None` if the session has ended. Renewals move it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// if let Some(deadline) = session.deadline() {
    ///     println!("alive for {:?}", deadline - tokio::time::Instant::now());
    /// }
    /// # }
    /// ```
    pub fn deadline(&self) -> Option<Instant> {
        self.check().ok()?;
        self.keeper().as_ref().map(LeaseKeeper::deadline)
    }

    /// Returns the reason why the session ended, or `None` while it is alive.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// if let Some(end) = session.ended() {
    ///     eprintln!("the session has ended: {end}");
    /// }
    /// # }
    /// ```
    pub fn ended(&self) -> Option<SessionEnd> {
        let known = *self.inner.end.borrow();
        // Compares with the clock: the session's task may not have run since the deadline passed.
        let expired = || {
            self.keeper()
                .as_ref()
                .is_some_and(|keeper| keeper.is_lost() || keeper.deadline() <= Instant::now())
        };
        known.or_else(|| expired().then_some(SessionEnd::Lost))
    }

    /// Waits until the session ends, and returns the reason. Returns immediately if the session has already ended.
    ///
    /// The future does not keep the session alive.
    ///
    /// # Cancel safety
    ///
    /// The future is cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(session: etcd_concurrency::Session) {
    /// let lost = session.lost();
    /// tokio::spawn(async move {
    ///     eprintln!("stop working: {}", lost.await);
    /// });
    /// # }
    /// ```
    #[doc(alias = "Done")]
    pub fn lost(&self) -> impl Future<Output = SessionEnd> + Send + 'static + use<> {
        let mut end = self.inner.end.subscribe();
        let lease = self.keeper().as_ref().map(LeaseKeeper::lost);
        async move {
            let ended = async {
                match end.wait_for(Option::is_some).await {
                    Ok(end) => end.unwrap_or(SessionEnd::Orphaned),
                    Err(_) => SessionEnd::Orphaned,
                }
            };
            let Some(lease) = lease else { return ended.await };
            tokio::select! {
                // Biased: the recorded reason is more precise than the loss of the lease.
                biased;
                end = ended => end,
                _ = lease => SessionEnd::Lost,
            }
        }
    }

    /// Ends the session and revokes its lease, which deletes every key that is held through it.
    ///
    /// # Errors
    ///
    /// Returns the client's error if the lease could not be revoked: it then expires. Closing a session that has already ended
    /// is not an error.
    ///
    /// # Cancel safety
    ///
    /// After the future is dropped, the lease may or may not be revoked. It is no longer renewed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(session: etcd_concurrency::Session) -> Result<(), etcd_concurrency::Error> {
    /// session.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Close")]
    pub async fn close(self) -> Result<(), Error> {
        // Taken before the end is recorded, because the session's task drops the handles when it sees the end. The lease
        // stays renewed until then, so that no one else acquires its keys while the session still looks alive.
        let keeper = self.keeper().take();
        let entries = self.inner.entries.as_ref().map(|entries| (entries, entries.take()));
        self.end_with(SessionEnd::Closed);
        let entries_revoked = match entries {
            Some((entries, taken)) => entries.revoke_all(taken).await,
            None => Ok(()),
        };
        let Some(keeper) = keeper else { return Ok(entries_revoked?) };
        match keeper.revoke().await {
            Err(error) if !error.is_lease_not_found() => Err(error.into()),
            _ => Ok(entries_revoked?),
        }
    }

    /// Ends the session without revoking its lease, and returns the lease. The lease is no longer renewed.
    ///
    /// Everything that was held stays until the lease expires, or until another session takes the lease over with
    /// [`SessionBuilder::lease`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// let lease = session.orphan();
    /// println!("take over lease {lease} within its TTL");
    /// # }
    /// ```
    #[doc(alias = "Orphan")]
    pub fn orphan(self) -> LeaseId {
        // Recorded first: a session without its handle and without a recorded end would look alive.
        self.end_with(SessionEnd::Orphaned);
        self.keeper().take();
        self.lease()
    }

    /// Returns the services that the session runs on.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(session: etcd_concurrency::Session) {
    /// use etcd_concurrency::Barrier;
    ///
    /// let barrier = Barrier::new(session.store(), "migration");
    /// # drop(barrier);
    /// # }
    /// ```
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Returns an error if the session has ended. Compares with the clock, not only with what was notified.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.ended().map_or(Ok(()), |end| Err(Error::SessionExpired(end)))
    }

    /// Reserves a slot for a cleanup. Taken before a request is sent that may have to be cleaned up.
    pub(crate) fn cleanup_permit(&self) -> Result<CleanupPermit, Error> {
        self.check()?;
        self.inner
            .cleanups
            .clone()
            .try_reserve_owned()
            .map_err(|_| self.check().err().unwrap_or(Error::CapacityExceeded))
    }

    /// Acquires a key that this session has once, such as its key in a queue. Waits while another task of this process has it.
    pub(crate) async fn slot(&self, key: &Key) -> Result<Slot, Error> {
        tokio::select! {
            // Biased: a session that has ended hands out no keys.
            biased;
            end = self.lost() => Err(Error::SessionExpired(end)),
            slot = self.inner.slots.slot(key) => Ok(slot),
        }
    }

    /// Acquires such a key without waiting. Returns `None` if another task has it.
    pub(crate) fn try_slot(&self, key: &Key) -> Option<Slot> {
        self.inner.slots.try_slot(key)
    }

    /// Draws a token for one operation.
    pub(crate) fn draw_token(&self) -> Token {
        self.inner.pool.draw()
    }

    /// Returns a token whose operation is resolved.
    pub(crate) fn put_back_token(&self, token: Token) {
        self.inner.pool.put_back(token);
    }

    /// Returns the leases of the session's entries, if it keeps no tokens.
    pub(crate) fn entry_leases(&self) -> Option<&EntryLeases> {
        self.inner.entries.as_deref()
    }

    /// Returns the prefix of the session's tokens.
    pub(crate) fn token_prefix(&self) -> &Key {
        self.inner.pool.base()
    }

    /// Returns a cleaner, for operations that resolve their outcome themselves.
    pub(crate) fn cleaner(&self) -> Cleaner {
        let Inner { store, lease, entries, rules, .. } = &*self.inner;
        Cleaner { store: store.clone(), lease: *lease, entries: entries.clone(), rules: *rules }
    }

    pub(crate) fn rules(&self) -> Rules {
        self.inner.rules
    }

    fn end_with(&self, reason: SessionEnd) {
        end_with(&self.inner.end, reason);
    }

    fn keeper(&self) -> MutexGuard<'_, Option<LeaseKeeper>> {
        self.inner.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("lease", &self.lease())
            .field("ended", &self.ended())
            .finish_non_exhaustive()
    }
}
