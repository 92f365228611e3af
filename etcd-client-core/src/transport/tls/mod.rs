//! TLS: the user's settings, the rustls configuration, and the handshake.
//!
//! Without a TLS feature, the same types exist but have no values. The rest of the transport needs no `cfg` for them.

#[cfg(feature = "tls")]
mod config;
#[cfg(feature = "tls")]
pub mod danger;
#[cfg(feature = "tls")]
mod describe;
#[cfg(feature = "tls")]
mod live;
#[cfg(feature = "tls")]
mod material;
#[cfg(feature = "tls")]
mod pem;
#[cfg(feature = "tls")]
mod provider;
#[cfg(feature = "tls")]
mod server_names;
#[cfg(feature = "tls")]
mod settings;
#[cfg(feature = "tls")]
mod stream;
#[cfg(feature = "tls")]
mod version;

#[cfg(feature = "tls")]
pub(crate) use self::live::Live;
#[cfg(feature = "tls")]
pub use self::{settings::Tls, version::TlsVersion};

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(not(feature = "tls"))]
pub(crate) use self::absent::{Live, Tls};
