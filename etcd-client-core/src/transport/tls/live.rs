//! TLS of one client while it runs: the configuration in use, its files read again, and the handshake.

use std::time::Duration;
use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use etcd_errors::{Error, ErrorKind};
use rustls::ClientConfig;
use tokio::{sync::Mutex, task::spawn_blocking, time::timeout};
use tokio_rustls::TlsConnector;

use super::{
    config::{HTTP2, client_config},
    describe::describe,
    material::{Fingerprint, Material},
    server_names::ServerNames,
    settings::Tls,
    stream::TlsIo,
};
use crate::{
    model::Endpoint,
    transport::connector::{BoxError, BoxIo},
};

/// A handshake does not wait longer than this for files that hang: what was good last is at hand.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(1);

/// Settings that were found good, with what handshakes use of them.
pub(crate) struct Live {
    settings: Tls,
    server_names: ServerNames,
    config: ArcSwap<ClientConfig>,
    /// Held while files are read: one thread at a time, however many connections wait for it.
    files: Arc<Mutex<Files>>,
}

/// What is known of the files.
struct Files {
    /// Of what is in use.
    fingerprint: Fingerprint,
    /// What was wrong when they were read last.
    trouble: Option<String>,
}

impl Live {
    /// Reads the files and checks everything.
    pub(crate) fn start(settings: Tls) -> Result<Self, Error> {
        let server_names = ServerNames::new(&settings)?;
        let material = Material::read(&settings)?;
        let config = ArcSwap::from_pointee(client_config(&settings, &material)?);
        let files = Arc::new(Mutex::new(Files { fingerprint: material.fingerprint(), trouble: None }));
        if settings.skip_verification {
            tracing::warn!("TLS without verification: anyone in between can read and change everything");
        }
        Ok(Self { settings, server_names, config, files })
    }

    /// Whether endpoints without TLS were allowed.
    pub(crate) fn takes_plaintext(&self) -> bool {
        self.settings.plaintext_endpoints
    }

    /// Whether the endpoint has a name that a certificate can carry.
    pub(crate) fn check(&self, endpoint: &Endpoint) -> Result<(), Error> {
        self.server_names.of(endpoint).map(drop)
    }

    /// What is most likely when a peer ends the connection right after the handshake, as with TLS 1.3 a peer does that
    /// dislikes the client's certificate.
    pub(crate) fn hint(&self) -> &'static str {
        match self.settings.identity {
            None => "does the member ask for a client certificate (Tls::identity_pem_files)?",
            Some(_) => "does the member refuse the client's certificate?",
        }
    }

    /// Reads the files again, now. What was good last stays in use when something is wrong with them.
    ///
    /// Cancel safe: what was begun is finished.
    pub(crate) async fn reload(self: &Arc<Self>) -> Result<(), Error> {
        if !self.settings.has_files() {
            return Ok(());
        }
        let mut files = Arc::clone(&self.files).lock_owned().await;
        let live = Arc::clone(self);
        // A file on a network that hangs must not hold up the runtime.
        let read = spawn_blocking(move || live.read_again(&mut files)).await;
        read.unwrap_or_else(|_ended| Err(Error::new(ErrorKind::NoRuntime, "the tokio runtime has ended")))
    }

    /// Makes a byte stream a TLS one.
    pub(crate) async fn secure(self: &Arc<Self>, endpoint: &Endpoint, io: BoxIo) -> Result<BoxIo, BoxError> {
        let name = self.server_names.of(endpoint)?;
        // Reported where it happens; the handshake goes on with what was good last.
        let _ = timeout(RELOAD_TIMEOUT, self.reload()).await;
        let config = self.config.load_full();
        let identified = self.settings.identity.is_some();
        let handshake = TlsConnector::from(config).connect(name, io).await;
        let stream = handshake.map_err(|error| describe(&error, identified))?;
        if stream.get_ref().1.alpn_protocol() != Some(HTTP2) {
            return Err("the peer speaks TLS but did not choose HTTP/2 (ALPN h2), which gRPC needs: it is no etcd, or a \
                        proxy in front of it speaks HTTP/1.1 only"
                .into());
        }
        Ok(Box::pin(TlsIo::new(stream, identified)))
    }

    fn read_again(&self, files: &mut Files) -> Result<(), Error> {
        match self.changed(files.fingerprint) {
            Ok(changed) => {
                files.trouble = None;
                if let Some((config, fingerprint)) = changed {
                    files.fingerprint = fingerprint;
                    self.config.store(Arc::new(config));
                    tracing::info!("the files of TLS have changed and are used from now on");
                }
                Ok(())
            }
            Err(error) => {
                let text = error.to_string();
                if files.trouble.as_ref() != Some(&text) {
                    tracing::warn!(
                        error = text,
                        "the files of TLS cannot be used: what was good last stays in use"
                    );
                    files.trouble = Some(text);
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
        // What rustls holds includes the private key.
        self.settings.fmt(f)
    }
}
