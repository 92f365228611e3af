//! Values in JSON: typed reads, writes and watches, and values that follow the store.
//!
//! [`Client::json`](crate::Client::json) returns the typed operations. A [`Live`] follows one key or a prefix into a typed value, for
//! configuration that is reloaded without a restart.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use etcd_client_core::json::Live;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Limits {
//!     connections: u32,
//! }
//!
//! client.json::<Limits>().put("config/limits", &Limits { connections: 10 })?.await?;
//!
//! let limits = Live::<Limits>::key(&client, "config/limits")?;
//! println!("{} connections", limits.ready().await?.connections);
//! let mut changes = limits.changes();
//! while let Some(state) = changes.next().await {
//!     match (&state.value, &state.error) {
//!         (_, Some(error)) => eprintln!("keeping the last valid limits: {error}"),
//!         (Some(limits), None) => println!("{} connections", limits.connections),
//!         (None, None) => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```

pub(crate) mod client;
pub(crate) mod codec;
pub(crate) mod events;
pub(crate) mod live;
pub(crate) mod reading;
#[cfg(test)]
mod tests;

pub use client::JsonClient;
pub use codec::Json;
pub use events::{JsonEvent, JsonEvents};
pub use live::{Live, LiveChanges, LiveMap, LiveState};
