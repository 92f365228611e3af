//! Service discovery, compatible with Go's `naming/endpoints`: both read and write the same keys.
//!
//! An instance registers its address with a lease that it keeps alive. Callers of the service list the addresses and watch their
//! changes.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use std::time::Duration;
//! use etcd_client_core::naming::{EndpointChange, EndpointUpdate, Endpoints, ServiceEndpoint};
//!
//! let endpoints = Endpoints::new(&client, "services/web")?;
//! // The registration lasts for as long as `lease` is held: keep it next to the server.
//! let lease = client.lease().grant(Duration::from_secs(10)).keep_alive().await?;
//! let me = ServiceEndpoint::new("10.0.0.7:8080").with_metadata(&["zone-a"])?;
//! endpoints.update([EndpointUpdate::add("services/web/7", me).lease(lease.id())]).await?;
//!
//! let mut watch = endpoints.watch().await?;
//! while let Some(batch) = watch.next().await {
//!     for change in batch? {
//!         match change {
//!             EndpointChange::Added { key, endpoint } => println!("{key:?} is at {}", endpoint.addr()),
//!             EndpointChange::Deleted { key } => println!("{key:?} is gone"),
//!             _ => {}
//!         }
//!     }
//! #   break;
//! }
//! # Ok(())
//! # }
//! ```

pub(crate) mod change;
pub(crate) mod endpoint;
pub(crate) mod endpoints;
#[cfg(test)]
mod tests;
#[cfg(feature = "tower")]
pub mod tower;
pub(crate) mod update;
pub(crate) mod watch;

pub use crate::naming::{
    change::EndpointChange,
    endpoint::ServiceEndpoint,
    endpoints::Endpoints,
    update::EndpointUpdate,
    watch::{EndpointChanges, EndpointWatch},
};
