//! What a user holds: the client, its builder and the handles it gives out.

mod builder;
mod cluster;
mod handle;
mod leases;
mod maintenance;
mod pages;

pub use builder::ClientBuilder;
pub use cluster::ClusterHandle;
pub use handle::Client;
pub use leases::Leases;
pub use maintenance::MaintenanceHandle;
pub use pages::{Page, Pages};
