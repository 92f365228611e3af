//! What takes the protection out of TLS. Nothing outside of this module does.

use std::sync::Arc;

use rustls::{
    DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// Lets a client talk to whoever answers: no authority, no name and no date of the peer's certificate is looked at.
///
/// Whoever sits between this client and the cluster then reads every value, password and token, and changes what they like.
/// For a throw-away cluster whose certificates nobody has. To reach a member by an address that is not in its
/// certificate, use [`Tls::server_name`](crate::Tls::server_name) instead.
///
/// ```
/// use etcd_client_core::{Tls, danger::SkipVerification};
///
/// let tls = Tls::new()
///     .skip_verification(SkipVerification::i_understand_that_anyone_in_between_can_read_and_change_everything());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SkipVerification(());

impl SkipVerification {
    /// The words that have to be written for it.
    pub const fn i_understand_that_anyone_in_between_can_read_and_change_everything() -> Self {
        Self(())
    }
}

/// Takes any certificate.
#[derive(Debug)]
pub(super) struct TakesAnything {
    schemes: Vec<SignatureScheme>,
}

impl TakesAnything {
    pub(super) fn new(provider: &CryptoProvider) -> Arc<Self> {
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

    // A signature by a key that nobody vouches for proves nothing.
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
