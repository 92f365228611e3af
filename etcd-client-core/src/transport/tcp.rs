//! The connector of a client that was given none: TCP with happy eyeballs, and unix sockets.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::sleep,
};
use tower_service::Service;

use super::connector::{BoxIo, Target};
use crate::{mechanism::address_order::interleave, model::Address};

/// The wait before the next address is tried beside the ones under way (RFC 8305 section 5).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// Finds a dead peer of an idle connection in 30 + 3 x 5 seconds.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_PROBES: u32 = 3;

/// Finds a peer that acknowledges nothing: longer than a keepalive round, shorter than the kernel's 15 minutes.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// Dials TCP and unix sockets directly.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DirectConnector;

impl Service<Target> for DirectConnector {
    type Response = BoxIo;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<BoxIo>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        Box::pin(async move {
            match target.endpoint.address() {
                Address::Tcp { host, port } => Ok(Box::pin(dial(host, *port).await?) as BoxIo),
                Address::Unix { path } => dial_unix(path).await,
            }
        })
    }
}

#[cfg(unix)]
async fn dial_unix(path: &str) -> io::Result<BoxIo> {
    Ok(Box::pin(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn dial_unix(_path: &str) -> io::Result<BoxIo> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "unix sockets need a unix system"))
}

async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut addresses = interleave(lookup_host((host, port)).await?).into_iter().peekable();
    let mut attempts: JoinSet<io::Result<TcpStream>> = JoinSet::new();
    let mut last_error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        if let Some(address) = addresses.next() {
            attempts.spawn(open(address));
        } else if attempts.is_empty() {
            return Err(last_error);
        }
        let more = addresses.peek().is_some();
        tokio::select! {
            Some(attempt) = attempts.join_next() => match attempt {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last_error = error,
                Err(panicked_or_cancelled) => last_error = io::Error::other(panicked_or_cancelled),
            },
            () = sleep(NEXT_ADDRESS_AFTER), if more => {}
        }
    }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    let keepalive = keepalive.with_retries(KEEPALIVE_PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    Ok(stream)
}
