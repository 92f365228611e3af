//! Watches on keys and ranges.

pub(crate) mod channel;
pub(crate) mod codec;
pub(crate) mod handle;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod service;
pub(crate) mod state;
pub(crate) mod status;

pub(crate) use channel::WatchControl;
pub use channel::WatchSender;
pub use handle::{EventStream, WatchStream};
pub use request::{Backpressure, Watch};
pub use response::{WatchResponse, WatchResponseKind};
pub use service::WatchService;
pub use status::{WatchCounters, WatchStatus};
