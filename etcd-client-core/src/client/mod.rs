//! The client and its builder, and leases that are granted again after a loss.
//!
//! [`Client::builder`] takes the endpoints and sets TLS, credentials, timeouts, limits and the balancing of calls. A [`Client`] is
//! cheap to clone, and its clones share their connections.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example() -> Result<(), etcd_client_core::Error> {
//! use std::time::Duration;
//! use etcd_client_core::Client;
//!
//! let client = Client::builder(["http://10.0.0.1:2379", "http://10.0.0.2:2379"]).timeout(Duration::from_secs(2)).build()?;
//! client.ready().await?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod background;
pub(crate) mod stub;

pub(crate) mod builder;
#[cfg(all(feature = "srv", feature = "tls"))]
pub(crate) mod discovered;
pub(crate) mod endpoints;
pub(crate) mod handle;
pub(crate) mod healing;
pub(crate) mod least_version;
pub(crate) mod namespaced;
pub(crate) mod services;

pub use builder::ClientBuilder;
pub use handle::Client;
pub use healing::{HealingLease, HealingLeaseBuilder, event::HealingEvent};
