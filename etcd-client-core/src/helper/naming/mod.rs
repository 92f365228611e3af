//! Naming: where the instances of a service are, kept in keys that Go's `naming/endpoints` reads and writes as well.
//!
//! An instance registers its address under a lease that it keeps alive. A caller of the service lists the addresses and follows their
//! changes.
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

mod change;
mod endpoint;
mod endpoints;
#[cfg(test)]
mod tests;
#[cfg(feature = "tower")]
pub mod tower;
mod update;
mod watch;

pub use change::EndpointChange;
pub use endpoint::ServiceEndpoint;
pub use endpoints::Endpoints;
pub use update::EndpointUpdate;
pub use watch::{EndpointChanges, EndpointWatch};
