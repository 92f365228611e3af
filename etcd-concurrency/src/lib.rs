//! Coordination recipes for etcd: sessions, locks, elections, transactional memory, barriers and queues.
//!
//! The recipes store the same keys as the Go client's packages `concurrency` and `experimental/recipes` and as `etcdctl`.
//! Rust and Go programs can wait in the same queue for the same lock.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use std::time::Duration;
//! use etcd_client_core::Put;
//! use etcd_concurrency::{Mutex, Session};
//!
//! let session = Session::builder(&client).ttl(Duration::from_secs(10)).await?;
//! let guard = Mutex::new(&session, "jobs/nightly").lock().await?;
//! // etcd applies the write only while the lock is held.
//! client.txn().when(guard.owned()).then(Put::new("result", "42")).await?;
//! guard.unlock().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Recipes
//!
//! | recipe | purpose | shares its keys with |
//! |---|---|---|
//! | [`Session`] | a lease that is kept alive; locks and keys are attached to it | |
//! | [`Mutex`] | one holder at a time | `concurrency.Mutex`, `etcdctl lock` |
//! | [`RwLock`] | many readers or one writer | `recipe.RWMutex` |
//! | [`Semaphore`] | up to N concurrent holders | |
//! | [`Election`], [`election::Observer`] | one leader at a time, visible to everyone | `concurrency.Election`, `etcdctl elect` |
//! | [`run_with_lock`], [`run_as_leader`] | work that runs only while a lock or a leadership is held | |
//! | [`Stm`] | transactions that are retried on conflict | any keys |
//! | [`Barrier`] | waiters block until the barrier is released | `recipe.Barrier` |
//! | [`DoubleBarrier`] | N participants enter together and leave together | `recipe.DoubleBarrier` |
//! | [`Queue`], [`PriorityQueue`] | each value is taken once | `recipe.Queue`, `recipe.PriorityQueue` |
//! | [`EphemeralKey`], [`keys`] | keys that are created once | `recipe.EphemeralKV`, `recipe.UniqueKV` |
//! | [`wait`] | waiting for one event | `recipe.WaitEvents` |
//!
//! The documentation of each recipe lists what it guarantees, what breaks it, and which keys it uses.
//! Its module has the types that belong to it, such as [`election::Leadership`] and [`stm::Tx`].
//! [`keys::contender_prefix`] and [`keys::contender_key`] return the keys of a queue, for programs that only inspect it.
//!
//! # Properties shared by all recipes
//!
//! - **A lock is advisory until etcd enforces it.** A process paused for longer than its lease TTL loses the lock, possibly
//!   without noticing. [`Guard::owned`] is a condition for transactions: etcd rejects the write once the lock is lost.
//!   [`Guard::fence`] lets another store reject it. [`run_with_lock`], [`run_as_leader`] and [`Guard::scope`]
//!   stop the work.
//! - **Waiting does not poll.** A waiter watches its own key and the key directly ahead. Each departure wakes one waiter, which
//!   sends one request. Otherwise only lease renewals are sent. Semaphores differ: see [`Semaphore`].
//! - **Losses are reported immediately.** Waiters and holders get an error as soon as their key, lease or session ends.
//! - **Late copies are not applied.** A retry, a hung member or a slow link can apply a copy of a request long after the caller
//!   gave up. Each write of a session is applied at most once, and never after the session abandoned it.
//!   [`Session`] describes the mechanism and its limits.
//! - **Dropping a future is safe.** After a dropped future or a lost response, the session determines the outcome in the
//!   background and deletes what was created, in one or two round trips.
//! - **Nested names collide.** A lock `a` waits for the holder of `a/b`, and a queue `a` takes the items of `a/b`.
//!   [`keys::names_collide`] checks two names.
//! - **Waiting survives outages** for as long as the session lives. A call that starts an operation fails after the client's
//!   timeout, like any other call.
//! - **A compaction never ends a recipe.** It re-reads the current state.
//! - **Recipes keep their client alive**, and guards keep their session alive. Dropping the last
//!   [`Client`](etcd_client_core::Client) handle ends neither; [`Client::close`](etcd_client_core::Client::close) does.
//! - **Recipes run on any [`Store`]**, including wrappers and mocks of the client's services.
//!
//! # Permissions
//!
//! With authentication enabled, the user's role needs read and write permission on
//!
//! - the keys of the recipes: every key that starts with the name, and for a [`PriorityQueue`] also those that start with
//!   `__name`;
//! - for recipes with a [`Session`]: the prefix of the session's [`Tokens`](session::Tokens), which defaults to `__entry/`.
//!
//! Without permission on the token prefix, an operation fails with [`Error::PermissionDenied`], which names the prefix, and
//! writes nothing. If the role cannot have this permission, set [`Tokens::below`](session::Tokens::below) to a prefix that it
//! has. [`Tokens::lease_per_entry`](session::Tokens::lease_per_entry) needs no prefix. It costs two more requests per entry and
//! exit together, and does not support queues with a session.

pub mod barrier;
pub mod double_barrier;
pub mod election;
pub mod keys;
pub mod mutex;
pub mod priority_queue;
pub mod queue;
pub mod run;
pub mod rw_lock;
pub mod semaphore;
pub mod session;
pub mod stm;
pub mod wait;

mod backoff;
mod error;
mod guard;
mod queue_entry;
mod store;
mod token;
mod waiting;

#[doc(inline)]
pub use barrier::Barrier;
#[doc(inline)]
pub use double_barrier::DoubleBarrier;
#[doc(inline)]
pub use election::Election;
pub use error::Error;
pub use guard::Guard;
#[doc(inline)]
pub use keys::EphemeralKey;
#[doc(inline)]
pub use mutex::Mutex;
#[doc(inline)]
pub use priority_queue::PriorityQueue;
#[doc(inline)]
pub use queue::Queue;
#[doc(inline)]
pub use run::{run_as_leader, run_with_lock};
#[doc(inline)]
pub use rw_lock::RwLock;
#[doc(inline)]
pub use semaphore::Semaphore;
#[doc(inline)]
pub use session::Session;
#[doc(inline)]
pub use stm::Stm;
pub use store::Store;

/// The name of this crate in the modules that unit tests include from `tests/`.
#[cfg(test)]
extern crate self as etcd_concurrency;

/// A unit test rather than an integration test: it breaks rules of the token protocol, which the public API cannot do.
#[cfg(test)]
#[allow(clippy::future_not_send, reason = "each run uses one thread and virtual time")]
#[path = "../tests/replay/mod.rs"]
mod replay;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
