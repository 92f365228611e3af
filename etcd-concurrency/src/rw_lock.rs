//! The lock that many readers or one writer have.

use std::time::Duration;

use etcd_client_core::Key;
use tokio::time::timeout;

use crate::{
    Error, Guard, Session,
    acquire::{acquire, below, try_acquire},
    contender_prefix,
    waiting::Rivals,
};

/// A lock that many readers or one writer have at a time, granted in the order of arrival: a reader waits for the writers that came
/// before it, a writer for everybody.
///
/// **Guarantees.**
/// A writer excludes everybody, by the rule of etcd's revisions; neither readers nor writers can be kept waiting by those who
/// come later.
/// A reader that waits is woken when the last writer ahead leaves, a writer when the last contender ahead does: at most once for each
/// that was ahead.
///
/// **What breaks it.**
/// Whoever holds it after its lease expired may not know it: see [`Guard`].
/// A task that waits for the write lock while it holds the read lock waits for ever.
/// Go's `RWMutex` does not look at its own key: one whose session ended while it waited returns as if it held the lock.
///
/// **Keys.**
/// `name/read/...` and `name/write/...`, as Go's `recipe.RWMutex` has them: both exclude each other.
///
/// It keeps its session and its client alive.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_client_core::Put;
/// use etcd_concurrency::{RwLock, Session};
///
/// let session = Session::builder(&client).await?;
/// let lock = RwLock::new(&session, "config");
/// let reading = lock.read().await?;
/// reading.unlock().await?;
/// let writing = lock.write().await?;
/// let txn = client.txn().when(writing.owned()).then(Put::new("limits", "20"));
/// assert!(txn.await?.succeeded());
/// writing.unlock().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RwLock {
    session: Session,
    queue: Key,
}

impl RwLock {
    /// The lock of this name, held by this session.
    pub fn new(session: &Session, name: impl Into<Key>) -> Self {
        Self { session: session.clone(), queue: contender_prefix(name) }
    }

    /// Waits for the lock together with other readers.
    ///
    /// Dropping the future leaves the queue: see [`Session`] for when the key is gone.
    ///
    /// # Errors
    /// As [`Mutex::lock`](crate::Mutex::lock).
    pub async fn read(&self) -> Result<Guard, Error> {
        acquire(&self.session, &self.readers(), &self.before_a_reader()).await
    }

    /// Waits for the lock alone.
    ///
    /// Dropping the future leaves the queue: see [`Session`] for when the key is gone.
    ///
    /// # Errors
    /// As [`Mutex::lock`](crate::Mutex::lock).
    pub async fn write(&self) -> Result<Guard, Error> {
        acquire(&self.session, &self.writers(), &self.before_a_writer()).await
    }

    /// Waits together with other readers, but no longer than `limit`.
    ///
    /// # Errors
    /// [`Error::TimedOut`] after that time, else as [`read`](Self::read).
    pub async fn read_within(&self, limit: Duration) -> Result<Guard, Error> {
        timeout(limit, self.read()).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Waits for the lock alone, but no longer than `limit`.
    ///
    /// # Errors
    /// [`Error::TimedOut`] after that time, else as [`write`](Self::write).
    pub async fn write_within(&self, limit: Duration) -> Result<Guard, Error> {
        timeout(limit, self.write()).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Takes the lock together with other readers if no writer has it or waits for it.
    ///
    /// # Errors
    /// [`Error::Held`] when one does, else as [`read`](Self::read).
    pub async fn try_read(&self) -> Result<Guard, Error> {
        try_acquire(&self.session, &self.readers(), &self.before_a_reader()).await
    }

    /// Takes the lock alone if nobody has it or waits for it.
    ///
    /// # Errors
    /// [`Error::Held`] when somebody does, else as [`write`](Self::write).
    pub async fn try_write(&self) -> Result<Guard, Error> {
        try_acquire(&self.session, &self.writers(), &self.before_a_writer()).await
    }

    fn readers(&self) -> Key {
        below(&self.queue, "read/")
    }

    fn writers(&self) -> Key {
        below(&self.queue, "write/")
    }

    fn before_a_reader(&self) -> Rivals {
        Rivals::all_gone(self.writers())
    }

    fn before_a_writer(&self) -> Rivals {
        Rivals::all_gone(&self.queue)
    }
}
