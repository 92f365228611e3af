//! Concurrency recipes on etcd that share their keys with the Go client.
//!
//! What stands today is the vocabulary that every recipe for locks and elections starts from: where the contenders of a
//! lock or an office queue, and under which key each of them does. The keys are those of Go's `concurrency` package
//! and of `etcdctl lock`, so that programs in both languages wait in one queue.
//!
//! ```
//! use etcd_client_core::LeaseId;
//! use etcd_concurrency::{contender_key, contender_prefix};
//!
//! let lease = LeaseId::new(0x694d_8141_7acd_4754).expect("not zero");
//! assert_eq!(contender_key("jobs/nightly", lease), "jobs/nightly/694d81417acd4754");
//! assert_eq!(contender_prefix("jobs/nightly"), "jobs/nightly/");
//! ```
//!
//! A program that only wants to look reads the queue with a plain range; the owner is the one that came first:
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! let queue = client.get(etcd_concurrency::contender_prefix("jobs/nightly")).prefix().await?;
//! let owner = queue.kvs.iter().min_by_key(|contender| contender.create_revision);
//! # Ok(())
//! # }
//! ```
//!
//! Not here yet: sessions, the mutex and the election themselves, transactional memory, semaphores, barriers and queues.

mod acquire;
mod barrier;
mod contender;
mod double_barrier;
mod election;
mod error;
mod guard;
mod key;
mod mutex;
mod pause;
mod place;
mod priority_queue;
mod queue;
mod rw_lock;
mod semaphore;
mod session;
mod stm;
mod store;
mod wait;
mod waiting;

pub use barrier::Barrier;
pub use contender::{contender_key, contender_prefix};
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
pub use session::{Session, SessionBuilder};
pub use stm::{Committed, Isolation, Stm, Tx};
pub use store::Store;
pub use wait::{wait_deleted, wait_event};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
