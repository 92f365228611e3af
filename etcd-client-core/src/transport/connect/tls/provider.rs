//! The cryptography provider for rustls. The process-wide default of rustls is not used: it is missing or ambiguous as
//! soon as two crates of a program enable different providers.

use std::sync::Arc;

use etcd_errors::Error;
use rustls::crypto::CryptoProvider;

/// Returns ring if the feature `tls-ring` is enabled, otherwise aws-lc.
pub(crate) fn provider() -> Result<Arc<CryptoProvider>, Error> {
    #[cfg(feature = "tls-ring")]
    let provider = Ok(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(all(feature = "tls-aws-lc", not(feature = "tls-ring")))]
    let provider = Ok(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
    let provider = Err(Error::invalid_config(
        "tls",
        "this build has no TLS cryptography: enable the feature `tls-ring` or `tls-aws-lc` of etcd-client-core",
    ));
    provider
}
