//! Work that runs only while a lock or a leadership is held.
//!
//! [`run_with_lock`] and [`run_as_leader`] acquire, run a future, and release. The future is dropped as soon as the lock is lost,
//! and a tenth of the TTL before its lease may have expired if the lease is not renewed. The clock is checked before each poll: a
//! process that was stopped or suspended for longer does not poll the future again.
//!
//! One poll is not interrupted. A future that blocks its thread, or a process that is stopped in the middle of a poll, continues
//! to its next `await`. Guard each write as the example does, so that this has no effect.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client, session: etcd_concurrency::Session) -> Result<(), etcd_concurrency::Error> {
//! use etcd_client_core::Put;
//! use etcd_concurrency::{Mutex, run_with_lock};
//!
//! let work = |holder: etcd_concurrency::run::Holder| async move {
//!     // etcd applies the write only while the lock is held.
//!     client.txn().when(holder.owned()).then(Put::new("result", "42")).await
//! };
//! let written = run_with_lock(&Mutex::new(&session, "jobs/nightly"), work).await??;
//! println!("applied: {}", written.succeeded());
//! # Ok(())
//! # }
//! ```

mod holder;
mod tenure;

use std::sync::Arc;

use etcd_client_core::Value;
pub use holder::{Holder, Leading};

use crate::{Election, Error, Mutex};

/// Acquires a lock, runs the future that `work` returns while the lock is held, and releases the lock.
///
/// Waits until the lock is free. The module [`run`](crate::run) describes when the future is dropped. The lock is released before
/// this call returns; if that fails, the session releases it in the background.
///
/// # Errors
///
/// - [`Error::NotRenewed`] if the lease was not renewed in time. The future was dropped before the lease could expire.
/// - [`Error::LockLost`] if the key was deleted, and [`Error::SessionExpired`] if the session ended. The future was dropped.
/// - The errors of [`Mutex::lock`]. The future was not started.
///
/// # Cancel safety
///
/// Dropping the returned future drops the future of `work`, and releases the lock in the background.
///
/// # Examples
///
/// ```no_run
/// # async fn example(session: etcd_concurrency::Session) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::{Mutex, run_with_lock};
///
/// let mutex = Mutex::new(&session, "jobs/nightly");
/// let rows = run_with_lock(&mutex, |holder| async move {
///     println!("working with fence {}", holder.fence());
///     42
/// })
/// .await?;
/// println!("{rows} rows");
/// # Ok(())
/// # }
/// ```
#[doc(alias = "scope")]
pub async fn run_with_lock<F, Fut>(mutex: &Mutex, work: F) -> Result<Fut::Output, Error>
where
    F: FnOnce(Holder) -> Fut,
    Fut: Future,
{
    let guard = mutex.lock().await?;
    let holder = Holder::new(&guard);
    let output = tenure::run(&guard, async move { work(holder).await }).await?;
    // The work is done. If the response is lost, the session releases the lock.
    drop(guard.unlock().await);
    Ok(output)
}

/// Waits until the caller is elected, runs the future that `work` returns while the caller leads, and resigns.
///
/// The module [`run`](crate::run) describes when the future is dropped. To stand for election again after a loss, call it in a
/// loop.
///
/// # Errors
///
/// - [`Error::NotRenewed`] if the lease was not renewed in time. The future was dropped before the lease could expire.
/// - [`Error::LockLost`] if the key was deleted, and [`Error::SessionExpired`] if the session ended. The future was dropped.
/// - The errors of [`Election::campaign`]. The future was not started.
///
/// # Cancel safety
///
/// Dropping the returned future drops the future of `work`, and resigns in the background.
///
/// # Examples
///
/// ```no_run
/// # async fn example(session: etcd_concurrency::Session) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::{Election, run_as_leader};
///
/// let election = Election::new(&session, "scheduler");
/// run_as_leader(&election, "host-1", |leading| async move {
///     leading.proclaim("host-1, ready").await?;
///     println!("leading with fence {}", leading.fence());
///     Ok::<_, etcd_concurrency::Error>(())
/// })
/// .await?
/// # }
/// ```
#[doc(alias = "leader_election")]
pub async fn run_as_leader<F, Fut>(
    election: &Election,
    value: impl Into<Value> + Send,
    work: F,
) -> Result<Fut::Output, Error>
where
    F: FnOnce(Leading) -> Fut,
    Fut: Future,
{
    let leadership = Arc::new(election.campaign(value).await?);
    let leading = Leading::new(&leadership);
    let output = tenure::run(leadership.guard(), async move { work(leading).await }).await?;
    // `None` while a spawned task proclaims: the leadership is resigned when that ends.
    if let Some(leadership) = Arc::into_inner(leadership) {
        drop(leadership.resign().await);
    }
    Ok(output)
}
