//! Options that weaken TLS. They are confined to this module.

use std::sync::Arc;

use rustls::{
    DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// Disables the verification of the members' certificates: the issuer, the name and the validity period are not
/// checked.
///
/// Anyone between this client and the cluster can then read and change every value, password and token. Use it only
/// for a disposable cluster with unknown certificates. To reach a member by an address that is not in its certificate,
/// use [`Tls::server_name`](crate::transport::connect::tls::settings::Tls::server_name) instead.
///
/// ```
/// use etcd_client_core::Tls;
/// use etcd_client_core::transport::danger::SkipVerification;
///
/// let tls = Tls::new()
///     .skip_verification(SkipVerification::i_understand_that_anyone_in_between_can_read_and_change_everything());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SkipVerification(());

impl SkipVerification {
    /// Creates the value. The name states the consequences, so that they show in a code review.
    pub const fn i_understand_that_anyone_in_between_can_read_and_change_everything() -> Self {
        Self(())
    }
}

/// Accepts any certificate.
#[derive(Debug)]
pub(crate) struct TakesAnything {
    schemes: Vec<SignatureScheme>,
}

impl TakesAnything {
    pub(crate) fn new(provider: &CryptoProvider) -> Arc<Self> {
        Arc::new(Self { schemes: provider.signature_verification_algorithms.supported_schemes() })
    }
}

impl ServerCertVerifier for TakesAnything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    // The certificate was not verified, so a signature by its key proves nothing.
    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
