//! Builds the rustls configuration from the settings and the contents of their files.

use std::sync::Arc;

use etcd_errors::Error;
use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, SupportedProtocolVersion,
    client::{Resumption, WantsClientCert},
    crypto::CryptoProvider,
    version::{TLS12, TLS13},
};
use sha2::{Digest as _, Sha256};

use crate::transport::connect::tls::{
    accept_any::AcceptAnyCertificate,
    pem::Pem,
    settings::{Tls, TlsVersion},
};

/// The only ALPN protocol offered. gRPC requires HTTP/2 (RFC 9113 section 3.1 defines the id).
pub(crate) const HTTP2: &[u8] = b"h2";

/// Builds the rustls configuration. Every mistake in the settings is reported here.
pub(crate) fn client_config(settings: &Tls, material: &Material) -> Result<ClientConfig, Error> {
    let versions = versions(settings)?;
    let provider = provider()?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .map_err(|error| {
            Error::invalid_config("tls.min_version", "this build supports none of these versions")
                .with_source(error)
        })?;
    let builder = if settings.accept_invalid_certs {
        if settings.native_roots || !settings.authorities.is_empty() {
            let why = "danger_accept_invalid_certs cannot be combined with certificate authorities: remove one of the two";
            return Err(Error::invalid_config("tls.ca", why));
        }
        builder.dangerous().with_custom_certificate_verifier(AcceptAnyCertificate::new(&provider))
    } else {
        builder.with_root_certificates(roots(settings, material)?)
    };
    let mut config = identified(builder, material)?;
    config.alpn_protocols = vec![HTTP2.to_vec()];
    // A resumed session skips the certificate exchange, so rotated certificates would not take effect.
    // Connections are few and long-lived, so resumption would save little.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn versions(settings: &Tls) -> Result<Vec<&'static SupportedProtocolVersion>, Error> {
    let (min, max) = (settings.min_version, settings.max_version);
    if min > max {
        let why = format!("the minimum version, {min}, is newer than the maximum, {max}");
        return Err(Error::invalid_config("tls.min_version", why));
    }
    let known = [(TlsVersion::Tls12, &TLS12), (TlsVersion::Tls13, &TLS13)];
    Ok(known
        .into_iter()
        .filter(|(version, _)| (min..=max).contains(version))
        .map(|(_, known)| known)
        .collect())
}

fn roots(settings: &Tls, material: &Material) -> Result<RootCertStore, Error> {
    if material.authorities.is_empty() {
        return native_roots();
    }
    if settings.native_roots {
        let why = "native_roots cannot be combined with ca_pem or ca_pem_file: remove one of the two";
        return Err(Error::invalid_config("tls.ca", why));
    }
    let mut roots = RootCertStore::empty();
    for pem in &material.authorities {
        for certificate in pem.certificates()? {
            roots.add(certificate).map_err(|error| {
                pem.wrong("contains a certificate that cannot be used as an authority").with_source(error)
            })?;
        }
    }
    Ok(roots)
}

#[cfg(feature = "tls-native-roots")]
fn native_roots() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // System stores contain certificates that rustls cannot parse. The rest is still usable.
    let (taken, _rejected) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        let error =
            Error::invalid_config("tls.native_roots", "the operating system has no trusted authorities");
        return Err(match found.errors.into_iter().next() {
            Some(cause) => error.with_source(cause),
            None => error,
        });
    }
    Ok(roots)
}

#[cfg(not(feature = "tls-native-roots"))]
fn native_roots() -> Result<RootCertStore, Error> {
    let why = "no certificate authority is set: use ca_pem_file, or enable the feature `tls-native-roots` of etcd-client-core";
    Err(Error::invalid_config("tls.ca", why))
}

fn identified(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    material: &Material,
) -> Result<ClientConfig, Error> {
    let Some((cert, key)) = &material.identity else { return Ok(builder.with_no_client_auth()) };
    let chain = cert.certificates()?;
    let version_1 = chain.first().is_some_and(|leaf| is_version_1(leaf));
    builder.with_client_auth_cert(chain, key.private_key()?).map_err(|error| match error {
        rustls::Error::InvalidCertificate(_) if version_1 => {
            let what = "contains an X.509 version 1 certificate, which is not supported: issue a version 3 \
                        certificate (with `openssl x509 -req`, add extensions, for example with -extfile)";
            cert.wrong(what).with_source(error)
        }
        _ => wrong_identity(error, cert, key),
    })
}

/// Returns `true` for a DER certificate of version 1. The first field of its signed part is the serial number, whereas
/// later versions begin with the version number (RFC 5280 section 4.1).
fn is_version_1(certificate: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    let inside = |der: &[u8]| -> Option<usize> {
        let (tag, length) = (*der.first()?, *der.get(1)?);
        // The long form: the low bits of the first byte are the number of length bytes (X.690 section
        // 8.1.3.5).
        let header = if length < 0x80 { 2 } else { 2 + usize::from(length & 0x7f) };
        (tag == SEQUENCE).then_some(header)
    };
    let signed = inside(certificate).and_then(|at| certificate.get(at..));
    let first = signed.and_then(|signed| signed.get(inside(signed)?).copied());
    first == Some(INTEGER)
}

fn wrong_identity(error: rustls::Error, cert: &Pem, key: &Pem) -> Error {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            key.wrong(&format!("does not match the certificate in {}", cert.name()))
        }
        rustls::Error::InvalidCertificate(_) => {
            cert.wrong("contains a certificate that cannot be parsed").with_source(error)
        }
        _ => key.wrong("contains a private key that cannot be used").with_source(error),
    }
}

/// The contents of the sources of a [`Tls`].
pub(crate) struct Material {
    pub(crate) authorities: Vec<Pem>,
    /// The certificate chain and its private key.
    pub(crate) identity: Option<(Pem, Pem)>,
}

/// A digest of all sources. It detects changes without keeping private keys in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Material {
    pub(crate) fn read(settings: &Tls) -> Result<Self, Error> {
        let authorities = settings.authorities.iter().map(|source| source.read("tls.ca"));
        let identity = match &settings.identity {
            Some((cert, key)) => Some((cert.read("tls.cert")?, key.read("tls.key")?)),
            None => None,
        };
        Ok(Self { authorities: authorities.collect::<Result<_, _>>()?, identity })
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let identity = self.identity.iter().flat_map(|(cert, key)| [cert, key]);
        let mut digest = Sha256::new();
        for pem in self.authorities.iter().chain(identity) {
            // The length prefix keeps bytes from moving between two files without changing the digest.
            digest.update((pem.bytes().len() as u64).to_le_bytes());
            digest.update(pem.bytes());
        }
        Fingerprint(digest.finalize().into())
    }
}

/// Returns the cryptography provider: ring if the feature `tls-ring` is enabled, otherwise aws-lc.
///
/// The process-wide default of rustls is not used: it is missing or ambiguous as soon as two crates of a program enable
/// different providers.
fn provider() -> Result<Arc<CryptoProvider>, Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_any_bytes() {
        // SEQUENCE { SEQUENCE { INTEGER .. } }, and with the [0] of later versions.
        assert!(is_version_1(&[0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x07]));
        assert!(is_version_1(&[0x30, 0x82, 0x01, 0x15, 0x30, 0x81, 0xbd, 0x02, 0x14]));
        assert!(!is_version_1(&[0x30, 0x82, 0x01, 0x15, 0x30, 0x81, 0xbd, 0xa0, 0x03]));
        for broken in [&[][..], &[0x30], &[0x30, 0x82], &[0x30, 0xff, 0x30], &[0x30, 0x02, 0x30, 0x00]] {
            assert!(!is_version_1(broken));
        }
    }
}
