//! What is built on a client: copies of a range that follow the store.

mod cache;
mod mirror;
#[cfg(feature = "naming")]
pub mod naming;
mod revision;
mod source;

pub use cache::{Cache, CacheBuilder, CacheChange, CacheChanges, CacheCounters, CacheSnapshot, CacheStatus};
pub use mirror::Mirror;
