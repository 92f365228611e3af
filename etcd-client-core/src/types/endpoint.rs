//! The address of a member, parsed strictly from the text that a user writes.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use etcd_errors::Error;
use http::uri::Authority;

/// The port of etcd's client API, which is the default port of an endpoint.
const DEFAULT_PORT: u16 = 2379;

/// The address of one member's client API.
///
/// | text | meaning |
/// |---|---|
/// | `http://host:port` | TCP without TLS |
/// | `https://host:port` | TCP with TLS |
/// | `host:port`, `host` | TCP, with TLS if the client is set up for it |
/// | `unix:///path`, `unix:path` | a unix socket |
/// | `unixs:///path`, `unixs:path` | a unix socket with TLS |
///
/// With TLS, the member's certificate must contain the host, or `localhost` for a unix socket. `Tls::server_name` and
/// `Tls::server_name_for` override this.
///
/// The host is a name, an IPv4 address or an IPv6 address in brackets. The default port is 2379. A path, which the Go
/// client ignores, is an error. So are a query, a fragment, user information and an IPv6 zone.
///
/// # Examples
/// ```
/// use etcd_client_core::types::Endpoint;
///
/// let endpoint: Endpoint = "http://[::1]:2379".parse()?;
/// assert_eq!(endpoint.authority(), "[::1]:2379");
///
/// let typo = "htp://127.0.0.1:2379".parse::<Endpoint>().unwrap_err();
/// assert_eq!(typo.field(), Some("endpoint"));
/// # Ok::<(), etcd_client_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    text: Arc<str>,
    security: Security,
    address: Address,
    authority: Authority,
}

/// The TLS setting of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Security {
    /// The scheme selects no TLS.
    Plaintext,
    /// The scheme selects TLS.
    Tls,
    /// The endpoint has no scheme, so the client's configuration decides.
    AsConfigured,
}

/// The address to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// A host (name, IPv4 or IPv6 address without brackets) and a port.
    Tcp {
        /// The host name or address.
        host: Arc<str>,
        /// The port, never 0.
        port: u16,
    },
    /// The path of a unix socket.
    Unix {
        /// The path, absolute or relative to the working directory.
        path: Arc<str>,
    },
}

impl Endpoint {
    /// Returns the text from which this endpoint was parsed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the TLS setting of the endpoint.
    pub fn security(&self) -> Security {
        self.security
    }

    /// Returns the address to connect to.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the `:authority` of every request: host and port, or the file name of the socket.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// Returns whether the text refers to this machine: a loopback address, `localhost`, or a unix socket.
    pub(crate) fn is_loopback(&self) -> bool {
        let Address::Tcp { host, .. } = &self.address else { return true };
        match host.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => {
                let last = host.trim_end_matches('.').rsplit('.').next();
                last.is_some_and(|label| label.eq_ignore_ascii_case("localhost"))
            }
        }
    }

    pub(crate) fn http_authority(&self) -> Authority {
        self.authority.clone()
    }
}

impl AsRef<str> for Endpoint {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.text)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&Self> for Endpoint {
    fn from(endpoint: &Self) -> Self {
        endpoint.clone()
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|why| {
            let shown = without_user(text);
            Error::invalid_config("endpoint", format!("endpoint {shown:?} {why}"))
        })
    }
}

impl TryFrom<&str> for Endpoint {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<&String> for Endpoint {
    type Error = Error;

    fn try_from(text: &String) -> Result<Self, Error> {
        text.parse()
    }
}

impl TryFrom<SocketAddr> for Endpoint {
    type Error = Error;

    fn try_from(address: SocketAddr) -> Result<Self, Error> {
        address.to_string().parse()
    }
}

/// Returns an endpoint or URL without its user information, which may contain a password and must not be shown.
pub(crate) fn without_user(text: &str) -> Cow<'_, str> {
    let Some((before, host)) = text.rsplit_once('@') else { return Cow::Borrowed(text) };
    let scheme = before.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
    Cow::Owned(format!("{scheme}..@{host}"))
}

fn parse(text: &str) -> Result<Endpoint, String> {
    if text.is_empty() {
        return Err("is empty: write http://host:2379".into());
    }
    if text.contains(',') {
        return Err("contains a comma: pass several endpoints as a list".into());
    }
    if let Some(bad) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("contains {bad:?}, which is not allowed in an address"));
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return match scheme.to_ascii_lowercase().as_str() {
            "http" => tcp(text, Security::Plaintext, rest),
            "https" => tcp(text, Security::Tls, rest),
            "unix" => unix(text, Security::Plaintext, rest),
            "unixs" => unix(text, Security::Tls, rest),
            _ => Err(format!("has the unknown scheme {scheme:?}: use http, https, unix or unixs")),
        };
    }
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(text, Security::Plaintext, path);
    }
    if let Some(path) = text.strip_prefix("unixs:") {
        return unix(text, Security::Tls, path);
    }
    if text.contains("//") {
        return Err("has no colon after the scheme: write http://host:2379".into());
    }
    tcp(text, Security::AsConfigured, text)
}

fn tcp(text: &str, security: Security, rest: &str) -> Result<Endpoint, String> {
    if let Some(found) = rest.chars().find(|c| matches!(c, '?' | '#' | '@')) {
        return Err(format!("contains {found:?}: an endpoint has only a scheme, a host and a port"));
    }
    let (host_and_port, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !path.is_empty() {
        return Err(format!("has the path \"/{path}\": remove it, because gRPC defines its own paths"));
    }
    let (host, port) = split_port(host_and_port)?;
    let (host, shown) = check_host(host)?;
    let port = port.map_or(Ok(DEFAULT_PORT), parse_port)?;
    let authority = format!("{shown}:{port}");
    let authority = authority.parse().map_err(|_| format!("has an invalid host name: {host:?}"))?;
    Ok(Endpoint { text: text.into(), security, address: Address::Tcp { host: host.into(), port }, authority })
}

fn split_port(host_and_port: &str) -> Result<(&str, Option<&str>), String> {
    if host_and_port.starts_with('[') {
        let Some((host, after)) = host_and_port.split_once(']') else {
            return Err("opens a bracket but does not close it".into());
        };
        let host = &host_and_port[..=host.len()];
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(format!("has {after:?} after the address: write [address]:port")),
        };
    }
    match host_and_port.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            Err("looks like an IPv6 address: put it in brackets, [address]:port".into())
        }
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((host_and_port, None)),
    }
}

/// Returns the host in two forms: the one to connect to, and the one to show in an authority.
fn check_host(host: &str) -> Result<(&str, &str), String> {
    if host.is_empty() {
        return Err("has no host".into());
    }
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        if let Some((_, zone)) = inner.split_once('%') {
            return Err(format!(
                "has the IPv6 zone {zone:?}, which is not supported: use an address without a zone, or a host name that \
                 resolves to it"
            ));
        }
        return match inner.parse::<Ipv6Addr>() {
            Ok(_) => Ok((inner, host)),
            Err(_) => Err(format!("has {inner:?} in brackets, which is no IPv6 address")),
        };
    }
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    match host.chars().find(|&c| !valid(c)) {
        Some(bad) => Err(format!("has {bad:?} in its host name")),
        None => Ok((host, host)),
    }
}

fn parse_port(port: &str) -> Result<u16, String> {
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(number) if digits && number != 0 => Ok(number),
        _ => Err(format!("has the port {port:?}: a port is a number from 1 to 65535")),
    }
}

fn unix(text: &str, security: Security, path: &str) -> Result<Endpoint, String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        return Err("has no socket path".into());
    }
    // Like the Go client, this sends the name of the file. A name that is not a valid authority is replaced by
    // `localhost`, which the certificates of etcd usually contain.
    let authority = name.parse().unwrap_or_else(|_| Authority::from_static("localhost"));
    Ok(Endpoint { text: text.into(), security, address: Address::Unix { path: path.into() }, authority })
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV6;

    use super::*;

    fn tcp_parts(text: &str) -> (Security, String, u16, String) {
        let endpoint: Endpoint = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let Address::Tcp { host, port } = endpoint.address().clone() else {
            panic!("{text} is no TCP endpoint")
        };
        (endpoint.security(), host.to_string(), port, endpoint.authority().to_owned())
    }

    #[test]
    fn parses_every_tcp_form() {
        use Security::{AsConfigured, Plaintext, Tls};
        for (text, security, host, port, authority) in [
            ("127.0.0.1", AsConfigured, "127.0.0.1", 2379, "127.0.0.1:2379"),
            ("localhost", AsConfigured, "localhost", 2379, "localhost:2379"),
            ("localhost:8080", AsConfigured, "localhost", 8080, "localhost:8080"),
            ("[2001:db8::1]:100", AsConfigured, "2001:db8::1", 100, "[2001:db8::1]:100"),
            ("[::1]", AsConfigured, "::1", 2379, "[::1]:2379"),
            ("http://127.0.0.1:2379", Plaintext, "127.0.0.1", 2379, "127.0.0.1:2379"),
            ("HTTP://etcd-0.etcd:2379/", Plaintext, "etcd-0.etcd", 2379, "etcd-0.etcd:2379"),
            ("https://etcd_a.example:2379", Tls, "etcd_a.example", 2379, "etcd_a.example:2379"),
            ("https://[::1]:65535", Tls, "::1", 65535, "[::1]:65535"),
        ] {
            assert_eq!(tcp_parts(text), (security, host.into(), port, authority.into()), "{text}");
        }
    }

    #[test]
    fn parses_every_unix_form() {
        use Security::{Plaintext, Tls};
        for (text, security, path, authority) in [
            ("unix:local.sock", Plaintext, "local.sock", "local.sock"),
            ("unix://local.sock:1234", Plaintext, "local.sock:1234", "local.sock:1234"),
            ("unix:///run/etcd/s", Plaintext, "/run/etcd/s", "s"),
            ("unixs:///run/etcd/s", Tls, "/run/etcd/s", "s"),
            ("unixs:s", Tls, "s", "s"),
            ("unix:///run/a[b", Plaintext, "/run/a[b", "localhost"),
        ] {
            let endpoint: Endpoint = text.parse().expect(text);
            assert_eq!(endpoint.security(), security, "{text}");
            assert_eq!(*endpoint.address(), Address::Unix { path: path.into() }, "{text}");
            assert_eq!(endpoint.authority(), authority, "{text}");
        }
    }

    #[test]
    fn converts_from_text_and_socket_addresses() {
        let text = String::from("127.0.0.1:1");
        let endpoint: Endpoint = text.parse().expect("valid");
        let address: SocketAddr = text.parse().expect("an address");
        assert_eq!(Endpoint::try_from(&*text).expect("valid"), endpoint);
        assert_eq!(Endpoint::try_from(&text).expect("valid"), endpoint);
        assert_eq!(Endpoint::try_from(text).expect("valid"), endpoint);
        assert_eq!(Endpoint::try_from(address).expect("valid"), endpoint);
        assert_eq!(Endpoint::from(&endpoint), endpoint);
        let zone = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 1, 0, 7);
        assert!(
            Endpoint::try_from(SocketAddr::from(zone)).expect_err("a zone").message().contains("IPv6 zone")
        );
    }

    #[test]
    fn error_hides_password() {
        for text in
            ["http://user:canary@host:1", "user:canary@host", "ftp://canary@host", "http://a@canary@host"]
        {
            let error = text.parse::<Endpoint>().expect_err(text);
            assert!(!format!("{error} {error:?} {}", error.report()).contains("canary"), "{error}");
        }
    }

    #[test]
    fn error_names_the_problem() {
        for (text, why) in [
            ("", "is empty"),
            ("http://", "no host"),
            (":2379", "no host"),
            ("http://:2379", "no host"),
            ("a:1,b:2", "comma"),
            (" localhost:2379", "' '"),
            ("http://a b:1", "' '"),
            ("htp://127.0.0.1:2379", "unknown scheme \"htp\""),
            ("dns://x", "unknown scheme"),
            ("http//host:1", "colon"),
            ("//host:1", "colon"),
            ("http://user@host:1", "'@'"),
            ("http://host:1?x=y", "'?'"),
            ("http://host:1#x", "'#'"),
            ("host:", "port \"\""),
            ("host:0", "port \"0\""),
            ("host:+1", "port \"+1\""),
            ("host:65536", "port \"65536\""),
            ("host:port", "port \"port\""),
            ("::1", "brackets"),
            ("2001:db8::1:2379", "brackets"),
            ("[::1", "does not close"),
            ("[::1]2379", "after the address"),
            ("[127.0.0.1]:1", "no IPv6"),
            ("[fe80::1%eth0]:1", "IPv6 zone \"eth0\""),
            ("http://[fe80::1%25eth0]:1", "IPv6 zone"),
            ("http://host:1/v3", "path \"/v3\""),
            ("host:1/some/path", "path \"/some/path\""),
            ("http://hö:1", "'ö'"),
            ("unix://", "no socket"),
            ("unix:", "no socket"),
            ("unix:///run/", "no socket"),
        ] {
            let error = text.parse::<Endpoint>().expect_err(text);
            assert_eq!(error.kind(), etcd_errors::ErrorKind::InvalidConfig, "{text}");
            assert_eq!(error.field(), Some("endpoint"), "{text}");
            assert!(error.message().contains(why), "{text}: {}", error.message());
        }
    }
}
