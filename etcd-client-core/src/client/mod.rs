//! What a user holds: the client, its builder and the handles it gives out.

mod builder;
mod endpoints;
mod handle;
mod leases;
mod least_version;
mod pages;
mod snapshot;
mod upkeep;

pub use builder::ClientBuilder;
pub use handle::Client;
pub use leases::Leases;
pub use pages::{Page, Pages};
pub use snapshot::Snapshot;
