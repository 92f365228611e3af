//! HTTP proxies: the proxy to use, its exceptions and its credentials.

pub(crate) mod tunnel;

use std::{fmt, sync::Arc};

use etcd_errors::Error;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

use crate::types::{Address, Endpoint, without_user};

/// The port of a proxy URL without one: the default port of its scheme.
const DEFAULT_PORT: u16 = 80;

/// The environment variables that set a proxy, in order of precedence. Those for HTTPS apply, because a tunnel carries
/// any bytes.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The environment variables that list exceptions.
const EXCEPTION_VARIABLES: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// An HTTP proxy through which members are reached with `CONNECT` tunnels.
///
/// The proxy resolves the members' names. TLS runs inside the tunnel, between the client and the member. Unix sockets
/// never use the proxy, nor do loopback addresses and `localhost`, unless
/// [`including_loopback`](Self::including_loopback) is set.
///
/// # Examples
///
/// ```
/// use etcd_client_core::transport::HttpProxy;
///
/// let proxy = HttpProxy::new("http://app:s3cret@proxy.internal:3128")?.except("10.0.0.0/8, .cluster.local");
/// assert!(!format!("{proxy:?}").contains("s3cret"));
/// # Ok::<(), etcd_client_core::Error>(())
/// ```
#[derive(Clone)]
pub struct HttpProxy {
    via: Option<Arc<Via>>,
    exceptions: Arc<Matcher>,
    including_loopback: bool,
}

/// The proxy itself.
pub(crate) struct Via {
    endpoint: Endpoint,
    authorization: Option<HeaderValue>,
}

impl HttpProxy {
    /// Creates a proxy from a URL of the form `http://[user:password@]host[:port]`. The default port is 80.
    ///
    /// User and password are sent to the proxy as `Proxy-Authorization: Basic`, unencrypted. Percent-encode characters
    /// that a URL cannot contain.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](etcd_errors::ErrorKind::InvalidConfig) if the URL is malformed, or if the proxy requires TLS
    /// or SOCKS. The error contains neither user nor password.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Client;
    /// use etcd_client_core::transport::HttpProxy;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # let _runtime = runtime.enter();
    /// let proxy = HttpProxy::new("http://proxy.internal:3128")?;
    /// let client = Client::builder(["https://etcd-0.example.com:2379"]).proxy(proxy);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(url: impl AsRef<str>) -> Result<Self, Error> {
        let via = Via::parse(url.as_ref())
            .map_err(|why| invalid(format!("proxy {:?} {why}", without_user(url.as_ref()))))?;
        Ok(Self::via(Some(via), ""))
    }

    /// Reads the proxy from the environment: `HTTPS_PROXY` or else `ALL_PROXY`, and the exceptions from `NO_PROXY`,
    /// each also in lower case. Without a proxy in the environment, all members are reached directly.
    ///
    /// A client reads these variables only through this function.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](etcd_errors::ErrorKind::InvalidConfig) for the same reasons as [`new`](Self::new). The error
    /// names the variable.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::transport::HttpProxy;
    ///
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// let proxy = HttpProxy::from_env()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| Some((*name, read(name).filter(|value| !value.trim().is_empty())?)))
        };
        let exceptions = first(&EXCEPTION_VARIABLES).map_or_else(String::new, |(_, list)| list);
        let via = match first(&PROXY_VARIABLES) {
            None => None,
            Some((name, url)) => Some(
                Via::parse(url.trim())
                    .map_err(|why| invalid(format!("{name}={:?} {why}", without_user(&url))))?,
            ),
        };
        Ok(Self::via(via, &exceptions))
    }

    fn via(via: Option<Via>, exceptions: &str) -> Self {
        Self { via: via.map(Arc::new), exceptions: matcher(exceptions), including_loopback: false }
    }

    /// Sets the members that are reached directly, in the format of `NO_PROXY`: a comma-separated list of addresses,
    /// networks (`10.0.0.0/8`), names including their subdomains, and `*`. Replaces the previous list. Default: none.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::transport::HttpProxy;
    ///
    /// let proxy = HttpProxy::new("http://proxy.internal:3128")?.except("10.0.0.0/8,.cluster.local");
    /// # Ok::<(), etcd_client_core::Error>(())
    /// ```
    #[must_use = "returns the changed proxy"]
    pub fn except(mut self, list: impl AsRef<str>) -> Self {
        self.exceptions = matcher(list.as_ref());
        self
    }

    /// Uses the proxy for loopback addresses and `localhost` too. They then refer to the proxy's host. By default they
    /// are reached directly.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::transport::HttpProxy;
    ///
    /// // A port forward on the proxy's host.
    /// let proxy = HttpProxy::new("http://bastion.internal:3128")?.including_loopback();
    /// # Ok::<(), etcd_client_core::Error>(())
    /// ```
    #[must_use = "returns the changed proxy"]
    pub fn including_loopback(mut self) -> Self {
        self.including_loopback = true;
        self
    }

    /// Returns `true` if the proxy is used for `member`.
    pub(crate) fn carries(&self, member: &Endpoint) -> bool {
        self.to(member).is_some()
    }

    /// Returns the proxy to use for `member`, if any.
    fn to(&self, member: &Endpoint) -> Option<&Arc<Via>> {
        let via = self.via.as_ref()?;
        let Address::Tcp { .. } = member.address() else { return None };
        if member.is_loopback() && !self.including_loopback {
            return None;
        }
        let uri = Uri::builder().scheme("https").authority(member.authority()).path_and_query("/").build();
        self.exceptions.intercept(&uri.ok()?).map(|_any| via)
    }
}

impl fmt::Debug for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProxy")
            .field("proxy", &self.via.as_ref().map(|via| via.name()))
            .field("authorization", &self.via.as_ref().is_some_and(|via| via.authorization.is_some()))
            .field("including_loopback", &self.including_loopback)
            .finish_non_exhaustive()
    }
}

impl Via {
    fn parse(url: &str) -> Result<Self, String> {
        let scheme = url.split_once("://").map_or("http", |(scheme, _)| scheme).to_ascii_lowercase();
        match scheme.as_str() {
            "http" => {}
            "https" => return Err("requires TLS, which is not supported: use http://".into()),
            _ => return Err(format!("has the scheme {scheme:?}: only HTTP proxies are supported")),
        }
        let unreadable = || "is malformed: write http://user:password@host:port".to_owned();
        let read = Matcher::builder().all(url).build();
        let found = read.intercept(&Uri::from_static("https://member/")).ok_or_else(unreadable)?;
        let address = found.uri().authority().ok_or_else(unreadable)?.as_str();
        let has_port = address.rsplit(']').next().is_some_and(|after| after.contains(':'));
        let port = if has_port { String::new() } else { format!(":{DEFAULT_PORT}") };
        let endpoint = format!("http://{address}{port}").parse().map_err(|_| unreadable())?;
        Ok(Self { endpoint, authorization: found.basic_auth().cloned() })
    }

    /// Returns the proxy's address for error messages, without user and password.
    fn name(&self) -> &str {
        self.endpoint.authority()
    }
}

/// Returns a matcher that intercepts everything except `exceptions`. The proxy in it is a placeholder.
fn matcher(exceptions: &str) -> Arc<Matcher> {
    Arc::new(Matcher::builder().all("http://proxy").no(exceptions).build())
}

fn invalid(why: String) -> Error {
    Error::invalid_config("proxy", why)
}

#[cfg(test)]
mod tests;
