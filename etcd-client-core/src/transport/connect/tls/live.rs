//! The TLS state of a running client: the configuration in use, the rotation of its files, and the handshake.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use etcd_errors::{Error, ErrorKind, ErrorTopic};
use rustls::ClientConfig;
use tokio::{sync::Mutex, task::spawn_blocking, time::timeout};
use tokio_rustls::TlsConnector;

use crate::{
    transport::connect::{
        BoxError, BoxIo,
        described::Described,
        tls::{
            config::{Fingerprint, HTTP2, Material, client_config},
            describe::describe,
            server_names::ServerNames,
            settings::Tls,
            stream::TlsIo,
        },
    },
    types::Endpoint,
};

/// The maximum time that a handshake waits for its files to be read, for example from a network file system that
/// hangs. The last valid configuration serves in the meantime.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(1);

/// Validated settings, and the configuration that handshakes use.
pub(crate) struct Live {
    settings: Tls,
    server_names: ServerNames,
    config: ArcSwap<ClientConfig>,
    /// Locked while files are read, so that one thread at a time reads them for all connections.
    files: Arc<Mutex<Files>>,
}

/// The state of the files.
struct Files {
    /// The fingerprint of the configuration in use.
    fingerprint: Fingerprint,
    /// The error of the last read, to log each error once.
    last_error: Option<String>,
}

impl Live {
    /// Reads the files and validates the settings.
    pub(crate) fn start(settings: Tls) -> Result<Self, Error> {
        let server_names = ServerNames::new(&settings)?;
        let material = Material::read(&settings)?;
        let config = ArcSwap::from_pointee(client_config(&settings, &material)?);
        let files = Arc::new(Mutex::new(Files { fingerprint: material.fingerprint(), last_error: None }));
        if settings.accept_invalid_certs {
            tracing::warn!(
                "TLS certificate verification is disabled: anyone in between can read and change everything"
            );
        }
        Ok(Self { settings, server_names, config, files })
    }

    /// Returns `true` if endpoints without TLS are allowed.
    pub(crate) fn takes_plaintext(&self) -> bool {
        self.settings.plaintext_endpoints
    }

    /// Checks that a certificate can contain the endpoint's name.
    pub(crate) fn check(&self, endpoint: &Endpoint) -> Result<(), Error> {
        self.server_names.of(endpoint).map(drop)
    }

    /// Returns a hint for a connection that the peer closes right after the handshake. With TLS 1.3, a peer that
    /// rejects the client's certificate does so at that point, because the client's side of the handshake completes
    /// first.
    pub(crate) fn hint(&self) -> &'static str {
        match self.settings.identity {
            None => "check whether the member requires a client certificate (Tls::identity_pem_files)",
            Some(_) => "check whether the member accepts the client's certificate",
        }
    }

    /// Reads the files now. If they are invalid, the last valid configuration stays in use.
    ///
    /// # Cancel safety
    ///
    /// A read that has started runs to its end.
    pub(crate) async fn reload(self: &Arc<Self>) -> Result<(), Error> {
        if !self.settings.has_files() {
            return Ok(());
        }
        let mut files = Arc::clone(&self.files).lock_owned().await;
        let live = Arc::clone(self);
        // On a blocking thread, because reading a file on a hung network file system would stall the runtime.
        // The owned lock guard moves there, so dropping this future does not let a second read start.
        let read = spawn_blocking(move || live.read_again(&mut files)).await;
        read.unwrap_or_else(|_ended| Err(Error::new(ErrorKind::NoRuntime, "the tokio runtime has shut down")))
    }

    /// Performs the TLS handshake on a byte stream.
    pub(crate) async fn secure(self: &Arc<Self>, endpoint: &Endpoint, io: BoxIo) -> Result<BoxIo, BoxError> {
        let name = self.server_names.of(endpoint)?;
        // `read_again` logs the error. The handshake continues with the last valid configuration.
        let _ = timeout(RELOAD_TIMEOUT, self.reload()).await;
        let config = self.config.load_full();
        let identified = self.settings.identity.is_some();
        let handshake = TlsConnector::from(config).connect(name, io).await;
        let stream =
            handshake.map_err(|error| Described::new(ErrorTopic::Tls, describe(&error, identified)))?;
        if stream.get_ref().1.alpn_protocol() != Some(HTTP2) {
            let text = "the peer uses TLS but did not select HTTP/2 (ALPN h2), which gRPC requires: check that it is \
                        an etcd member and that no proxy in front of it is limited to HTTP/1.1";
            return Err(Described::new(ErrorTopic::Tls, text).into());
        }
        Ok(Box::pin(TlsIo::new(stream, identified)))
    }

    fn read_again(&self, files: &mut Files) -> Result<(), Error> {
        match self.changed(files.fingerprint) {
            Ok(changed) => {
                files.last_error = None;
                if let Some((config, fingerprint)) = changed {
                    files.fingerprint = fingerprint;
                    self.config.store(Arc::new(config));
                    tracing::info!("the TLS files have changed and apply to new connections");
                }
                Ok(())
            }
            Err(error) => {
                let text = error.to_string();
                if files.last_error.as_ref() != Some(&text) {
                    tracing::warn!(
                        error = text,
                        "the TLS files cannot be used: the last valid ones stay in use"
                    );
                    files.last_error = Some(text);
                }
                Err(error)
            }
        }
    }

    fn changed(&self, known: Fingerprint) -> Result<Option<(ClientConfig, Fingerprint)>, Error> {
        let material = Material::read(&self.settings)?;
        let fingerprint = material.fingerprint();
        if fingerprint == known {
            return Ok(None);
        }
        Ok(Some((client_config(&self.settings, &material)?, fingerprint)))
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rustls configuration contains the private key, so only the settings are printed.
        self.settings.fmt(f)
    }
}
