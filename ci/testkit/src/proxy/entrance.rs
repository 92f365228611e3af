//! The port of a proxy, which accepts or refuses clients.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    sync::Arc,
    time::Duration,
};

use socket2::{Domain, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};

use super::{Accept, Shared};
use crate::relay::reset_on_close;

/// The time before a failed socket call is retried.
const AGAIN: Duration = Duration::from_millis(10);

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

pub(super) struct Entrance {
    shared: Arc<Shared>,
    address: SocketAddr,
    wanted: watch::Receiver<Accept>,
}

impl Entrance {
    pub(super) fn new(shared: Arc<Shared>, address: SocketAddr) -> Self {
        let wanted = shared.wanted.subscribe();
        Self { shared, address, wanted }
    }

    pub(super) async fn run(mut self, listener: StdListener) {
        let Ok(mut listener) = TcpListener::from_std(listener) else { return };
        loop {
            self.serve(&listener).await;
            drop(listener);
            let closed = self.close().await;
            self.shared.standing.send_replace(Accept::Refuse);
            // Ignored: fails only if the proxy was dropped.
            let _ = self.wanted.wait_for(|accept| *accept != Accept::Refuse).await;
            listener = reopen(closed);
        }
    }

    /// Accepts until connections are to be refused.
    async fn serve(&mut self, listener: &TcpListener) {
        loop {
            let wanted = *self.wanted.borrow_and_update();
            if wanted == Accept::Refuse {
                return;
            }
            self.shared.standing.send_replace(wanted);
            tokio::select! {
                biased;
                _ = self.wanted.changed() => {}
                accepted = listener.accept() => match accepted {
                    Ok((client, from)) => drop(tokio::spawn(admit(Arc::clone(&self.shared), client, from))),
                    // Out of descriptors: others will be given back.
                    Err(_) => sleep(AGAIN).await,
                },
            }
        }
    }

    /// A socket that reserves the port without listening.
    async fn close(&self) -> Socket {
        loop {
            match bound(self.address) {
                Ok(socket) => return socket,
                Err(_) => sleep(AGAIN).await,
            }
        }
    }
}

fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn reopen(closed: Socket) -> TcpListener {
    let listening = closed.set_nonblocking(true).and_then(|()| closed.listen(BACKLOG));
    listening.and_then(|()| TcpListener::from_std(closed.into())).expect("a bound socket can listen")
}

/// Treats a client as is wanted when it comes; silence lasts until something else is wanted.
async fn admit(shared: Arc<Shared>, client: TcpStream, from: SocketAddr) {
    shared.ledger.count(|counts| counts.connects += 1);
    let mut wanted = shared.wanted.subscribe();
    // Fails only when the proxy is gone, and this task with it.
    let wanted = wanted.wait_for(|accept| *accept != Accept::Silent).await.map(|accept| *accept);
    let server = match wanted {
        Ok(Accept::Serve) => shared.dial().await,
        _ => None,
    };
    match server {
        Some(server) => shared.connect(client, from, server).await,
        None => reset_on_close(&client),
    }
}
