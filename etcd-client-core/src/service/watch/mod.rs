//! The service of watches, and what it hands out.

mod channel;
mod handle;
mod response;
mod status;

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

pub(crate) use channel::WatchControl;
pub use channel::WatchSender;
pub use handle::{WatchEvents, WatchHandle};
pub use response::{WatchResponse, WatchResponseKind};
pub use status::{WatchCounters, WatchStatus};

use super::CallOptions;
use crate::op::WatchCreate;

/// Watches. The client is one; a decorator is made from another; a mock answers by [`WatchHandle::channel`].
#[async_trait]
pub trait Watch: Send + Sync + Debug {
    /// Creates a watch, and waits until it is there.
    ///
    /// The options' timeout bounds the wait for the creation; the watch has no end of its own.
    ///
    /// # Errors
    /// When the watch is refused: its range or start revision is invalid, the user has no permission, or no member created it in
    /// time. [`Unsupported`](etcd_errors::ErrorKind::Unsupported) on a client over a service of its user's.
    ///
    /// A start revision that is compacted shows as the first item of the handle, unless [`resync`](WatchCreate::resync) was asked
    /// for: members create such a watch, and cancel it after that.
    async fn watch(&self, op: WatchCreate, options: CallOptions) -> Result<WatchHandle, Error>;
}
