//! Recipes on etcd: sessions, locks, elections, transactional memory, barriers and queues, in one queue with Go programs and
//! `etcdctl`.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! use std::time::Duration;
//! use etcd_client_core::Put;
//! use etcd_concurrency::{Mutex, Session};
//!
//! let session = Session::builder(&client).ttl(Duration::from_secs(10)).await?;
//! let guard = Mutex::new(&session, "jobs/nightly").lock().await?;
//! client.txn().when(guard.owned()).then(Put::new("result", "42")).await?;
//! guard.unlock().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What there is
//!
//! | recipe | is | keys shared with Go |
//! |---|---|---|
//! | [`Session`], [`Tokens`] | a lease that is kept alive, and all that is held by it | |
//! | [`Mutex`] | one holder at a time | `concurrency.Mutex`, `etcdctl lock` |
//! | [`Election`], [`Observer`] | one leader at a time, and who it is | `concurrency.Election`, `etcdctl elect` |
//! | [`RwLock`] | many readers or one writer | `recipe.RWMutex` |
//! | [`Semaphore`] | so many holders at a time | no |
//! | [`Stm`] | transactions that are run again when others were faster | any keys |
//! | [`Barrier`] | all wait while it is up | `recipe.Barrier` |
//! | [`DoubleBarrier`] | so many enter together and leave together | `recipe.DoubleBarrier` |
//! | [`Queue`], [`PriorityQueue`] | each value is taken once | `recipe.Queue`, `recipe.PriorityQueue` |
//! | [`EphemeralKey`], [`create_key`], [`create_unique_key`] | keys that are created once | `recipe.EphemeralKV`, `UniqueKV` |
//! | [`wait_event`], [`wait_deleted`] | waiting for one event | `recipe.WaitEvents` |
//!
//! Each of them says what it guarantees and what breaks it. [`contender_key`] and [`contender_prefix`] are where contenders queue, for
//! programs that only want to look.
//!
//! # Permissions
//!
//! With authentication, the user's role needs permission to read and write
//!
//! - the keys of the recipes: everything that begins with the name, and for a [`PriorityQueue`] with `__name` as well;
//! - for recipes that a [`Session`] uses, the prefix of its [`Tokens`], `__entry/` unless another one is set.
//!
//! Without the second, an entry fails with [`Error::PermissionDenied`], which names the prefix, and nothing is written. Where it cannot
//! be granted, set [`Tokens::below`] to a prefix that the role has, or use [`Tokens::lease_per_entry`], which needs no prefix, costs
//! two requests more per entry and exit together, and does not serve queues with a session.
//!
//! # What holds for all of them
//!
//! - **A lock is advice until the store enforces it.** Whoever is stopped for longer than its lease lives is not the holder any more and
//!   may not know it. [`Guard`] has what helps: [`owned`](Guard::owned) makes etcd refuse the write, [`fence`](Guard::fence) lets another
//!   store do so, [`lost`](Guard::lost) and [`scope`](Guard::scope) stop the work.
//! - **Nobody polls.** A waiter watches its own key and the one ahead; a departure wakes one waiter, which asks once.
//!   Without news nothing is sent but the lease's renewals.
//! - **The end of a place is told at once**, to those who wait as to those who hold: of the key, the lease or the session.
//! - **Nothing is applied late.** Each write of a session is one-shot: of all copies that retries, stopped members and slow links
//!   make of it, one at most is ever applied, and none after the session gave it up. [`Session`] says how, and what that needs.
//! - **Nothing is left behind.** Futures can be dropped at any point, answers can be lost: the session finds out what happened and
//!   deletes it, in one or two round trips.
//! - **Names that are nested collide**: a lock `a` waits for `a/b`, a queue `a` takes the items of `a/b`. [`names_collide`] tells.
//! - **Outages are waited out** by those who wait, as long as their session lives. A call that begins something fails after the
//!   client's timeout, as any other call.
//! - **Compactions are nobody's end**: how things stand now is asked instead.
//! - **Each recipe keeps its client alive**, and a guard keeps its session: dropping the last [`Client`](etcd_client_core::Client)
//!   ends nothing. Closing the client does.
//! - Recipes run on any [`Store`], decorators and mocks included: see [`Session::on`].

mod acquire;
mod barrier;
mod contender;
mod double_barrier;
mod election;
mod error;
mod guard;
mod key;
mod mutex;
mod one_shot;
mod pause;
mod place;
mod priority_queue;
mod queue;
mod rw_lock;
mod semaphore;
mod session;
mod stm;
mod store;
mod token;
mod wait;
mod waiting;

pub use barrier::Barrier;
pub use contender::{contender_key, contender_prefix, names_collide};
pub use double_barrier::{DoubleBarrier, Inside};
pub use election::{Election, Leader, Leadership, Observer};
pub use error::{Error, SessionEnd};
pub use guard::Guard;
pub use key::{EphemeralKey, create_key, create_unique_key};
pub use mutex::Mutex;
pub use priority_queue::PriorityQueue;
pub use queue::Queue;
pub use rw_lock::RwLock;
pub use semaphore::Semaphore;
pub use session::{Session, SessionBuilder, Tokens};
pub use stm::{Committed, Isolation, Stm, Tx};
pub use store::Store;
pub use wait::{wait_deleted, wait_event};

/// The name by which the tests in `tests/` know this crate.
#[cfg(test)]
extern crate self as etcd_concurrency;

/// In here because it breaks the rules of the protocol, which a user of the crate cannot.
#[cfg(test)]
#[allow(clippy::future_not_send, reason = "a story runs on one thread, in virtual time")]
#[path = "../tests/replay/mod.rs"]
mod replay;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
