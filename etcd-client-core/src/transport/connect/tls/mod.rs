//! TLS: the user's settings, the rustls configuration, and the handshake.
//!
//! Without a TLS feature, the same types exist but have no values. The rest of the transport needs no `cfg` for them.

#[cfg(not(feature = "tls"))]
pub(crate) mod disabled;

#[cfg(feature = "tls")]
pub(crate) mod accept_any;
#[cfg(feature = "tls")]
pub(crate) mod config;
#[cfg(feature = "tls")]
pub(crate) mod describe;
#[cfg(feature = "tls")]
pub(crate) mod live;
#[cfg(feature = "tls")]
pub(crate) mod pem;
#[cfg(feature = "tls")]
pub(crate) mod server_names;
#[cfg(feature = "tls")]
pub(crate) mod settings;
#[cfg(feature = "tls")]
pub(crate) mod stream;

#[cfg(not(feature = "tls"))]
pub(crate) use disabled::{Live, Tls};
#[cfg(feature = "tls")]
pub(crate) use {live::Live, settings::Tls};
