//! The limits of a server and of a client, against each other.

use etcd_client_core::{Client, Code, Error, ErrorKind, Outcome, error::GrpcCode, request::Limits};
use etcd_testkit::Cluster;

const MIB: usize = 1024 * 1024;

/// What happens to a put of a value and the get that follows it.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Refused here, before it was sent.
    RefusedHere,
    /// Refused by the server as too large.
    RefusedThere,
    /// Refused by the server's gRPC before it was handled.
    NotReceived,
    /// Written, but the answer to the get is more than the client takes.
    NotTaken,
    /// Written and read back.
    ReadBack,
}

async fn put_and_get(client: &Client, size: usize) -> End {
    let value: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
    if let Err(error) = client.put("large", &value).await {
        assert_eq!(error.outcome(), Outcome::NotApplied, "{error}");
        return refused(&error);
    }
    match client.get("large").await {
        Ok(got) => {
            assert!(got.kvs[0].value == value, "the value came back different");
            End::ReadBack
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
            assert_eq!(error.code(), Some(Code::Other(GrpcCode::ResourceExhausted)), "{error}");
            End::NotTaken
        }
    }
}

fn refused(error: &Error) -> End {
    match (error.kind(), error.code()) {
        (ErrorKind::InvalidRequest, Some(Code::RequestTooLarge)) => End::RefusedHere,
        (ErrorKind::Server, Some(Code::RequestTooLarge)) => End::RefusedThere,
        (ErrorKind::Server, Some(Code::Other(GrpcCode::ResourceExhausted))) => End::NotReceived,
        _ => panic!("{}", error.report()),
    }
}

async fn check(server_bytes: usize, rows: &[(&str, Limits, usize, End)]) {
    let builder = Cluster::builder().arg("--max-request-bytes", &server_bytes.to_string());
    let Some(cluster) = builder.start_or_skip().await else { return };
    for (name, limits, size, end) in rows {
        let client = Client::builder(cluster.endpoints()).limits(*limits).build().expect("built");
        assert_eq!(put_and_get(&client, *size).await, *end, "{name}");
        client.close().await;
    }
    cluster.stop().await.expect("stopped");
}

#[tokio::test]
async fn a_strict_server() {
    let default = Limits::default();
    check(
        256,
        &[
            ("a small value", default, 100, End::ReadBack),
            ("a value above the server's limit", default, 1024, End::RefusedThere),
            ("a client that knows the limit", default.max_request_bytes(256), 1024, End::RefusedHere),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_generous_server() {
    let raised = Limits::default().max_request_bytes(10 * MIB).max_send_bytes(10 * MIB);
    check(
        7 * MIB,
        &[
            ("a client with default limits", Limits::default(), 3 * MIB, End::RefusedHere),
            ("only one limit raised", Limits::default().max_request_bytes(10 * MIB), MIB, End::ReadBack),
            ("5 MiB with raised limits", raised, 5 * MIB, End::ReadBack),
            ("an answer above the client's limit", raised.max_receive_bytes(MIB), 2 * MIB, End::NotTaken),
            ("between the server's two limits", raised, 7 * MIB + 100, End::RefusedThere),
            ("above both of the server's limits", raised, 8 * MIB, End::NotReceived),
        ],
    )
    .await;
}
