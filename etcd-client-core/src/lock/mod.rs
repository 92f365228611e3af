//! Locks that the members run on behalf of clients.

pub(crate) mod client;
pub(crate) mod codec;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod service;

pub use client::LockClient;
pub use request::{
    lock::{ServerLock, ServerLockResponse},
    unlock::{ServerUnlock, ServerUnlockResponse},
};
pub use service::LockService;
