//! What a stub sends: larger than any window, or not to be encoded.

use etcd_proto::etcdserverpb::PutRequest;
use etcd_testkit::scripted::in_turn;
use prost::Message as _;
use tonic::Code;

use super::{PUT, kv, put_answer, put_request, scripted, within_patience};

/// Some hundred times what the server lets a client send ahead.
const LARGE: usize = 20 << 20;

#[tokio::test]
async fn a_request_larger_than_the_window_is_sent_whole() {
    let (server, client) = scripted(in_turn([put_answer()])).await;
    let value: Vec<u8> = (0..LARGE).map(|i| (i / 1_000) as u8).collect();
    let request = PutRequest { key: "k".into(), value: value.into(), ..PutRequest::default() };
    within_patience(kv(&client).put(request.clone())).await.expect("put");
    let received = server.counts(|counts| counts.received[0].message.clone());
    assert!(PutRequest::decode(received).expect("a put") == request, "changed on the way");
}

#[tokio::test]
async fn a_request_over_the_stubs_own_limit_is_the_stubs_error() {
    let (server, client) = scripted(in_turn([put_answer()])).await;
    let mut limited = kv(&client).max_encoding_message_size(3);
    let status = within_patience(limited.put(put_request())).await.expect_err("too large");
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert_eq!(server.received(PUT), 0);
    kv(&client).put(put_request()).await.expect("the connection goes on");
}
