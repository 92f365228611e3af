//! The client, its builder and the handles that the client returns.

pub(crate) mod background;
pub(crate) mod forward;
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
pub(crate) use forward::{for_each_service, forward_to};
pub use handle::Client;
pub use healing::{HealingLease, HealingLeaseBuilder, event::HealingEvent};
