//! Transactions on memory that others change too: a function reads and writes, and is run again when others were faster.

mod attempt;
mod isolation;
mod reads;
mod tx;
mod writes;

use std::{fmt, sync::Arc};

use etcd_client_core::{Key, Revision};

pub use isolation::Isolation;
pub use tx::Tx;

use crate::{Error, Store, pause::Pauses};
use attempt::{Attempt, End};
use reads::Fetched;

/// How often a transaction is tried unless it is said: with full jitter up to 250 ms in between, a few seconds.
const ATTEMPTS: u32 = 32;

/// Transactional memory: runs a function on a [`Tx`], and commits what it wrote if what it read is still so.
///
/// The function may run several times, and what it does besides is not taken back: it should only use its `Tx`.
///
/// **Guarantees.**
/// With the default [`Isolation::SerializableSnapshot`] it is as if the committed transactions ran one after the other.
/// A transaction is committed at most once: where etcd's answer to the commit was lost, the error's outcome is `Unknown`, and the
/// function is not run again.
/// Attempts are bounded, with full jitter in between.
///
/// **What breaks it.**
/// Writers that share the keys without a transaction are seen, but [`Isolation::ReadCommitted`] does not mind them.
/// A transaction may read at most as many keys as etcd takes compares (128 by default), those found in ranges included.
///
/// **Keys.**
/// Whatever the function names; nothing else is written. Go's `concurrency.NewSTM` works on the same keys.
///
/// It keeps its client alive: dropping the last [`Client`](etcd_client_core::Client) does not end it.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::{Error, Stm, Tx};
///
/// async fn balance(tx: &Tx, account: &str) -> Result<i64, Error> {
///     let stored = tx.get(account).await?;
///     Ok(stored.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0))
/// }
///
/// let moved = Stm::new(&client)
///     .run(|tx| async move {
///         let (from, to) = (balance(&tx, "accounts/a").await?, balance(&tx, "accounts/b").await?);
///         tx.put("accounts/a", (from - 1).to_string());
///         tx.put("accounts/b", (to + 1).to_string());
///         Ok::<_, Error>(from - 1)
///     })
///     .await?;
/// println!("{} left after {} attempts", moved.value, moved.attempts);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Stm {
    store: Store,
    isolation: Isolation,
    prefetch: Vec<Key>,
    max_attempts: u32,
}

/// What a committed transaction gave.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed<T> {
    /// What the function returned in the attempt that was committed.
    pub value: T,
    /// How often it was run.
    pub attempts: u32,
    /// The revision of the store at which it holds: that of its writes, or of its reads where it wrote nothing. Zero where it
    /// did neither.
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
    /// Transactions on a client, or on any services.
    pub fn new(store: impl Into<Store>) -> Self {
        let isolation = Isolation::default();
        Self { store: store.into(), isolation, prefetch: Vec::new(), max_attempts: ATTEMPTS }
    }

    /// What others may do meanwhile. Default: [`Isolation::SerializableSnapshot`].
    #[must_use = "returns the changed settings"]
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// Keys to read in one request before the function runs. They count as read only if the function reads them. Default: none.
    #[must_use = "returns the changed settings"]
    pub fn prefetch<K: Into<Key>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.prefetch = keys.into_iter().map(Into::into).collect();
        self
    }

    /// How often the function is run at most; one for zero. Default: 32.
    #[must_use = "returns the changed settings"]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Runs `body` until its transaction is committed.
    ///
    /// The [`Tx`] is owned and cheap to clone, so that the future can be spawned. For an `async` closure that changes what it
    /// captures, see [`run_async`](Self::run_async). An error of the function abandons the transaction: nothing is written.
    /// Dropping the future before the commit was sent writes nothing, later leaves it open.
    ///
    /// # Errors
    /// The function's own; [`Error::Conflict`] after the last attempt; the client's error, whose outcome is `Unknown` where the
    /// commit may have been applied.
    pub async fn run<F, Fut, T, E>(&self, mut body: F) -> Result<Committed<T>, E>
    where
        F: FnMut(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        let mut pauses = Pauses::CONFLICT;
        let mut known = Fetched::default();
        for attempts in 1..=self.max_attempts {
            let attempt = self.begin(&mut known).await?;
            let result = body(Tx::new(&attempt)).await;
            if let Some(done) = end(&attempt, result, attempts, &mut known).await {
                return done;
            }
            self.pause_after(attempts, &mut pauses).await;
        }
        Err(Error::Conflict { attempts: self.max_attempts }.into())
    }

    /// Runs an `async` closure until its transaction is committed: as [`run`](Self::run), and the closure may change what it
    /// captures.
    ///
    /// The compiler cannot show yet that the future of a borrowing `async` closure is `Send`: await it where it is made, and use
    /// [`run`](Self::run) in a task that is spawned on a runtime of several threads.
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::{Error, Stm};
    ///
    /// let mut attempts = 0;
    /// let copied = Stm::new(&client)
    ///     .run_async(async |tx| {
    ///         attempts += 1;
    ///         let there = tx.get("counter").await?;
    ///         tx.put("copy", there.unwrap_or_default());
    ///         Ok::<_, Error>(())
    ///     })
    ///     .await?;
    /// assert_eq!(copied.attempts, attempts);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_async<F, T, E>(&self, mut body: F) -> Result<Committed<T>, E>
    where
        F: AsyncFnMut(Tx) -> Result<T, E>,
        E: From<Error>,
    {
        let mut pauses = Pauses::CONFLICT;
        let mut known = Fetched::default();
        for attempts in 1..=self.max_attempts {
            let attempt = self.begin(&mut known).await?;
            let result = body(Tx::new(&attempt)).await;
            if let Some(done) = end(&attempt, result, attempts, &mut known).await {
                return done;
            }
            self.pause_after(attempts, &mut pauses).await;
        }
        Err(Error::Conflict { attempts: self.max_attempts }.into())
    }

    async fn begin(&self, known: &mut Fetched) -> Result<Arc<Attempt>, Error> {
        let attempt = Attempt::begin(self.store.clone(), self.isolation, std::mem::take(known));
        attempt.prefetch(&self.prefetch).await?;
        Ok(attempt)
    }

    async fn pause_after(&self, attempts: u32, pauses: &mut Pauses) {
        if attempts < self.max_attempts {
            pauses.pause().await;
        }
    }
}

/// Ends an attempt; `None` where there should be another, which begins with what is `known`.
async fn end<T, E: From<Error>>(
    attempt: &Attempt,
    result: Result<T, E>,
    attempts: u32,
    known: &mut Fetched,
) -> Option<Result<Committed<T>, E>> {
    // A read that failed spoils the attempt, whatever the function made of it.
    let end = match (attempt.failed(), result) {
        (Some(end), _) => end,
        (None, Err(error)) => return Some(Err(error)),
        (None, Ok(value)) => match attempt.commit().await {
            Ok(revision) => return Some(Ok(Committed { value, attempts, revision })),
            Err(end) => end,
        },
    };
    match end {
        End::Failed(error) => Some(Err(error.into())),
        End::Conflict(present) => {
            *known = present;
            None
        }
    }
}
