//! A minimal gRPC client for one member. The checks of the client must share no code with it.

mod answers;

use std::time::Duration;

pub(crate) use answers::Answers;
use anyhow::{Context as _, bail};
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::Request;
use prost::Message;
use tokio::{net::TcpStream, time::timeout};

use crate::scripted::frame::message;

/// Connecting, and a unary call: members that are paused accept and stay silent.
const PATIENCE: Duration = Duration::from_secs(5);

/// The flow-control window. Everything that arrives is read at once.
const WINDOW: u32 = 16 << 20;

/// A connection to one member over plain TCP.
#[derive(Clone, Debug)]
pub(crate) struct Rpc {
    requests: SendRequest<Bytes>,
    authority: String,
}

impl Rpc {
    /// Connects to `http://HOST:PORT`; the runtime it is called on carries the connection.
    pub(crate) async fn dial(endpoint: &str) -> anyhow::Result<Self> {
        let Some(authority) = endpoint.strip_prefix("http://") else { bail!("{endpoint} is not plain TCP") };
        let dialling = async {
            let stream = TcpStream::connect(authority).await?;
            stream.set_nodelay(true)?;
            let mut builder = h2::client::Builder::new();
            builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
            anyhow::Ok(builder.handshake::<_, Bytes>(stream).await?)
        };
        let dialled = timeout(PATIENCE, dialling).await.context("connecting takes too long")?;
        let (requests, connection) = dialled.with_context(|| format!("connecting to {endpoint}"))?;
        // The connection ends with the last handle. Callers that wait for a response see its error.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { requests, authority: authority.to_owned() })
    }

    /// One request, one answer.
    pub(crate) async fn unary<R: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
    ) -> anyhow::Result<R> {
        let calling = async {
            let (response, _) = self.send(method, request, true).await?;
            let mut answers = Answers::<R>::of(response, None).await?;
            answers.next().await?.context("no answer")
        };
        timeout(PATIENCE, calling).await.context("no answer in time")?.with_context(|| method.to_owned())
    }

    /// One request, answers until they are dropped.
    pub(crate) async fn stream<R: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
    ) -> anyhow::Result<Answers<R>> {
        let (response, open) = self.send(method, request, false).await?;
        Answers::of(response, Some(open)).await
    }

    async fn send(
        &self,
        method: &str,
        request: &impl Message,
        last: bool,
    ) -> anyhow::Result<(ResponseFuture, h2::SendStream<Bytes>)> {
        let head = Request::post(format!("http://{}/etcdserverpb.{method}", self.authority));
        let head = head.header("content-type", "application/grpc").header("te", "trailers").body(())?;
        let mut ready = self.requests.clone().ready().await?;
        let (response, mut body) = ready.send_request(head, false)?;
        body.send_data(message(request.encode_to_vec()), last)?;
        Ok((response, body))
    }
}
