//! The server: a listener, its script, its counts.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
};

use super::{
    connection::{self, Http2, Scripts},
    ledger::{Counts, Ledger},
    raw::Raw,
    reply,
    script::Script,
};

/// The bytes under way at most on a connection in memory.
const LINK: usize = 64 * 1024;

/// A server on a loopback port. Dropping it closes the port and every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stage: Stage,
    accepting: AbortHandle,
    http2: Http2,
    /// The connections in memory.
    links: Mutex<JoinSet<()>>,
}

/// The script, which a test may change at any time.
#[derive(Clone)]
struct Stage {
    script: Arc<Mutex<Arc<dyn Script>>>,
    /// The response to the empty Txn of a new connection.
    identity: Arc<Mutex<Arc<dyn Script>>>,
    ledger: Ledger,
    allowed: watch::Sender<Option<u32>>,
}

impl Server {
    /// A server with this script on a free port.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(script: impl Script) -> io::Result<Self> {
        Self::builder().start(script).await
    }

    /// A peer that does not speak HTTP/2, on a free port.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn raw(raw: Raw) -> io::Result<Self> {
        Self::builder().start_raw(raw).await
    }

    /// Describes a server with settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The endpoint for clients: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Plays another script from the next call on. Calls are counted on.
    pub fn play(&self, script: impl Script) {
        *self.stage.script.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }

    /// Answers the empty Txn of each connection from now on with this script, whose calls are counted by themselves.
    /// Before that it is answered without a header.
    pub fn identify(&self, script: impl Script) {
        *self.stage.identity.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }

    /// Sends SETTINGS_MAX_CONCURRENT_STREAMS on every connection, also on later ones. More streams are not refused.
    pub fn allow_streams(&self, max: u32) {
        self.stage.allowed.send_replace(Some(max));
    }

    /// A connection in memory, for clients under virtual time.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        let (client, stream) = duplex(LINK);
        let (stage, http2) = (self.stage.clone(), self.http2);
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        while links.try_join_next().is_some() {}
        links.spawn(async move {
            let (number, _open) = stage.ledger.connection();
            let (allowed, ledger) = (stage.allowed.subscribe(), stage.ledger.clone());
            // As for a socket: a test sees in the counts that the client went.
            let _ = connection::serve(stream, http2, number, stage.scripts(), allowed, ledger).await;
        });
        client
    }

    /// Reads the counts.
    pub fn counts<T>(&self, read: impl FnOnce(&Counts) -> T) -> T {
        self.stage.ledger.read(read)
    }

    /// Returns the number of requests of this method that were received completely.
    #[must_use]
    pub fn received(&self, path: &str) -> usize {
        self.counts(|counts| counts.received(path))
    }

    /// Returns the number of requests of this method that a server would have processed.
    ///
    /// These were received completely and were not rejected with REFUSED_STREAM or with a GOAWAY below their stream id.
    #[must_use]
    pub fn applied(&self, path: &str) -> usize {
        self.counts(|counts| counts.applied(path))
    }

    /// Waits until the counts fulfil a condition.
    ///
    /// # Panics
    /// When they do not within 30 s.
    pub async fn wait_until(&self, condition: impl Fn(&Counts) -> bool) {
        self.stage.ledger.wait_until(condition).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Describes a [`Server`] and starts it.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    port: u16,
    http2: Http2,
}

impl Builder {
    /// Sets the port. By default a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// SETTINGS_MAX_CONCURRENT_STREAMS; unlimited by default. More are reset with REFUSED_STREAM.
    pub fn max_concurrent_streams(mut self, max: u32) -> Self {
        self.http2.max_concurrent_streams = Some(max);
        self
    }

    /// Sets the number of requests that a connection serves, unlimited by default.
    ///
    /// The last one causes a GOAWAY with its stream id and NO_ERROR, and later requests on the connection are ignored,
    /// as nginx does with `keepalive_requests`.
    pub fn requests_per_connection(mut self, requests: usize) -> Self {
        self.http2.requests_per_connection = Some(requests);
        self
    }

    /// Starts it with a script.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(self, script: impl Script) -> io::Result<Server> {
        let http2 = self.http2;
        let serve = move |stream: TcpStream, number: usize, stage: Stage| async move {
            // A client may break the connection off at any time; a test sees that in the counts.
            let (allowed, ledger) = (stage.allowed.subscribe(), stage.ledger.clone());
            let _ = connection::serve(stream, http2, number, stage.scripts(), allowed, ledger).await;
        };
        self.listen(Arc::new(script), serve).await
    }

    /// Starts it without HTTP/2.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start_raw(self, raw: Raw) -> io::Result<Server> {
        let serve = move |stream: TcpStream, _number: usize, _stage: Stage| raw.clone().serve(stream);
        self.listen(Arc::new(super::in_turn([])), serve).await
    }

    async fn listen<S, F>(self, script: Arc<dyn Script>, serve: S) -> io::Result<Server>
    where
        S: Fn(TcpStream, usize, Stage) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await?;
        let address = listener.local_addr()?;
        let identity: Arc<dyn Script> = Arc::new(super::in_turn([reply::message("")]));
        let stage = Stage {
            script: Arc::new(Mutex::new(script)),
            identity: Arc::new(Mutex::new(identity)),
            ledger: Ledger::default(),
            allowed: watch::Sender::new(None),
        };
        let accepting = tokio::spawn(accept(listener, stage.clone(), serve)).abort_handle();
        Ok(Server { address, stage, accepting, http2: self.http2, links: Mutex::default() })
    }
}

impl Stage {
    fn scripts(&self) -> Scripts {
        let of = |script: &Arc<Mutex<Arc<dyn Script>>>| -> Arc<dyn Fn() -> Arc<dyn Script> + Send + Sync> {
            let script = Arc::clone(script);
            Arc::new(move || Arc::clone(&script.lock().unwrap_or_else(PoisonError::into_inner)))
        };
        Scripts { calls: of(&self.script), probes: of(&self.identity) }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

/// Accepts connections without end. Dropping this future drops the connections.
async fn accept<S, F>(listener: TcpListener, stage: Stage, serve: S)
where
    S: Fn(TcpStream, usize, Stage) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // The client may be gone already.
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                let (number, open) = stage.ledger.connection();
                let serving = serve(stream, number, stage.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(open);
                });
            }
            Some(_ended) = connections.join_next() => {}
        }
    }
}
