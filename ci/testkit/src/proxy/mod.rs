//! A TCP proxy that imitates the faults of networks: it delays, drops and resets.
//!
//! ```no_run
//! # async fn demo() -> anyhow::Result<()> {
//! use etcd_testkit::{Direction, Fault, Proxy};
//!
//! let proxy = Proxy::to("http://127.0.0.1:2379")?;
//! proxy.fault(Direction::ToClient, Fault::Blackhole);
//! // A client of `proxy.endpoint()` now waits for answers without result.
//! proxy.heal().await;
//!
//! proxy.hold(Direction::ToServer);
//! // Requests stay on their way, even those of clients that close their connection meanwhile.
//! proxy.release(Direction::ToServer);
//! # Ok(())
//! # }
//! ```

mod connection;
mod control;
mod counts;
mod entrance;
mod fault;
mod held;
mod pump;
#[cfg(test)]
mod tests;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use tokio::{net::TcpStream, sync::watch};

pub use self::{
    connection::Connection,
    counts::{Counts, Flow, Traffic},
    fault::{Accept, Direction, Fault},
};
use self::{control::Control, counts::Ledger, entrance::Entrance};
use crate::relay::Background;

/// A proxy on a loopback port. Dropping it closes the port and every connection.
///
/// It runs on a separate thread, so that a busy runtime of a test does not stall it.
#[derive(Debug)]
pub struct Proxy {
    scheme: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    _background: Background,
}

#[derive(Debug)]
struct Shared {
    /// The servers, which connections use in turn.
    upstreams: Vec<String>,
    turn: AtomicUsize,
    /// The time after which an idle connection is closed.
    idle: Option<Duration>,
    book: Mutex<Book>,
    wanted: watch::Sender<Accept>,
    /// The wanted state of the port, once it is reached.
    standing: watch::Sender<Accept>,
    ledger: Ledger,
}

#[derive(Debug, Default)]
struct Book {
    /// The faults of new connections.
    orders: Control,
    connections: Vec<Connection>,
}

impl Proxy {
    /// A proxy to `HOST:PORT`, with a scheme before it or not.
    ///
    /// # Errors
    /// When no port or thread can be had.
    pub fn to(upstream: &str) -> anyhow::Result<Self> {
        let (scheme, upstream) = upstream.split_once("://").unwrap_or(("http", upstream));
        Self::start(scheme, vec![upstream.to_owned()], None)
    }

    /// A load balancer before servers, each `HOST:PORT`: a connection goes to the next one that accepts it, and is
    /// closed in an orderly way after `idle` without a byte in either direction.
    ///
    /// # Errors
    /// When no port or thread can be had.
    pub fn balancing(upstreams: &[String], idle: Option<Duration>) -> anyhow::Result<Self> {
        Self::start("http", upstreams.to_vec(), idle)
    }

    fn start(scheme: &str, upstreams: Vec<String>, idle: Option<Duration>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("binding a proxy")?;
        listener.set_nonblocking(true).context("preparing a proxy")?;
        let address = listener.local_addr().context("reading a proxy's port")?;
        let shared = Arc::new(Shared {
            upstreams,
            turn: AtomicUsize::new(0),
            idle,
            book: Mutex::default(),
            wanted: watch::Sender::default(),
            standing: watch::Sender::default(),
            ledger: Ledger::default(),
        });
        let background = Background::start("etcd-testkit-proxy")?;
        background.spawn(Entrance::new(Arc::clone(&shared), address).run(listener));
        Ok(Self { scheme: scheme.to_owned(), address, shared, _background: background })
    }

    /// Returns the endpoint for clients: `http://127.0.0.1:PORT`, with the scheme of the server.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Returns the address of the proxy.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The served connections that are open, oldest first.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.shared.book().connections.clone()
    }

    /// Sets a fault of every current and later connection. Bytes that the proxy has read before still arrive.
    pub fn fault(&self, direction: Direction, fault: Fault) {
        self.order(|control| control.set(direction, Some(fault)));
    }

    /// Holds what is sent in a direction from now on, on every connection, until it is [released](Self::release).
    pub fn hold(&self, direction: Direction) {
        self.fault(direction, Fault::Hold);
    }

    /// Lets through what is held in a direction, and ends any other fault of it.
    pub fn release(&self, direction: Direction) {
        self.order(|control| control.set(direction, None));
    }

    /// The bytes of a direction that were taken from senders and have not reached the receivers, on connections that
    /// are still carried. One whose client is gone is carried until what the client sent has arrived.
    #[must_use]
    pub fn under_way(&self, direction: Direction) -> u64 {
        self.connections().iter().map(|connection| connection.under_way(direction)).sum()
    }

    /// Resets every open connection (RST) towards both ends.
    pub fn reset(&self) {
        for connection in &self.shared.book().connections {
            connection.reset();
        }
    }

    /// Closes one direction of every open connection (FIN). Bytes that are sent in it from now on are dropped.
    pub fn finish(&self, direction: Direction) {
        for connection in &self.shared.book().connections {
            connection.finish(direction);
        }
    }

    /// Treats clients that connect so from now on; returns when it is in force.
    pub async fn accept(&self, accept: Accept) {
        let mut standing = self.shared.standing.subscribe();
        self.shared.wanted.send_replace(accept);
        // Fails only when the proxy is gone.
        let _ = standing.wait_for(|standing| *standing == accept).await;
    }

    /// Ends every fault: clients are served, bytes pass. Connections that a blackhole took something from are reset.
    pub async fn heal(&self) {
        self.order(|control| control.set(Direction::Both, None));
        self.accept(Accept::Serve).await;
    }

    /// Returns the counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.ledger.counts()
    }

    /// Waits until the counts fulfil a condition.
    ///
    /// # Panics
    /// When they do not within 30 s.
    pub async fn wait_until(&self, condition: impl Fn(&Counts) -> bool) {
        self.shared.ledger.wait_until(condition).await;
    }

    fn order(&self, change: impl Fn(&mut Control)) {
        let mut book = self.shared.book();
        change(&mut book.orders);
        for connection in &book.connections {
            connection.order(&change);
        }
    }
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection to the next server that accepts one.
    async fn dial(&self) -> Option<(usize, TcpStream)> {
        let count = self.upstreams.len();
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        for index in (first..first + count).map(|turn| turn % count) {
            if let Ok(server) = TcpStream::connect(&self.upstreams[index]).await {
                return Some((index, server));
            }
        }
        None
    }

    /// Carries a connection, which is registered in that time.
    async fn connect(&self, client: TcpStream, from: SocketAddr, (index, server): (usize, TcpStream)) {
        let connection = self.enter(from, index);
        let carried = connection.clone();
        carried.carry(client, server, self.idle).await;
        self.book().connections.retain(|other| !other.is(&connection));
        self.ledger.count(|counts| counts.open -= 1);
    }

    fn enter(&self, client: SocketAddr, server: usize) -> Connection {
        let connection = {
            let mut book = self.book();
            let connection = Connection::new(client, server, book.orders, self.ledger.clone());
            book.connections.push(connection.clone());
            connection
        };
        self.ledger.count(|counts| {
            counts.served += 1;
            counts.open += 1;
        });
        connection
    }
}
