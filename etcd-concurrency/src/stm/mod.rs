//! Software transactional memory: a function reads and writes keys, and is retried if other writers changed what it read.
//!
//! [`Stm::run`] passes a [`Tx`] to the function and commits its writes in one etcd transaction. [`Isolation`] selects the level
//! of isolation.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use etcd_concurrency::{Error, Stm, stm::Tx};
//!
//! async fn balance(tx: &Tx, account: &str) -> Result<i64, Error> {
//!     let stored = tx.get(account).await?;
//!     Ok(stored.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0))
//! }
//!
//! let moved = Stm::new(&client)
//!     .run(|tx| async move {
//!         let (from, to) = (balance(&tx, "accounts/a").await?, balance(&tx, "accounts/b").await?);
//!         tx.put("accounts/a", (from - 1).to_string());
//!         tx.put("accounts/b", (to + 1).to_string());
//!         Ok::<_, Error>(from - 1)
//!     })
//!     .await?;
//! println!("{} left after {} attempts", moved.value, moved.attempts);
//! # Ok(())
//! # }
//! ```

mod attempt;
mod isolation;
mod reads;
mod tx;
mod writes;

use std::{fmt, sync::Arc};

use attempt::{Abort, Attempt};
use etcd_client_core::{Key, Revision};
pub use isolation::Isolation;
use reads::Prefetched;
pub use tx::Tx;

use crate::{Error, Store, backoff::Backoff};

/// The default number of attempts. With full jitter of up to 250 ms in between, they take a few seconds.
const ATTEMPTS: u32 = 32;

/// Transactional memory: runs a function on a [`Tx`], and commits its writes if the keys that it read have not changed.
///
/// The function may run several times. Only its writes through the [`Tx`] are undone, so it should have no other side effects.
/// It keeps its client alive: dropping the last [`Client`](etcd_client_core::Client) does not end it.
///
/// **Guarantees.**
/// With the default [`Isolation::SerializableSnapshot`], committed transactions have the same effect as if they had run one after
/// the other.
/// A transaction is committed at most once: if the response to the commit is lost, the error's outcome is `Unknown`, and the
/// function is not run again.
/// The number of attempts is limited, with full jitter in between.
///
/// **What breaks it.**
/// Writes without a transaction to the same keys are detected, except with [`Isolation::ReadCommitted`], which ignores them.
/// A transaction may read at most as many keys as etcd accepts compares (128 by default), including the keys found in ranges.
///
/// **Keys.**
/// The keys that the function uses, and no others. Go's `concurrency.NewSTM` works on the same keys.
#[doc(alias = "STM")]
#[doc(alias = "NewSTM")]
#[derive(Clone)]
pub struct Stm {
    store: Store,
    isolation: Isolation,
    prefetch: Vec<Key>,
    max_attempts: u32,
}

/// The result of a committed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed<T> {
    /// The value that the function returned in the committed attempt.
    pub value: T,
    /// The number of attempts.
    pub attempts: u32,
    /// The revision of the store at which the transaction took effect: that of its writes, or of its reads if it wrote nothing.
    /// Zero if it did neither.
    pub revision: Revision,
}

impl fmt::Debug for Stm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stm")
            .field("store", &self.store)
            .field("isolation", &self.isolation)
            .field("prefetch", &self.prefetch.len())
            .field("max_attempts", &self.max_attempts)
            .finish()
    }
}

impl Stm {
    /// Creates transactional memory on a client, or on any services.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// let stm = etcd_concurrency::Stm::new(&client);
    /// # drop(stm);
    /// # }
    /// ```
    pub fn new(store: impl Into<Store>) -> Self {
        let isolation = Isolation::default();
        Self { store: store.into(), isolation, prefetch: Vec::new(), max_attempts: ATTEMPTS }
    }

    /// Sets the isolation level. The default is [`Isolation::SerializableSnapshot`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// use etcd_concurrency::{Stm, stm::Isolation};
    ///
    /// let stm = Stm::new(&client).isolation(Isolation::RepeatableReads);
    /// # drop(stm);
    /// # }
    /// ```
    #[doc(alias = "WithIsolation")]
    #[must_use = "returns the changed settings"]
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// Sets keys to read with one request before the function runs. They count as read only if the function reads them. The
    /// default is none.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// let stm = etcd_concurrency::Stm::new(&client).prefetch(["accounts/a", "accounts/b"]);
    /// # drop(stm);
    /// # }
    /// ```
    #[doc(alias = "WithPrefetch")]
    #[must_use = "returns the changed settings"]
    pub fn prefetch<K: Into<Key>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.prefetch = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the maximum number of attempts. Zero counts as one. The default is 32.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// let stm = etcd_concurrency::Stm::new(&client).max_attempts(100);
    /// # drop(stm);
    /// # }
    /// ```
    #[must_use = "returns the changed settings"]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Runs `body` until its transaction is committed.
    ///
    /// The [`Tx`] is owned and cheap to clone, so that the future can be spawned. For an `async` closure that changes its
    /// captures, use [`run_async`](Self::run_async). If the function returns an error, the transaction is abandoned and nothing is
    /// written.
    ///
    /// # Errors
    ///
    /// Returns the function's error, [`Error::Conflict`] after the last attempt, or the client's error. Its outcome is `Unknown` if
    /// the commit may have been applied.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before the commit is sent, nothing is written. If it is dropped later, the outcome is unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::{Error, Stm};
    ///
    /// let copied = Stm::new(&client)
    ///     .run(|tx| async move {
    ///         let value = tx.get("original").await?.unwrap_or_default();
    ///         tx.put("copy", value);
    ///         Ok::<_, Error>(())
    ///     })
    ///     .await?;
    /// println!("copied at revision {}", copied.revision);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewSTM")]
    pub async fn run<F, Fut, T, E>(&self, mut body: F) -> Result<Committed<T>, E>
    where
        F: FnMut(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        let mut backoff = Backoff::CONFLICT;
        let mut prefetched = Prefetched::default();
        for attempts in 1..=self.max_attempts {
            let attempt = self.begin(&mut prefetched).await?;
            let result = body(Tx::new(&attempt)).await;
            if let Some(done) = end(&attempt, result, attempts, &mut prefetched).await {
                return done;
            }
            self.wait_after(attempts, &mut backoff).await;
        }
        Err(Error::Conflict { attempts: self.max_attempts }.into())
    }

    /// Runs an `async` closure until its transaction is committed, as [`run`](Self::run) does. The closure may change its captures.
    ///
    /// The compiler cannot prove yet that the future of a borrowing `async` closure is `Send`. Await it directly, and use
    /// [`run`](Self::run) in tasks that are spawned on a multi-threaded runtime.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`run`](Self::run).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before the commit is sent, nothing is written. If it is dropped later, the outcome is unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::{Error, Stm};
    ///
    /// let mut attempts = 0;
    /// let copied = Stm::new(&client)
    ///     .run_async(async |tx| {
    ///         attempts += 1;
    ///         let value = tx.get("counter").await?;
    ///         tx.put("copy", value.unwrap_or_default());
    ///         Ok::<_, Error>(())
    ///     })
    ///     .await?;
    /// assert_eq!(copied.attempts, attempts);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run_async<F, T, E>(&self, mut body: F) -> Result<Committed<T>, E>
    where
        F: AsyncFnMut(Tx) -> Result<T, E>,
        E: From<Error>,
    {
        // The loop of `run` again: through a shared body, the future of `run` would lose its `Send`.
        let mut backoff = Backoff::CONFLICT;
        let mut prefetched = Prefetched::default();
        for attempts in 1..=self.max_attempts {
            let attempt = self.begin(&mut prefetched).await?;
            let result = body(Tx::new(&attempt)).await;
            if let Some(done) = end(&attempt, result, attempts, &mut prefetched).await {
                return done;
            }
            self.wait_after(attempts, &mut backoff).await;
        }
        Err(Error::Conflict { attempts: self.max_attempts }.into())
    }

    async fn begin(&self, prefetched: &mut Prefetched) -> Result<Arc<Attempt>, Error> {
        let attempt = Attempt::begin(self.store.clone(), self.isolation, std::mem::take(prefetched));
        attempt.prefetch(&self.prefetch).await?;
        Ok(attempt)
    }

    async fn wait_after(&self, attempts: u32, backoff: &mut Backoff) {
        if attempts < self.max_attempts {
            backoff.wait().await;
        }
    }
}

/// Ends an attempt. Returns `None` if another attempt should follow, which starts with the `prefetched` keys.
async fn end<T, E: From<Error>>(
    attempt: &Attempt,
    result: Result<T, E>,
    attempts: u32,
    prefetched: &mut Prefetched,
) -> Option<Result<Committed<T>, E>> {
    // A failed read fails the attempt, even if the function ignored the error and returned a value.
    let abort = match (attempt.finish(), result) {
        (Some(abort), _) => abort,
        (None, Err(error)) => return Some(Err(error)),
        (None, Ok(value)) => match attempt.commit().await {
            Ok(revision) => return Some(Ok(Committed { value, attempts, revision })),
            Err(abort) => abort,
        },
    };
    match abort {
        Abort::Failed(error) => Some(Err(error.into())),
        Abort::Conflict(current) => {
            *prefetched = current;
            None
        }
    }
}
