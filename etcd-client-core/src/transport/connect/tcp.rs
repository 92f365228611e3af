//! The default connector: TCP with Happy Eyeballs, and Unix sockets.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use etcd_errors::ErrorTopic;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::{sleep, timeout},
};
use tower_service::Service;

use crate::{
    transport::connect::{BoxIo, Target, address_order::interleave, described::Described},
    types::Address,
};

/// The delay before the next address is tried in parallel (RFC 8305 section 5).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// The timeout of a name lookup. The system's resolver takes up to 30 s to report an unresponsive DNS server. This
/// timeout is shorter than that of connecting, so that the error names the cause.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(4);

/// With these values, a dead peer of an idle connection is detected after 30 + 3 × 5 seconds.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_PROBES: u32 = 3;

/// The maximum time without TCP acknowledgements. It is longer than the keep-alive probes take, and shorter than the
/// kernel's default of about 15 minutes.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// Connects directly to TCP and Unix sockets.
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
                Address::Tcp { host, port } => {
                    let addresses = looked_up(host, lookup_host((&**host, *port))).await?;
                    Ok(Box::pin(dial(interleave(addresses), target.attempt).await?) as BoxIo)
                }
                Address::Unix { path } => dial_unix(path).await,
            }
        })
    }
}

/// Returns the result of the lookup. Its errors mention the name lookup.
async fn looked_up<T>(host: &str, lookup: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let described = |kind, text: String| io::Error::new(kind, Described::new(ErrorTopic::NameLookup, text));
    match timeout(LOOKUP_TIMEOUT, lookup).await {
        Ok(found) => found
            .map_err(|error| described(error.kind(), format!("the name lookup of {host} failed: {error}"))),
        Err(_elapsed) => {
            let text = format!("the name lookup of {host} timed out after {} s", LOOKUP_TIMEOUT.as_secs());
            Err(described(io::ErrorKind::TimedOut, text))
        }
    }
}

#[cfg(unix)]
async fn dial_unix(path: &str) -> io::Result<BoxIo> {
    Ok(Box::pin(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn dial_unix(_path: &str) -> io::Result<BoxIo> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "Unix sockets are not supported on this platform"))
}

/// Returns the first of `addresses` that accepts. Concurrent attempts begin with different addresses, so that an
/// address which accepts but does not respond does not block the others.
async fn dial(mut addresses: Vec<SocketAddr>, attempt: usize) -> io::Result<TcpStream> {
    let first = attempt.checked_rem(addresses.len()).unwrap_or(0);
    addresses.rotate_left(first);
    let mut addresses = addresses.into_iter().peekable();
    // Dropping the set aborts the slower attempts once one has connected.
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
            // The attempts in progress continue next to the new one.
            () = sleep(NEXT_ADDRESS_AFTER), if more => {}
        }
    }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // Requests are small and latency matters, so Nagle's algorithm is off.
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::transport::connect::described::topic;

    #[tokio::test(start_paused = true)]
    async fn name_lookup_errors_are_identified() {
        let silent = looked_up("a", std::future::pending::<io::Result<()>>()).await.expect_err("no answer");
        assert_eq!(silent.to_string(), "the name lookup of a timed out after 4 s");
        let unknown = async { Err::<(), _>(io::Error::other("no such host")) };
        let unknown = looked_up("a", unknown).await.expect_err("unknown");
        assert_eq!(unknown.to_string(), "the name lookup of a failed: no such host");
        assert_eq!([silent, unknown].map(|error| topic(&error)), [Some(ErrorTopic::NameLookup); 2]);
    }

    /// The resolver refuses a label of more than 63 bytes (RFC 1035 section 2.3.4) without asking a DNS server.
    #[tokio::test]
    async fn a_host_without_an_address_is_named() {
        let host = format!("{}.invalid", "a".repeat(64));
        let endpoint = format!("http://{host}:1").parse().expect("an endpoint");
        let error = DirectConnector.call(Target { endpoint, attempt: 0 }).await.err().expect("no address");
        assert!(error.to_string().starts_with(&format!("the name lookup of {host} failed")), "{error}");
    }

    #[tokio::test]
    async fn each_attempt_begins_with_another_address() {
        let mut listeners = Vec::new();
        for _ in 0..3 {
            listeners.push(TcpListener::bind("127.0.0.1:0").await.expect("a free port"));
        }
        let addresses: Vec<SocketAddr> =
            listeners.iter().map(|listener| listener.local_addr().expect("bound")).collect();
        for attempt in 0..4 {
            let stream = dial(addresses.clone(), attempt).await.expect("it accepts");
            assert_eq!(stream.peer_addr().expect("connected"), addresses[attempt % 3], "attempt {attempt}");
        }
        assert!(dial(Vec::new(), 1).await.is_err());
    }
}
