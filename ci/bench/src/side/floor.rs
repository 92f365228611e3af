//! The least that a unary gRPC call on h2 can do: what the client's own layers are measured against.

use anyhow::{Context as _, ensure};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use etcd_proto::etcdserverpb as pb;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Request, Uri, Version};
use prost::Message as _;
use tokio::net::TcpStream;

use super::Side;
use crate::server::KEY;

#[derive(Clone, Debug)]
pub(crate) struct Floor {
    send: SendRequest<Bytes>,
    uri: Uri,
    headers: HeaderMap,
}

impl Floor {
    pub(crate) async fn connect(endpoint: &str) -> anyhow::Result<Self> {
        let authority = endpoint.strip_prefix("http://").context("a plaintext endpoint")?;
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        let mut builder = h2::client::Builder::new();
        builder.enable_push(false).initial_window_size(8 << 20).initial_connection_window_size(64 << 20);
        let (send, connection) = builder.handshake(stream).await?;
        tokio::spawn(connection);
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert("te", HeaderValue::from_static("trailers"));
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        // The same header fields as the client sends: what they cost in HPACK is the protocol's price, not a layer's.
        headers.insert("user-agent", HeaderValue::from_static("etcd-client-core/0.1.0"));
        headers.insert("client-api-version", HeaderValue::from_static("3.7"));
        headers.insert("grpc-timeout", HeaderValue::from_static("5000000u"));
        Ok(Self { send, uri: format!("{endpoint}/etcdserverpb.KV/Range").parse()?, headers })
    }
}

impl Side for Floor {
    async fn call(&mut self) -> anyhow::Result<usize> {
        let mut request = Request::new(());
        *request.method_mut() = http::Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let (response, mut body) = self.send.send_request(request, false)?;
        let range = pb::RangeRequest { key: Bytes::from_static(KEY), ..Default::default() };
        body.send_data(frame(&range), true)?;
        let mut body = response.await?.into_body();
        let mut data = body.data().await.context("an answer")??;
        body.flow_control().release_capacity(data.len())?;
        let status = body.trailers().await?.context("trailers")?;
        ensure!(status.get("grpc-status").is_some_and(|status| status == "0"), "the call failed");
        ensure!(data.len() > 5 && data.get_u8() == 0, "no frame");
        ensure!(data.get_u32() as usize == data.len(), "more than one DATA frame");
        let response = pb::RangeResponse::decode(data)?;
        Ok(response.kvs.into_iter().next().context("the key exists")?.value.len())
    }
}

fn frame(request: &pb::RangeRequest) -> Bytes {
    let length = request.encoded_len();
    let mut frame = BytesMut::with_capacity(5 + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length).expect("a short message"));
    request.encode(&mut frame).expect("the buffer grows");
    frame.freeze()
}
