//! The cryptography that rustls is given. Never the process's default, which is missing or ambiguous as soon as two crates
//! of a program choose differently.

use std::sync::Arc;

use etcd_errors::Error;
use rustls::crypto::CryptoProvider;

/// ring where the feature is on, else aws-lc.
pub(super) fn provider() -> Result<Arc<CryptoProvider>, Error> {
    #[cfg(feature = "tls-ring")]
    let provider = Ok(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(all(feature = "tls-aws-lc", not(feature = "tls-ring")))]
    let provider = Ok(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
    let provider = Err(Error::invalid_config(
        "tls",
        "this build has no cryptography: enable the feature `tls-ring` or `tls-aws-lc` of etcd-client-core",
    ));
    provider
}
