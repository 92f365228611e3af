//! TODO-HEADER lock

pub(crate) mod client;
pub(crate) mod codec;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod service;

pub use client::ServerLocks;
pub use request::{
    lock::{ServerLock, ServerLockResponse},
    unlock::{ServerUnlock, ServerUnlockResponse},
};
pub use service::LockService;
