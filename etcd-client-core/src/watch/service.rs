//! The watch service, and the types that it returns.

use std::fmt::Debug;

use async_trait::async_trait;
use etcd_errors::Error;

pub(crate) use crate::watch::WatchStream;
use crate::{request::CallOptions, watch::Watch};

/// The watch service. The client implements it, wrappers extend it, and mocks can use [`WatchStream::channel`].
#[async_trait]
pub trait WatchService: Send + Sync + Debug {
    /// Creates a watch, and waits until a member has created it.
    ///
    /// The timeout in the options limits the wait for the creation. The watch itself has no time limit.
    ///
    /// # Errors
    /// Returns an error if the range or the start revision is invalid, the user has no permission, or no member
    /// created the watch in time. A client over a service of your own returns
    /// [`Unsupported`](etcd_errors::ErrorKind::Unsupported).
    ///
    /// A compacted start revision is reported by the first item of the handle, because members create such a watch
    /// and cancel it afterwards. With [`resync`](Watch::resync) it is not an error.
    async fn watch(&self, op: Watch, options: CallOptions) -> Result<WatchStream, Error>;
}
