//! TODO-HEADER watch

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
pub use handle::{WatchEvents, WatchHandle};
pub use request::{SlowReader, WatchCreate};
pub use response::{WatchResponse, WatchResponseKind};
pub use service::Watch;
pub use status::{WatchCounters, WatchStatus};
