//! Endpoints: authority, state, discovery.

pub(crate) mod authority;
#[cfg(feature = "srv")]
pub(crate) mod discovery;
pub(crate) mod endpoint_state;
pub(crate) mod outage;
#[cfg(feature = "srv")]
pub(crate) mod srv;
