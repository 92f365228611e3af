//! One connection through a proxy: its handle, and the task that carries it.

use std::{
    future::pending,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{net::TcpStream, sync::watch, time::timeout};

use super::{
    Direction, Fault, Traffic,
    control::Control,
    counts::Ledger,
    pump::{self, Broken},
};
use crate::relay::reset_on_close;

/// Small, so that a window closes soon after its reader pauses.
const RECEIVE_BUFFER: usize = 64 * 1024;

/// A connection to the server. From now on faults are set for each connection.
#[derive(Clone, Debug)]
pub struct Connection {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: SocketAddr,
    server: usize,
    control: watch::Sender<Control>,
    traffic: watch::Sender<Traffic>,
    /// Set if writing to the client, and to the server, has failed.
    gone: [AtomicBool; 2],
    /// Of the whole proxy.
    ledger: Ledger,
}

impl Connection {
    pub(super) fn new(client: SocketAddr, server: usize, control: Control, ledger: Ledger) -> Self {
        let (control, traffic) = (watch::Sender::new(control), watch::Sender::default());
        let gone = Default::default();
        Self { shared: Arc::new(Shared { client, server, control, traffic, gone, ledger }) }
    }

    /// The client's end.
    #[must_use]
    pub fn client(&self) -> SocketAddr {
        self.shared.client
    }

    /// The index of the server.
    #[must_use]
    pub fn server(&self) -> usize {
        self.shared.server
    }

    /// The bytes that the connection has carried.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        *self.shared.traffic.borrow()
    }

    /// Sets a fault of this connection. Bytes that the proxy has read before still arrive.
    pub fn fault(&self, direction: Direction, fault: Fault) {
        self.order(|control| control.set(direction, Some(fault)));
    }

    /// Holds what is sent in a direction from now on, until it is [released](Self::release).
    pub fn hold(&self, direction: Direction) {
        self.fault(direction, Fault::Hold);
    }

    /// Lets through what is held in a direction, and ends any other fault of it.
    pub fn release(&self, direction: Direction) {
        self.order(|control| control.set(direction, None));
    }

    /// The bytes of a direction that were taken from the sender and have not reached the receiver.
    #[must_use]
    pub fn under_way(&self, direction: Direction) -> u64 {
        let Traffic { to_server, to_client } = self.traffic();
        let up = if direction.covers(Direction::ToServer) { to_server.read - to_server.written } else { 0 };
        let down = if direction.covers(Direction::ToClient) { to_client.read - to_client.written } else { 0 };
        up + down
    }

    /// Ends its fault.
    pub fn heal(&self) {
        self.order(|control| control.set(Direction::Both, None));
    }

    /// Resets it (RST) towards both ends.
    pub fn reset(&self) {
        self.order(|control| control.reset = true);
    }

    /// Closes one direction (FIN). Bytes that are sent in it from now on are dropped.
    pub fn finish(&self, direction: Direction) {
        self.order(|control| control.finish(direction));
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    pub(super) fn order(&self, change: impl FnOnce(&mut Control)) {
        self.shared.control.send_modify(change);
    }

    pub(super) fn orders(&self) -> watch::Receiver<Control> {
        self.shared.control.subscribe()
    }

    pub(super) fn count_read(&self, direction: Direction, bytes: usize) {
        self.count(|traffic| traffic.of(direction).read += bytes as u64);
    }

    pub(super) fn count_written(&self, direction: Direction, bytes: usize) {
        self.count(|traffic| traffic.of(direction).written += bytes as u64);
    }

    /// A write failed: the receiver of this direction is gone.
    pub(super) fn receiver_gone(&self, direction: Direction) {
        self.gone(direction).store(true, Ordering::Relaxed);
    }

    /// Set if writing to the sender of this direction has failed.
    pub(super) fn is_sender_gone(&self, direction: Direction) -> bool {
        let back = if direction == Direction::ToServer { Direction::ToClient } else { Direction::ToServer };
        self.gone(back).load(Ordering::Relaxed)
    }

    fn gone(&self, direction: Direction) -> &AtomicBool {
        &self.shared.gone[usize::from(direction == Direction::ToServer)]
    }

    fn count(&self, change: impl Fn(&mut Traffic)) {
        self.shared.traffic.send_modify(&change);
        self.shared.ledger.count(|counts| change(&mut counts.traffic));
    }

    /// Ends when it has carried nothing for so long.
    async fn idled(&self, limit: Option<Duration>) {
        let Some(limit) = limit else { return pending().await };
        let mut traffic = self.shared.traffic.subscribe();
        // The sender is of this connection, so that a change fails never.
        while timeout(limit, traffic.changed()).await.is_ok() {}
    }

    /// Carries it until both directions have ended, one was broken off, or it carried nothing for `idle`.
    pub(super) async fn carry(self, mut client: TcpStream, mut server: TcpStream, idle: Option<Duration>) {
        prepare(&client);
        prepare(&server);
        let ended = {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let up = pump::run(&self, Direction::ToServer, from_client, to_server);
            let down = pump::run(&self, Direction::ToClient, from_server, to_client);
            let mut orders = self.orders();
            tokio::select! {
                biased;
                _ = orders.wait_for(|control| control.reset) => Err(Broken::Reset),
                ended = both(up, down) => ended,
                // Polled last: bytes that arrived in time count even if this task runs late.
                () = self.idled(idle) => Ok(()),
            }
        };
        if ended.is_err() {
            reset_on_close(&client);
            reset_on_close(&server);
        }
    }
}

/// Waits for both directions. If the receiver of one is gone, the bytes that it sent before still arrive.
async fn both(
    up: impl Future<Output = Result<(), Broken>>,
    down: impl Future<Output = Result<(), Broken>>,
) -> Result<(), Broken> {
    let (mut up, mut down) = (pin!(up), pin!(down));
    let (first, up_ended) = tokio::select! {
        first = &mut up => (first, true),
        first = &mut down => (first, false),
    };
    match first {
        Err(Broken::Reset) => first,
        _ if up_ended => down.await.and(first),
        _ => up.await.and(first),
    }
}

fn prepare(stream: &TcpStream) {
    // Each fails only on a socket that is gone.
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(stream).set_recv_buffer_size(RECEIVE_BUFFER);
}
