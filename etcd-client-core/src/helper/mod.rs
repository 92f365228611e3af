//! Helpers built on a client: caches, mirrors and service discovery.

mod cache;
mod mirror;
#[cfg(feature = "naming")]
pub mod naming;
mod revision;
mod source;

pub use cache::{Cache, CacheBuilder, CacheChange, CacheChanges, CacheCounters, CacheSnapshot, CacheStatus};
pub use mirror::Mirror;
