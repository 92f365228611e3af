//! The client, its builder and the handles that the client returns.

mod auth_admin;
mod builder;
mod cluster;
#[cfg(all(feature = "srv", feature = "tls"))]
mod discovered;
mod endpoints;
mod handle;
mod healing;
mod leases;
mod least_version;
mod maintenance;
mod namespaced;
mod pages;
mod server_elections;
mod server_locks;
mod services;
mod snapshot;
mod tonic;
mod upkeep;

pub use auth_admin::AuthAdmin;
pub use builder::ClientBuilder;
pub use cluster::ClusterHandle;
pub use handle::Client;
pub use healing::{HealingEvent, HealingLease, HealingLeaseBuilder};
pub use leases::Leases;
pub use maintenance::MaintenanceHandle;
pub use pages::{Page, Pages};
pub use server_elections::ServerElections;
pub use server_locks::ServerLocks;
pub use snapshot::Snapshot;
