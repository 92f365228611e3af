//! A member made of h2 only, on a thread and a runtime of its own: what it allocates is not counted as the client's.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, mpsc},
    thread,
};

use bytes::{BufMut as _, Bytes, BytesMut};
use etcd_client_core::{Client, ClientBuilder};
use etcd_proto::etcdserverpb as pb;
use futures_util::{
    StreamExt as _,
    future::poll_fn,
    stream::{BoxStream, iter},
};
use h2::{RecvStream, SendStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response};
use prost::Message;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

/// The messages of an answer, made as the client reads them, or the text of an UNIMPLEMENTED status.
pub(crate) type Answer = Result<BoxStream<'static, Bytes>, &'static str>;

/// What to answer to a request: the path, and the message without its frame.
type Handler = dyn Fn(&str, Bytes) -> Answer + Send + Sync;

/// A member that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct FakeMember {
    address: SocketAddr,
    _lifeline: oneshot::Sender<()>,
}

impl FakeMember {
    pub(crate) fn start(handler: impl Fn(&str, Bytes) -> Answer + Send + Sync + 'static) -> Self {
        let (lifeline, ended) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            current_thread().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                tell.send(listener.local_addr().expect("bound")).expect("the test waits for it");
                tokio::select! {
                    _ = ended => {}
                    () = accept(listener, Arc::new(handler)) => {}
                }
            });
        });
        Self { address: told.recv().expect("the member starts"), _lifeline: lifeline }
    }

    /// A client of this member that is connected.
    pub(crate) async fn client(&self) -> Client {
        self.client_with(|builder| builder).await
    }

    /// A client of this member with other settings, connected.
    pub(crate) async fn client_with(&self, set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        let builder = Client::builder([format!("http://{}", self.address)]);
        let client = set(builder).build().expect("valid");
        client.ready().await.expect("the member runs");
        client
    }
}

/// A runtime that keeps the client and its connection on the thread whose allocations are counted.
pub(crate) fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The answer with one message.
pub(crate) fn one(message: &impl Message) -> Answer {
    Ok(iter([message.encode_to_vec().into()]).boxed())
}

pub(crate) fn header() -> Option<pb::ResponseHeader> {
    Some(pb::ResponseHeader { cluster_id: 1 << 60, member_id: 1 << 61, revision: 1000, raft_term: 2 })
}

async fn accept(listener: TcpListener, handler: Arc<Handler>) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("a TCP socket");
        tokio::spawn(connection(stream, Arc::clone(&handler)));
    }
}

async fn connection(stream: TcpStream, handler: Arc<Handler>) -> Result<(), h2::Error> {
    let mut builder = h2::server::Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(16 << 20);
    let mut connection = builder.handshake(stream).await?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted?;
        tokio::spawn(call(request, respond, Arc::clone(&handler)));
    }
    Ok(())
}

async fn call(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    handler: Arc<Handler>,
) -> Result<(), h2::Error> {
    let (head, mut body) = request.into_parts();
    let mut frame = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        frame.extend_from_slice(&data);
    }
    let mut response = Response::new(());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let mut send = respond.send_response(response, false)?;
    let mut trailers = HeaderMap::new();
    let message = frame.freeze().slice(5..);
    // The empty Txn of a new connection.
    let is_probe = head.uri.path() == "/etcdserverpb.KV/Txn" && message.is_empty();
    let identity = || one(&pb::TxnResponse { header: header(), ..Default::default() });
    match if is_probe { identity() } else { handler(head.uri.path(), message) } {
        Ok(mut messages) => {
            while let Some(message) = messages.next().await {
                send_all(&mut send, framed(&message)).await?;
            }
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
        }
        Err(message) => {
            trailers.insert("grpc-status", HeaderValue::from_static("12"));
            trailers.insert("grpc-message", HeaderValue::from_static(message));
        }
    }
    send.send_trailers(trailers)
}

fn framed(message: &Bytes) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("a message below 4 GiB"));
    frame.put_slice(message);
    frame.freeze()
}

/// Sends within the client's window, as a real member does.
async fn send_all(send: &mut SendStream<Bytes>, mut data: Bytes) -> Result<(), h2::Error> {
    while !data.is_empty() {
        send.reserve_capacity(data.len());
        let Some(room) = poll_fn(|cx| Pin::new(&mut *send).poll_capacity(cx)).await else { return Ok(()) };
        let part = data.split_to(room?.min(data.len()));
        send.send_data(part, false)?;
    }
    Ok(())
}
