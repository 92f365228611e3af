//! Watches: the changes of a key or a range, in the order of revisions.
//!
//! [`Client::watch`](crate::Client::watch) creates a watch. The [`WatchStream`] yields one response per revision or batch of
//! revisions, and [`WatchStream::events`] yields single events. A watch resumes after the loss of a member or a connection,
//! without missing or repeating an event. A compaction of events that were not delivered ends it with an error, unless
//! [`resync`](Watch::resync) is set.
//!
//! Undelivered events take a bounded amount of memory; [`Backpressure`] selects what happens at the bound.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! let mut events = client.watch("config/").prefix().await?.events();
//! while let Some(event) = events.next().await {
//!     let event = event?;
//!     println!("{:?} {:?}", event.event_type, event.kv.key_str());
//! }
//! # Ok(())
//! # }
//! ```

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
