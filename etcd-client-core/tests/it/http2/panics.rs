//! Panics in the tasks that keep an endpoint connected: the endpoint is connected again.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use etcd_client_core::{Client, ErrorKind, transport::Target};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tower_service::Service;
use tracing::{Event, Metadata, Subscriber, span};

use crate::{failover::service::member, servers::eventually};

/// Dials, with streams that panic when they are read while `armed`.
#[derive(Clone, Debug, Default)]
struct Trap {
    armed: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Trapped {
    io: TcpStream,
    armed: Arc<AtomicBool>,
}

impl Service<Target> for Trap {
    type Response = Trapped;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Trapped>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let armed = Arc::clone(&self.armed);
        Box::pin(async move {
            let endpoint = target.endpoint.to_string();
            let address = endpoint.trim_start_matches("http://");
            Ok(Trapped { io: TcpStream::connect(address).await?, armed })
        })
    }
}

impl AsyncRead for Trapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        assert!(!self.armed.swap(false, Ordering::Relaxed), "the trap closes");
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Trapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn a_driver_that_panics_costs_one_connection_and_is_reported() {
    let (server, trap) = (member().await, Trap::default());
    let client = Client::builder([server.endpoint()]).connector(trap.clone()).build().expect("built");
    client.put("k", "v").await.expect("put");
    trap.armed.store(true, Ordering::Relaxed);
    // Retried where none of its bytes was written before the panic.
    if let Err(error) = client.put("k", "v").await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
    }
    assert!(!trap.armed.load(Ordering::Relaxed), "the trap has closed");
    client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(server.counts(|counts| counts.connections), 2);
}

/// A subscriber that panics at the first event of an endpoint that is down.
#[derive(Debug, Default)]
struct Grumpy {
    done: Arc<AtomicBool>,
}

impl Subscriber for Grumpy {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let down =
            event.metadata().name() == "etcd.endpoint" && *event.metadata().level() == tracing::Level::WARN;
        assert!(!down || self.done.swap(true, Ordering::Relaxed), "not in this house");
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

#[tokio::test]
async fn an_endpoint_whose_task_panics_is_connected_again() {
    let server = member().await;
    let port = server.port();
    let grumpy = Grumpy::default();
    let done = Arc::clone(&grumpy.done);
    let _guard = tracing::subscriber::set_default(grumpy);
    let client = Client::builder([server.endpoint()]).build().expect("built");
    client.put("k", "v").await.expect("put");
    drop(server);
    eventually("the task has panicked", async || done.load(Ordering::Relaxed)).await;
    let server =
        crate::failover::service::started(etcd_testkit::scripted::Server::builder().port(port)).await;
    client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
    assert!(server.counts(|counts| counts.connections) > 0);
}
