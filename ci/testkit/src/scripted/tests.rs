//! The server as a plain h2 client sees it.

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use tokio::{io::AsyncReadExt as _, net::TcpStream, task::JoinHandle};

use super::{Last, Raw, Server, Step, frame, in_turn, reply};

const PATH: &str = "/p.S/M";

async fn connect(server: &Server) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let stream = TcpStream::connect(("127.0.0.1", server.port())).await.expect("connects");
    let (send, connection) = h2::client::handshake(stream).await.expect("speaks HTTP/2");
    (send, tokio::spawn(connection))
}

async fn call(
    send: &SendRequest<Bytes>,
) -> Result<(http::response::Parts, Bytes, Option<String>), h2::Error> {
    let mut send = send.clone().ready().await?;
    let request = Request::post(format!("http://s{PATH}")).body(()).expect("a request");
    let (response, mut body) = send.send_request(request, false)?;
    body.send_data(frame::message("ask"), true)?;
    let (head, mut body) = response.await?.into_parts();
    let mut bytes = Vec::new();
    while let Some(payload) = body.data().await {
        bytes.extend_from_slice(&payload?);
    }
    let trailers = body.trailers().await?;
    let status = trailers.and_then(|all| Some(all.get("grpc-status")?.to_str().ok()?.to_owned()));
    Ok((head, bytes.into(), status))
}

#[tokio::test]
async fn answers_come_in_turn_and_requests_are_kept() {
    let server = Server::start(in_turn([reply::message("one"), reply::html(503)])).await.expect("starts");
    let (send, _connection) = connect(&server).await;
    let (head, body, status) = call(&send).await.expect("answered");
    assert_eq!(
        (head.status.as_u16(), &body[..], status.as_deref()),
        (200, &b"\0\0\0\0\x03one"[..], Some("0"))
    );
    for _ in 0..2 {
        let (head, _, status) = call(&send).await.expect("answered");
        assert_eq!((head.status.as_u16(), status), (503, None));
    }
    assert_eq!((server.received(PATH), server.applied(PATH)), (3, 3));
    assert_eq!(server.counts(|counts| counts.received[0].message.clone()), "ask");
    assert_eq!(server.counts(|counts| (counts.connections, counts.peak_calls, counts.resets)), (1, 1, 0));
}

#[tokio::test]
async fn a_reset_comes_after_what_was_sent_before() {
    let script =
        vec![Step::ReadRequest, reply::head(), Step::Data("part".into()), Step::Reset(reply::CANCEL)];
    let server = Server::start(in_turn([script])).await.expect("starts");
    let (send, _connection) = connect(&server).await;
    let mut ready = send.ready().await.expect("ready");
    let request = Request::post(format!("http://s{PATH}")).body(()).expect("a request");
    let (response, _) = ready.send_request(request, true).expect("sent");
    let mut body = response.await.expect("the head came").into_body();
    assert_eq!(body.data().await.expect("DATA").expect("came"), "part");
    let error = body.data().await.expect("an end").expect_err("reset");
    assert_eq!(error.reason(), Some(h2::Reason::CANCEL));
}

#[tokio::test]
async fn what_was_rejected_does_not_count_as_applied() {
    let below = reply::go_away(Last::Below, 0);
    let server = Server::start(in_turn([reply::reset(reply::REFUSED_STREAM), below])).await.expect("starts");
    let (send, _connection) = connect(&server).await;
    let refused = call(&send).await.expect_err("reset");
    assert!(refused.is_remote() && refused.is_reset());
    let gone = call(&send).await.expect_err("GOAWAY");
    assert!(gone.is_remote() && gone.is_go_away());
    assert_eq!((server.received(PATH), server.applied(PATH)), (2, 0));
}

#[tokio::test]
async fn raw_header_blocks_reach_the_client() {
    let long = [b'v'; 300];
    let block = frame::headers_step(&[(b":status", b"200"), (b"x-long", &long), (b"grpc-status", b"0")]);
    let server = Server::start(in_turn([vec![Step::ReadRequest, block]])).await.expect("starts");
    let (send, _connection) = connect(&server).await;
    let (head, body, _) = call(&send).await.expect("answered");
    assert_eq!(head.headers["x-long"].as_bytes(), long);
    assert!(body.is_empty());
}

#[tokio::test]
async fn a_closed_connection_and_a_dropped_server_leave_nothing_open() {
    let server = Server::start(in_turn([reply::close(), reply::hang()])).await.expect("starts");
    let (send, connection) = connect(&server).await;
    assert!(call(&send).await.is_err());
    drop(send);
    let _ = connection.await.expect("joined");
    server.wait_until(|counts| counts.open_connections == 0 && counts.open_calls == 0).await;

    let (send, _connection) = connect(&server).await;
    let port = server.port();
    let hanging = tokio::spawn(async move { call(&send).await.map(|_| ()) });
    server.wait_until(|counts| counts.received.len() == 2).await;
    drop(server);
    assert!(hanging.await.expect("joined").is_err());
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn raw_peers() {
    let server = Server::raw(Raw::http1()).await.expect("starts");
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.expect("connects");
    let mut said = [0; 8];
    stream.read_exact(&mut said).await.expect("says something");
    assert_eq!(&said, b"HTTP/1.1");
    server.wait_until(|counts| counts.open_connections == 1).await;
    drop(stream);
    server.wait_until(|counts| counts.open_connections == 0).await;
}
