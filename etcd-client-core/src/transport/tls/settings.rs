//! The settings of TLS as a user writes them.

use std::{fmt, path::PathBuf};

use super::{danger::SkipVerification, pem::Source, version::TlsVersion};

/// How members are recognised and what this client shows them; [`ClientBuilder::tls`](crate::ClientBuilder::tls) takes it.
///
/// Whom to trust is one of: [authorities](Self::ca_pem_file) given here, which replace those of the operating system, or
/// the operating system's (`native_roots`, with the feature `tls-native-roots`), which are then also the default.
///
/// # Files are read again
///
/// Certificates and keys that were named as files are looked at before each handshake, and a change is used from then on:
/// no restart, no signal. All files change together or not at all: while one cannot be read or a key does not belong to
/// its certificate, what was good last stays in use, and a warning is logged.
/// [`Client::reload_tls`](crate::Client::reload_tls) looks at once and says what is wrong. Connections that stand are
/// not closed. PEM that was given as bytes stays as it is.
///
/// ```
/// use etcd_client_core::{Tls, TlsVersion};
///
/// let tls = Tls::from_pem_files("ca.pem", "me.pem", "me.key")
///     .server_name_for("https://10.0.0.1:2379", "etcd-0.example.com")
///     .min_version(TlsVersion::Tls13);
/// assert!(format!("{tls:?}").contains("me.key"));
/// ```
#[derive(Clone)]
#[must_use = "settings do nothing until a client is built with them"]
pub struct Tls {
    pub(super) authorities: Vec<Source>,
    pub(super) native_roots: bool,
    /// The certificate chain and its private key.
    pub(super) identity: Option<(Source, Source)>,
    pub(super) server_name: Option<String>,
    /// Endpoints and the names their members' certificates carry.
    pub(super) server_names: Vec<(String, String)>,
    pub(super) min_version: TlsVersion,
    pub(super) max_version: TlsVersion,
    pub(super) plaintext_endpoints: bool,
    pub(super) skip_verification: bool,
}

impl Tls {
    /// TLS 1.2 or 1.3, without a client certificate.
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
            skip_verification: false,
        }
    }

    /// Mutual TLS: the authority of the members' certificates, and the client's certificate and private key.
    ///
    /// The same as [`ca_pem_file`](Self::ca_pem_file) and [`identity_pem_files`](Self::identity_pem_files).
    pub fn from_pem_files(ca: impl Into<PathBuf>, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self::new().ca_pem_file(ca).identity_pem_files(cert, key)
    }

    /// Trusts the authorities in this file, and the operating system's no more. Called again, trusts these as well.
    pub fn ca_pem_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.authorities.push(Source::File(path.into()));
        self
    }

    /// As [`ca_pem_file`](Self::ca_pem_file), from memory.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(Source::memory(pem));
        self
    }

    /// Trusts the authorities that the operating system trusts, as they are when the client is built.
    ///
    /// The default where no authority is given. Cannot be combined with one.
    #[cfg(feature = "tls-native-roots")]
    pub fn native_roots(mut self) -> Self {
        self.native_roots = true;
        self
    }

    /// What this client shows to members that ask for a certificate (`--client-cert-auth`): the chain, its own certificate
    /// first, and the private key (PKCS #8, SEC1 or PKCS #1, not encrypted). Default: none.
    ///
    /// With auth on, the certificate's common name is the user, unless the client has a password or a token.
    pub fn identity_pem_files(mut self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.identity = Some((Source::File(cert.into()), Source::File(key.into())));
        self
    }

    /// As [`identity_pem_files`](Self::identity_pem_files), from memory, which is zeroed after use.
    pub fn identity_pem(mut self, cert: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identity = Some((Source::memory(cert), Source::memory(key)));
        self
    }

    /// The name or IP address that each member's certificate must carry, also sent to it as SNI where it is a name.
    ///
    /// Default: the host of the endpoint; `localhost` for a unix socket.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// As [`server_name`](Self::server_name) where none was set.
    #[cfg(feature = "srv")]
    pub(crate) fn or_server_name(mut self, name: &str) -> Self {
        self.server_name.get_or_insert_with(|| name.to_owned());
        self
    }

    /// As [`server_name`](Self::server_name) for one endpoint, for which it goes first.
    ///
    /// The endpoint is recognised by what it dials, however it is written.
    pub fn server_name_for(mut self, endpoint: impl Into<String>, name: impl Into<String>) -> Self {
        self.server_names.push((endpoint.into(), name.into()));
        self
    }

    /// The oldest version that is spoken. Default: TLS 1.2.
    pub fn min_version(mut self, version: TlsVersion) -> Self {
        self.min_version = version;
        self
    }

    /// The newest version that is spoken. Default: TLS 1.3.
    pub fn max_version(mut self, version: TlsVersion) -> Self {
        self.max_version = version;
        self
    }

    /// Takes `http://` endpoints beside those with TLS. Default: such an endpoint is an error, as it would be spoken to in
    /// the clear although TLS was set up.
    pub fn allow_plaintext_endpoints(mut self) -> Self {
        self.plaintext_endpoints = true;
        self
    }

    /// Talks to whoever answers; see [`SkipVerification`]. A warning is logged when the client is built.
    pub fn skip_verification(mut self, _understood: SkipVerification) -> Self {
        self.skip_verification = true;
        self
    }

    /// What endpoints with TLS get where nothing was set, or the reason why they get nothing.
    pub(crate) fn unasked() -> Result<Self, &'static str> {
        if cfg!(feature = "tls-native-roots") {
            return Ok(Self::new());
        }
        Err(
            "nothing says whose certificates to trust: pass `.tls(Tls::new().ca_pem_file(..))`, or enable the \
             feature `tls-native-roots` of etcd-client-core for those that the operating system trusts",
        )
    }

    /// Whether something can change while the client runs.
    pub(super) fn has_files(&self) -> bool {
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
            .field("skip_verification", &self.skip_verification)
            .finish()
    }
}
