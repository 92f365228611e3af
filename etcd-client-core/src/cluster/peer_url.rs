//! The URL at which other members reach a member, parsed strictly.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use etcd_errors::{Code, Error};

use crate::types::{Invalid, without_user};

/// The URL at which the other members of a cluster reach a member.
///
/// Accepts `http://host:port`, `https://host:port`, `unix://path` and `unixs://path`, and nothing more. The text is
/// kept as it is. These checks are stricter than those of etcd: if etcd accepts a URL that the other members cannot
/// dial, the member counts towards the quorum but cannot vote.
///
/// # Examples
/// ```
/// use etcd_client_core::cluster::PeerUrl;
///
/// let url: PeerUrl = "http://10.0.0.4:2380".parse()?;
/// assert_eq!(url.as_str(), "http://10.0.0.4:2380");
///
/// let client_like = "http://10.0.0.4:2380/".parse::<PeerUrl>().unwrap_err();
/// assert_eq!(client_like.field(), Some("peer_urls"));
/// # Ok::<(), etcd_client_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerUrl(String);

impl PeerUrl {
    /// Returns the text of the URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PeerUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match complaint(text) {
            None => Ok(Self(text.to_owned())),
            Some(why) => {
                let complaint = format!("contains {:?}, which {why}", without_user(text));
                Err(Invalid::new("peer_urls", complaint).code(Code::MemberBadURLs).into())
            }
        }
    }
}

impl fmt::Display for PeerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<PeerUrl> for String {
    fn from(url: PeerUrl) -> Self {
        url.0
    }
}

/// Checks that there is at least one URL, and that every one is valid.
pub(crate) fn check_peer_urls(urls: &[String]) -> Result<(), Error> {
    if urls.is_empty() {
        return Err(Invalid::new("peer_urls", "is empty: give at least one URL")
            .code(Code::MemberBadURLs)
            .into());
    }
    urls.iter().try_for_each(|url| url.parse::<PeerUrl>().map(drop))
}

/// Returns the reason why a URL is invalid, if it is.
fn complaint(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("is empty".into());
    }
    if let Some(bad) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return Some(format!("contains {bad:?}"));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some("has no scheme: write http://host:port".into());
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => not_host_and_port(rest),
        "unix" | "unixs" => rest.is_empty().then(|| "has no socket path".into()),
        _ => Some(format!("has the scheme {scheme:?}: use http, https, unix or unixs")),
    }
}

fn not_host_and_port(rest: &str) -> Option<String> {
    if rest.contains('/') {
        return Some("has a path".into());
    }
    if let Some(bad) = rest.chars().find(|c| matches!(c, '?' | '#' | '@')) {
        return Some(format!("contains {bad:?}: a peer URL has only a scheme, a host and a port"));
    }
    let Some((host, port)) = rest.rsplit_once(':') else { return Some("has no port".into()) };
    if host.is_empty() {
        return Some("has no host".into());
    }
    if !is_host(host) {
        return Some(format!("has the host {host:?}: use a name, an IPv4 address or [an IPv6 address]"));
    }
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(number) if digits && number != 0 => None,
        _ => Some(format!("has the port {port:?}: a port is a number from 1 to 65535")),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        // A zone, percent-encoded as in every URL, is local to the operating system and cannot be checked here.
        let address = inner.split_once("%25").map_or(inner, |(address, _zone)| address);
        return address.parse::<Ipv6Addr>().is_ok();
    }
    host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use etcd_errors::ErrorKind;

    use super::*;

    #[test]
    fn accepts_dialable_urls() {
        for text in [
            "http://127.0.0.1:2380",
            "HTTPS://etcd-0.etcd:2380",
            "http://etcd_a:1",
            "https://[::1]:65535",
            "http://[fe80::1%25eth0]:2380",
            "unix://localhost:2380",
            "unix:///run/etcd/peer",
            "unixs://peer.sock:0",
        ] {
            assert_eq!(text.parse::<PeerUrl>().expect(text).to_string(), text);
        }
    }

    /// The first six are those of `TestMemberAddUpdateWrongURLs`.
    #[test]
    fn error_names_the_problem() {
        for (text, why) in [
            ("://127.0.0.1:2379", "scheme \"\""),
            ("mailto://127.0.0.1:2379", "scheme \"mailto\""),
            ("http://127.0.0.1", "no port"),
            ("http://127.0.0.1:2379/path", "a path"),
            ("127.0.0.1:1234", "no scheme"),
            ("localhost:1234", "no scheme"),
            ("", "is empty"),
            ("http://", "no port"),
            ("http://:2380", "no host"),
            ("http://a:2380/", "a path"),
            ("http://a:", "port \"\""),
            ("http://a:0", "port \"0\""),
            ("http://a:+1", "port \"+1\""),
            ("http://a:65536", "port \"65536\""),
            ("http://::1:2380", "host \"::1\""),
            ("http://[::1]", "host \"[:\""),
            ("http://[127.0.0.1]:1", "host \"[127.0.0.1]\""),
            ("http://a:1?x", "'?'"),
            ("http://a:1#x", "'#'"),
            ("http://a:1,http://b:1", "a path"),
            ("http://a:1,b:1", "host \"a:1,b\""),
            (" http://a:1", "' '"),
            ("http://a\n:1", "'\\n'"),
            ("unix://", "no socket"),
        ] {
            let error = text.parse::<PeerUrl>().expect_err(text);
            assert_eq!(
                (error.kind(), error.field()),
                (ErrorKind::InvalidRequest, Some("peer_urls")),
                "{text}"
            );
            assert_eq!(error.code(), Some(Code::MemberBadURLs), "{text}");
            assert!(error.message().contains(why), "{text}: {}", error.message());
        }
    }

    #[test]
    fn error_hides_password() {
        let error = "http://user:canary@host:1".parse::<PeerUrl>().expect_err("user information");
        assert!(!format!("{error:?} {}", error.report()).contains("canary"), "{error}");
    }

    #[test]
    fn requires_at_least_one_valid_url() {
        for urls in [&[][..], &[""], &["http://a:1", "nonsense"]] {
            let urls: Vec<String> = urls.iter().map(|&url| url.to_owned()).collect();
            assert_eq!(check_peer_urls(&urls).expect_err("wrong").field(), Some("peer_urls"), "{urls:?}");
        }
        assert!(check_peer_urls(&["http://a:1".to_owned(), "http://b:1".to_owned()]).is_ok());
    }
}
