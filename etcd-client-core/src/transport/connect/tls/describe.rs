//! Describes TLS handshake failures, with the fix.

use std::{borrow::Cow, io, net::IpAddr};

use rustls::{AlertDescription, CertificateError, Error as TlsError, pki_types::ServerName};

/// Describes an error of a TLS stream. `identified` is `true` if the client presents a certificate.
pub(crate) fn describe(error: &io::Error, identified: bool) -> String {
    let found = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    match found {
        Some(error) => of_tls(error, identified),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the peer closed the connection during the TLS handshake: check that it uses TLS (http:// if not)"
                .into()
        }
        None => format!("the TLS handshake failed ({error})"),
    }
}

fn of_tls(error: &TlsError, identified: bool) -> String {
    match error {
        TlsError::InvalidCertificate(why) => of_certificate(why),
        TlsError::AlertReceived(alert) => of_alert(*alert, identified).map_or_else(
            || format!("the peer ended the TLS handshake with the alert {alert:?}"),
            |sentence| format!("{sentence} (TLS alert {alert:?})"),
        ),
        TlsError::InvalidMessage(_) => {
            "the peer does not use TLS: check whether its endpoint should begin with http:// or unix:".into()
        }
        TlsError::NoApplicationProtocol => "the peer uses TLS but not HTTP/2, which gRPC requires".into(),
        TlsError::PeerIncompatible(why) => {
            format!(
                "the peer and this client share no TLS version or cipher ({why:?}): check Tls::min_version and max_version"
            )
        }
        other => format!("the TLS handshake failed ({other})"),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::NotValidForNameContext { expected, presented } => wrong_name(expected, presented),
        CertificateError::NotValidForName => "the peer's certificate is for another name".into(),
        CertificateError::UnknownIssuer => {
            "the peer's certificate is not signed by a trusted authority: check Tls::ca_pem_file"
                .into()
        }
        // rustls found an authority with this name, but its key did not sign the certificate. Deployment
        // tools that re-create their authority under the same name cause this.
        CertificateError::BadSignature => {
            "the peer's certificate is not signed by a trusted authority: a trusted one has the same name but another \
             key, so check whether Tls::ca_pem_file is out of date"
                .into()
        }
        CertificateError::Expired => "the peer's certificate has expired".into(),
        CertificateError::ExpiredContext { time, not_after } => {
            let since = span(time.as_secs().saturating_sub(not_after.as_secs()));
            format!("the peer's certificate expired {since} ago by the local clock")
        }
        CertificateError::NotValidYet => "the peer's certificate is not valid yet: check the clocks".into(),
        CertificateError::NotValidYetContext { time, not_before } => {
            let until = span(not_before.as_secs().saturating_sub(time.as_secs()));
            format!("the peer's certificate is not valid yet, only in {until}: check the clocks")
        }
        CertificateError::Revoked => "the peer's certificate was revoked".into(),
        other => format!("the peer's certificate was rejected ({other})"),
    }
}

fn wrong_name(expected: &ServerName<'_>, presented: &[String]) -> String {
    let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
    let names = match names.as_slice() {
        [] => Cow::Borrowed("no name (a common name does not count)"),
        names => Cow::Owned(names.join(", ")),
    };
    let expected = expected.to_str();
    format!(
        "the peer's certificate is for {names}, and not for {expected}: use an endpoint with one of its names, or \
         set Tls::server_name to one"
    )
}

/// Strips rustls's wrapping from a name: `DnsName("a.example")`, `IpAddress(10.0.0.1)`. Formats addresses canonically.
fn bare(presented: &str) -> Cow<'_, str> {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let name = inner.map_or(presented, |inner| inner.trim_matches('"'));
    name.parse::<IpAddr>().map_or(Cow::Borrowed(name), |address| Cow::Owned(address.to_string()))
}

/// Formats a duration in the largest unit of which it contains at least two.
fn span(seconds: u64) -> String {
    let units = [(24 * 60 * 60, "days"), (60 * 60, "hours"), (60, "minutes")];
    let unit = units.into_iter().find(|(length, _)| seconds >= 2 * length);
    let (length, name) = unit.unwrap_or((1, "seconds"));
    format!("{} {name}", seconds / length)
}

/// The message for a missing client certificate.
const MISSING: &str = "the peer requires a client certificate, but none was set: use Tls::identity_pem_files";

/// Returns the meaning of the peer's alert, if it is unambiguous.
fn of_alert(alert: AlertDescription, identified: bool) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateRequired => MISSING,
        // etcd 3.4 sends this alert for a missing certificate, with any TLS version.
        AlertDescription::BadCertificate if !identified => MISSING,
        AlertDescription::UnknownCA => "the peer does not trust the authority of the client's certificate",
        AlertDescription::CertificateExpired => {
            "the peer considers the client's certificate expired: check its dates and the clocks"
        }
        AlertDescription::CertificateRevoked => "the client's certificate was revoked",
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied => {
            "the peer rejected the client's certificate, or requires one: check Tls::identity_pem_files"
        }
        AlertDescription::ProtocolVersion => {
            "the peer supports none of this client's TLS versions: check Tls::min_version and max_version"
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "the peer and this client share no TLS version, cipher or certificate type"
        }
        AlertDescription::NoApplicationProtocol => {
            "the peer uses TLS but not HTTP/2 (ALPN h2), which gRPC requires"
        }
        AlertDescription::UnrecognisedName => {
            "the peer has no certificate for the requested name: set Tls::server_name"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::{InvalidMessage, PeerIncompatible, pki_types::UnixTime};

    use super::*;

    fn said(error: TlsError) -> String {
        describe(&io::Error::new(io::ErrorKind::InvalidData, error), true)
    }

    #[test]
    fn a_certificate_that_was_never_set_is_missing_and_not_bad() {
        for alert in [AlertDescription::CertificateRequired, AlertDescription::BadCertificate] {
            let error = io::Error::new(io::ErrorKind::InvalidData, TlsError::AlertReceived(alert));
            assert!(describe(&error, false).contains("none was set"), "{alert:?}");
        }
    }

    #[test]
    fn another_name_is_named_with_the_expected_one() {
        let wrong = |presented: &[&str]| {
            let expected = ServerName::try_from("a.example").expect("a name");
            let presented = presented.iter().map(|&name| name.to_owned()).collect();
            said(TlsError::InvalidCertificate(CertificateError::NotValidForNameContext {
                expected,
                presented,
            }))
        };
        let text =
            wrong(&["DnsName(\"b.example\")", "IpAddress(10.0.0.1)", "IpAddress(0::1)", "DirectoryName"]);
        assert!(
            text.contains("is for b.example, 10.0.0.1, ::1, DirectoryName, and not for a.example"),
            "{text}"
        );
        assert!(wrong(&[]).contains("no name (a common"), "{}", wrong(&[]));
    }

    #[test]
    fn expired_certificate_error_states_the_duration() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        for (seconds, expected) in [
            (1, "1 seconds"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7199, "119 minutes"),
            (47 * 3600, "47 hours"),
            (90 * 24 * 3600 + 5, "90 days"),
        ] {
            let (early, late) = (at(1_000_000), at(1_000_000 + seconds));
            let expired = CertificateError::ExpiredContext { time: late, not_after: early };
            let text = said(TlsError::InvalidCertificate(expired));
            assert!(text.contains(&format!("expired {expected} ago")), "{text}");
            let early = CertificateError::NotValidYetContext { time: early, not_before: late };
            let text = said(TlsError::InvalidCertificate(early));
            assert!(text.contains(&format!("only in {expected}:")), "{text}");
        }
    }

    #[test]
    fn each_failure_names_its_cause() {
        use AlertDescription as Alert;
        for (error, expected) in [
            (TlsError::InvalidCertificate(CertificateError::UnknownIssuer), "ca_pem_file"),
            (TlsError::InvalidCertificate(CertificateError::Expired), "has expired"),
            (TlsError::InvalidCertificate(CertificateError::NotValidYet), "clock"),
            (TlsError::InvalidCertificate(CertificateError::BadSignature), "the same name"),
            (TlsError::InvalidCertificate(CertificateError::InvalidPurpose), "rejected"),
            (TlsError::AlertReceived(Alert::CertificateRequired), "none was set"),
            (TlsError::AlertReceived(Alert::BadCertificate), "identity_pem_files"),
            (TlsError::AlertReceived(Alert::UnknownCA), "authority of the client's certificate"),
            (TlsError::AlertReceived(Alert::CertificateExpired), "client's certificate expired"),
            (TlsError::AlertReceived(Alert::ProtocolVersion), "min_version"),
            (TlsError::AlertReceived(Alert::NoApplicationProtocol), "ALPN h2"),
            (TlsError::AlertReceived(Alert::DecodeError), "DecodeError"),
            (TlsError::InvalidMessage(InvalidMessage::InvalidContentType), "http://"),
            (TlsError::PeerIncompatible(PeerIncompatible::Tls12NotOffered), "min_version"),
        ] {
            let text = said(error.clone());
            assert!(text.contains(expected), "{error:?}: {text}");
        }
        assert!(describe(&io::ErrorKind::UnexpectedEof.into(), true).contains("http:// if not"));
        assert!(describe(&io::ErrorKind::ConnectionReset.into(), true).contains("reset"));
    }
}
