//! A TLS server in front of a member that speaks none: it shows what a test wants and notes what it was shown.

use std::{
    fs, io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use etcd_testkit::{Certificates, Identity};
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// What a client showed in one handshake.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) server_name: Option<String>,
    pub(super) certificate: Option<Vec<u8>>,
    pub(super) version: rustls::ProtocolVersion,
}

/// Ends with its handle.
pub(super) struct Front {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    _accepting: AbortOnDropHandle<()>,
}

struct Shared {
    member: Option<String>,
    config: Mutex<Arc<ServerConfig>>,
    shown: Mutex<Vec<Shown>>,
    /// Cancelled to end every connection; a new one serves those that come then.
    connections: Mutex<CancellationToken>,
}

impl Front {
    /// Listens on a free port and passes what it decrypts on to `member` (`http://host:port`); without one it reads and
    /// says nothing.
    pub(super) async fn start(member: Option<&str>, config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared {
            member: member.map(|endpoint| endpoint.trim_start_matches("http://").to_owned()),
            config: Mutex::new(Arc::new(config)),
            shown: Mutex::default(),
            connections: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, _accepting: AbortOnDropHandle::new(accepting) }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What later handshakes are done with.
    pub(super) fn reconfigure(&self, config: ServerConfig) {
        *self.shared.config.lock().expect("no panic") = Arc::new(config);
    }

    /// Ends every connection that stands.
    pub(super) fn drop_connections(&self) {
        std::mem::take(&mut *self.shared.connections.lock().expect("no panic")).cancel();
    }

    /// The handshakes that succeeded so far, oldest first.
    pub(super) fn shown(&self) -> Vec<Shown> {
        self.shared.shown.lock().expect("no panic").clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.drop_connections();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let ended = shared.connections.lock().expect("no panic").clone();
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // What fails here is seen, and asserted on, by the client.
            let _ = ended.run_until_cancelled(serve(stream, &shared)).await;
        });
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let config = Arc::clone(&shared.config.lock().expect("no panic"));
    let mut stream = TlsAcceptor::from(config).accept(stream).await?;
    let session = stream.get_ref().1;
    let shown = Shown {
        server_name: session.server_name().map(str::to_owned),
        certificate: session.peer_certificates().map(|chain| chain[0].to_vec()),
        version: session.protocol_version().expect("the handshake is complete"),
    };
    shared.shown.lock().expect("no panic").push(shown);
    match &shared.member {
        Some(member) => {
            let mut member = TcpStream::connect(member).await?;
            member.set_nodelay(true)?;
            copy_bidirectional(&mut stream, &mut member).await.map(drop)
        }
        None => tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop),
    }
}

/// How a [`Front`] speaks TLS: with ALPN h2 and every version unless changed.
pub(super) struct Speaks<'a> {
    pub(super) identity: &'a Identity,
    /// Asks for a certificate of this authority.
    pub(super) clients: Option<&'a Path>,
    pub(super) alpn: &'a [&'a [u8]],
    pub(super) versions: &'a [&'static SupportedProtocolVersion],
}

impl<'a> Speaks<'a> {
    pub(super) fn with(identity: &'a Identity) -> Self {
        Self { identity, clients: None, alpn: &[b"h2"], versions: rustls::ALL_VERSIONS }
    }

    pub(super) fn asking(self, certificates: &'a Certificates) -> Self {
        Self { clients: Some(&certificates.ca), ..self }
    }

    pub(super) fn config(self) -> ServerConfig {
        let builder = ServerConfig::builder_with_provider(provider());
        let builder = builder.with_protocol_versions(self.versions).expect("known versions");
        let builder = match self.clients {
            None => builder.with_no_client_auth(),
            Some(authorities) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates(authorities));
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider());
                builder.with_client_cert_verifier(verifier.build().expect("an authority"))
            }
        };
        let key = PrivateKeyDer::from_pem_file(&self.identity.key).expect("a key");
        let mut config =
            builder.with_single_cert(certificates(&self.identity.cert), key).expect("a pair of the testkit");
        config.alpn_protocols = self.alpn.iter().map(|&name| name.to_vec()).collect();
        config
    }
}

/// The certificates of a file, in DER.
pub(super) fn certificates(path: &Path) -> Vec<CertificateDer<'static>> {
    let pem = fs::read(path).expect("the file exists");
    CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().expect("PEM")
}

#[cfg(feature = "tls-ring")]
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[cfg(not(feature = "tls-ring"))]
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
