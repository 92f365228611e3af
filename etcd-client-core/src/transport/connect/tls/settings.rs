//! The TLS settings of a client.

use std::{fmt, path::PathBuf};

use crate::transport::connect::tls::pem::Source;

/// TLS settings: the trusted authorities, the client certificate and the protocol versions. Set them with
/// [`ClientBuilder::tls`](crate::client::ClientBuilder::tls).
///
/// The trusted authorities are either the ones [set here](Self::ca_pem_file) or those of the operating system
/// (`native_roots`, with the feature `tls-native-roots`). The operating system's are the default if the feature is
/// enabled and no authority is set.
///
/// # Certificate rotation
///
/// Certificates and keys set as files are checked for changes before each handshake. Changes apply to new connections,
/// without a restart or a signal; open connections are not closed.
///
/// All files change together or not at all. While a file cannot be read, or a key does not match its certificate, the
/// last valid set stays in use and a warning is logged. [`Client::reload_tls`](crate::client::Client::reload_tls) checks the
/// files immediately and returns the error. PEM set as bytes never changes.
///
/// # Examples
///
/// ```
/// use etcd_client_core::Tls;
/// use etcd_client_core::transport::TlsVersion;
///
/// let tls = Tls::from_pem_files("ca.pem", "me.pem", "me.key")
///     .server_name_for("https://10.0.0.1:2379", "etcd-0.example.com")
///     .min_version(TlsVersion::Tls13);
/// assert!(format!("{tls:?}").contains("me.key"));
/// ```
#[derive(Clone)]
#[must_use = "settings do nothing until a client is built with them"]
pub struct Tls {
    pub(crate) authorities: Vec<Source>,
    pub(crate) native_roots: bool,
    /// The certificate chain and its private key.
    pub(crate) identity: Option<(Source, Source)>,
    pub(crate) server_name: Option<String>,
    /// Endpoints, and the names in the certificates of their members.
    pub(crate) server_names: Vec<(String, String)>,
    pub(crate) min_version: TlsVersion,
    pub(crate) max_version: TlsVersion,
    pub(crate) plaintext_endpoints: bool,
    pub(crate) accept_invalid_certs: bool,
}

impl Tls {
    /// Creates settings for TLS 1.2 and 1.3, without a client certificate.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    /// use etcd_client_core::transport::TlsVersion;
    ///
    /// let tls = Tls::new().ca_pem_file("ca.pem").min_version(TlsVersion::Tls13);
    /// ```
    pub fn new() -> Self {
        Self {
            authorities: Vec::new(),
            native_roots: false,
            identity: None,
            server_name: None,
            server_names: Vec::new(),
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            plaintext_endpoints: false,
            accept_invalid_certs: false,
        }
    }

    /// Creates settings for mutual TLS: the authority of the members' certificates, and the client's certificate and
    /// private key.
    ///
    /// The same as [`ca_pem_file`](Self::ca_pem_file) and [`identity_pem_files`](Self::identity_pem_files).
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    ///
    /// let tls = Tls::from_pem_files("ca.pem", "client.pem", "client.key");
    /// ```
    pub fn from_pem_files(ca: impl Into<PathBuf>, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self::new().ca_pem_file(ca).identity_pem_files(cert, key)
    }

    /// Trusts the authorities in this file instead of those of the operating system. Further calls add authorities.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    ///
    /// // During a change of authorities, trust both.
    /// let tls = Tls::new().ca_pem_file("old-ca.pem").ca_pem_file("new-ca.pem");
    /// ```
    pub fn ca_pem_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.authorities.push(Source::File(path.into()));
        self
    }

    /// Trusts the authorities in this PEM. Like [`ca_pem_file`](Self::ca_pem_file), but from memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    ///
    /// # let pem_from_a_secret_store = Vec::new();
    /// let tls = Tls::new().ca_pem(pem_from_a_secret_store);
    /// ```
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(Source::memory(pem));
        self
    }

    /// Trusts the authorities of the operating system, as they are when the client is built.
    ///
    /// This is the default if no authority is set. It cannot be combined with one.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    ///
    /// let tls = Tls::new().native_roots();
    /// ```
    #[cfg(feature = "tls-native-roots")]
    pub fn native_roots(mut self) -> Self {
        self.native_roots = true;
        self
    }

    /// Sets the certificate that the client presents to members that require one (`--client-cert-auth`). Default:
    /// none.
    ///
    /// `cert` is the certificate chain, leaf first. `key` is its unencrypted private key in PKCS #8, SEC1 or PKCS #1
    /// form.
    ///
    /// If auth is enabled, the user is the certificate's common name, unless the client has a password or a token.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    ///
    /// let tls = Tls::new().ca_pem_file("ca.pem").identity_pem_files("client.pem", "client.key");
    /// ```
    pub fn identity_pem_files(mut self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.identity = Some((Source::File(cert.into()), Source::File(key.into())));
        self
    }

    /// Sets the client certificate. Like [`identity_pem_files`](Self::identity_pem_files), but from memory, which is
    /// zeroed after use.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    ///
    /// # let (cert, key) = (Vec::new(), Vec::new());
    /// let tls = Tls::new().ca_pem_file("ca.pem").identity_pem(cert, key);
    /// ```
    pub fn identity_pem(mut self, cert: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identity = Some((Source::memory(cert), Source::memory(key)));
        self
    }

    /// Sets the name or IP address that every member's certificate must contain. A name is also sent as SNI.
    ///
    /// Default: the host of the endpoint, or `localhost` for a Unix socket.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    ///
    /// // The endpoints are IP addresses; the certificates contain this name.
    /// let tls = Tls::new().ca_pem_file("ca.pem").server_name("etcd.example.com");
    /// ```
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Sets [`server_name`](Self::server_name) unless it is set already.
    #[cfg(feature = "srv")]
    pub(crate) fn or_server_name(mut self, name: &str) -> Self {
        self.server_name.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Sets [`server_name`](Self::server_name) for one endpoint. It takes precedence over the general name.
    ///
    /// Endpoints are compared by the address they connect to, so different spellings match.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    ///
    /// let tls = Tls::new()
    ///     .ca_pem_file("ca.pem")
    ///     .server_name_for("https://10.0.0.1:2379", "etcd-0.example.com")
    ///     .server_name_for("https://10.0.0.2:2379", "etcd-1.example.com");
    /// ```
    pub fn server_name_for(mut self, endpoint: impl Into<String>, name: impl Into<String>) -> Self {
        self.server_names.push((endpoint.into(), name.into()));
        self
    }

    /// Sets the minimum TLS version. Default: TLS 1.2.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    /// use etcd_client_core::transport::TlsVersion;
    ///
    /// let tls = Tls::new().ca_pem_file("ca.pem").min_version(TlsVersion::Tls13);
    /// ```
    pub fn min_version(mut self, version: TlsVersion) -> Self {
        self.min_version = version;
        self
    }

    /// Sets the maximum TLS version. Default: TLS 1.3.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    /// use etcd_client_core::transport::TlsVersion;
    ///
    /// let tls = Tls::new().ca_pem_file("ca.pem").max_version(TlsVersion::Tls12);
    /// ```
    pub fn max_version(mut self, version: TlsVersion) -> Self {
        self.max_version = version;
        self
    }

    /// Allows `http://` endpoints next to endpoints with TLS. By default they are rejected, because their traffic
    /// would be unencrypted although TLS is configured.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    ///
    /// // For example while the members are switched to TLS one after the other.
    /// let tls = Tls::new().ca_pem_file("ca.pem").allow_plaintext_endpoints();
    /// ```
    pub fn allow_plaintext_endpoints(mut self) -> Self {
        self.plaintext_endpoints = true;
        self
    }

    /// Disables the verification of the members' certificates if `accept` is `true`: the issuer, the name and the
    /// validity period are not checked. Default: `false`.
    ///
    /// Anyone between this client and the cluster can then read and change every value, password and token. Use it
    /// only for a disposable cluster with unknown certificates. To reach a member by an address that is not in its
    /// certificate, use [`server_name`](Self::server_name) instead.
    ///
    /// It cannot be combined with certificate authorities. A warning is logged when the client is built.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Tls;
    ///
    /// let tls = Tls::new().danger_accept_invalid_certs(true);
    /// ```
    #[doc(alias = "InsecureSkipVerify")]
    #[doc(alias = "skip_verification")]
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.accept_invalid_certs = accept;
        self
    }

    /// Returns the default settings for `https://` endpoints, or the reason why there are none.
    pub(crate) fn unasked() -> Result<Self, &'static str> {
        if cfg!(feature = "tls-native-roots") {
            return Ok(Self::new());
        }
        Err(
            "no certificate authorities are set: pass `.tls(Tls::new().ca_pem_file(..))`, or enable the feature \
             `tls-native-roots` of etcd-client-core to trust those of the operating system",
        )
    }

    /// Returns `true` if any source is a file and can change while the client runs.
    pub(crate) fn has_files(&self) -> bool {
        let identity = self.identity.iter().flat_map(|(cert, key)| [cert, key]);
        self.authorities.iter().chain(identity).any(Source::is_file)
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cert, key) = self.identity.as_ref().map(|(cert, key)| (cert, key)).unzip();
        f.debug_struct("Tls")
            .field("authorities", &self.authorities)
            .field("native_roots", &self.native_roots)
            .field("cert", &cert)
            .field("key", &key)
            .field("server_name", &self.server_name)
            .field("server_names", &self.server_names)
            .field("min_version", &self.min_version)
            .field("max_version", &self.max_version)
            .field("plaintext_endpoints", &self.plaintext_endpoints)
            .field("accept_invalid_certs", &self.accept_invalid_certs)
            .finish()
    }
}

/// A TLS version. Older versions are not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2, etcd's default minimum.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}
