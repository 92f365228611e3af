//! rustls's configuration, made of the settings and of what their files hold.

use std::sync::Arc;

use etcd_errors::Error;
use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, SupportedProtocolVersion,
    client::{Resumption, WantsClientCert},
    version::{TLS12, TLS13},
};

use super::{
    danger::TakesAnything, material::Material, pem::Pem, provider::provider, settings::Tls,
    version::TlsVersion,
};

/// The only protocol that is spoken on top.
pub(super) const HTTP2: &[u8] = b"h2";

/// The settings as rustls takes them. Everything that can be wrong about them is found here.
pub(super) fn client_config(settings: &Tls, material: &Material) -> Result<ClientConfig, Error> {
    let versions = versions(settings)?;
    let provider = provider()?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .map_err(|error| {
            Error::invalid_config("tls.min_version", "these versions cannot be had").with_source(error)
        })?;
    let builder = if settings.skip_verification {
        if settings.native_roots || !settings.authorities.is_empty() {
            let why = "skip_verification looks at no authority: leave it out, or the authorities";
            return Err(Error::invalid_config("tls.ca", why));
        }
        builder.dangerous().with_custom_certificate_verifier(TakesAnything::new(&provider))
    } else {
        builder.with_root_certificates(roots(settings, material)?)
    };
    let mut config = identified(builder, material)?;
    config.alpn_protocols = vec![HTTP2.to_vec()];
    // Connections are few and live long. A resumed one would not look at the certificates again, which may be new.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn versions(settings: &Tls) -> Result<Vec<&'static SupportedProtocolVersion>, Error> {
    let (min, max) = (settings.min_version, settings.max_version);
    if min > max {
        let why = format!("the oldest version, {min}, is newer than the newest, {max}");
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
        let why =
            "an authority replaces those of the operating system: choose one of ca_pem.. and native_roots";
        return Err(Error::invalid_config("tls.ca", why));
    }
    let mut roots = RootCertStore::empty();
    for pem in &material.authorities {
        for certificate in pem.certificates()? {
            roots.add(certificate).map_err(|error| {
                pem.wrong("holds a certificate that cannot be an authority's").with_source(error)
            })?;
        }
    }
    Ok(roots)
}

#[cfg(feature = "tls-native-roots")]
fn native_roots() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems carry certificates that no verifier takes; the others still hold.
    let (taken, _refused) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        let error =
            Error::invalid_config("tls.native_roots", "the operating system has no authority to trust");
        return Err(match found.errors.into_iter().next() {
            Some(cause) => error.with_source(cause),
            None => error,
        });
    }
    Ok(roots)
}

#[cfg(not(feature = "tls-native-roots"))]
fn native_roots() -> Result<RootCertStore, Error> {
    let why = "no authority was given: use ca_pem_file, or enable the feature `tls-native-roots` of etcd-client-core";
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
            let what = "holds an X.509 version 1 certificate, which is not supported: issue one of version 3 \
                        (with openssl x509 -req: add extensions, such as -extfile)";
            cert.wrong(what).with_source(error)
        }
        _ => wrong_identity(error, cert, key),
    })
}

/// Whether a DER certificate is of version 1: then the first field of what was signed is the serial number, where later versions
/// say which they are (RFC 5280 section 4.1).
fn is_version_1(certificate: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    let inside = |der: &[u8]| -> Option<usize> {
        let (tag, length) = (*der.first()?, *der.get(1)?);
        // A length above 127 is written in as many bytes as the low bits say.
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
            key.wrong(&format!("is not the private key of the certificate in {}", cert.name()))
        }
        rustls::Error::InvalidCertificate(_) => {
            cert.wrong("holds a certificate that cannot be read").with_source(error)
        }
        _ => key.wrong("holds a private key that cannot be used").with_source(error),
    }
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
