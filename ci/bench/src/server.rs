//! A server made of h2 only, in a process of its own, so that its CPU time is nobody's but its own.

use std::{env, io::Read as _, process::Stdio, thread};

use anyhow::Context as _;
use bytes::{BufMut as _, Bytes, BytesMut};
use etcd_proto::{etcdserverpb as pb, mvccpb};
use http::{HeaderMap, HeaderValue, Response};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdin, Command},
};

/// The key that every side asks for.
pub(crate) const KEY: &[u8] = b"bench/key";

/// The length of its value.
pub(crate) const VALUE_LENGTH: usize = 64;

/// A running server. It ends with this handle, and with this process.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) endpoint: String,
    _child: Child,
    _lifeline: ChildStdin,
}

impl Server {
    /// Starts this program's `serve` and waits for its address.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let mut command = Command::new(env::current_exe().context("finding this program")?);
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("starting the server")?;
        let lifeline = child.stdin.take().context("the server has a standard input")?;
        let stdout = child.stdout.take().context("the server has a standard output")?;
        let address = BufReader::new(stdout).lines().next_line().await?.context("the server ended")?;
        Ok(Self { endpoint: format!("http://{address}"), _child: child, _lifeline: lifeline })
    }
}

/// Serves until standard input ends.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("binding a port")?;
    println!("{}", listener.local_addr()?);
    thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    accept(&listener).await
}

async fn accept(listener: &TcpListener) -> anyhow::Result<()> {
    let answers = Answers::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, answers.clone()));
    }
}

/// Frames with the responses to each RPC, encoded once.
#[derive(Clone, Debug)]
struct Answers {
    range: Bytes,
    put: Bytes,
    txn: Bytes,
}

impl Answers {
    fn new() -> Self {
        let put = pb::PutResponse { header: Some(header()), prev_kv: None };
        let nested = pb::response_op::Response::ResponsePut(pb::PutResponse::default());
        let txn = pb::TxnResponse {
            header: Some(header()),
            succeeded: true,
            responses: vec![pb::ResponseOp { response: Some(nested) }],
        };
        Self { range: frame(&range()), put: frame(&put), txn: frame(&txn) }
    }

    /// Returns the response to the RPC at `path`.
    fn to(&self, path: &str) -> Bytes {
        match path {
            "/etcdserverpb.KV/Put" => self.put.clone(),
            "/etcdserverpb.KV/Txn" => self.txn.clone(),
            _ => self.range.clone(),
        }
    }
}

fn header() -> pb::ResponseHeader {
    pb::ResponseHeader { cluster_id: 1 << 60, member_id: 1 << 61, revision: 1000, raft_term: 2 }
}

fn range() -> pb::RangeResponse {
    pb::RangeResponse {
        header: Some(header()),
        kvs: vec![mvccpb::KeyValue {
            key: Bytes::from_static(KEY),
            value: vec![b'v'; VALUE_LENGTH].into(),
            create_revision: 900,
            mod_revision: 950,
            version: 3,
            lease: 0,
        }],
        more: false,
        count: 1,
    }
}

fn frame(response: &impl prost::Message) -> Bytes {
    let length = u32::try_from(response.encoded_len()).expect("a short message");
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(length);
    response.encode(&mut frame).expect("the buffer grows");
    frame.freeze()
}

async fn connection(stream: TcpStream, answers: Answers) -> Result<(), h2::Error> {
    let mut builder = h2::server::Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(16 << 20);
    let mut connection = builder.handshake(stream).await?;
    while let Some(accepted) = connection.accept().await {
        let (request, respond) = accepted?;
        let answer = answers.to(request.uri().path());
        tokio::spawn(stream_of(request.into_body(), respond, answer));
    }
    Ok(())
}

async fn stream_of(
    mut request: h2::RecvStream,
    mut respond: h2::server::SendResponse<Bytes>,
    answer: Bytes,
) -> Result<(), h2::Error> {
    while let Some(data) = request.data().await {
        request.flow_control().release_capacity(data?.len())?;
    }
    let mut response = Response::new(());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let mut body = respond.send_response(response, false)?;
    body.send_data(answer, false)?;
    let mut trailers = HeaderMap::with_capacity(2);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    trailers.insert("grpc-message", HeaderValue::from_static(""));
    body.send_trailers(trailers)
}
