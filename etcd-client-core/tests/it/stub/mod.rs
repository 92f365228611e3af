//! Stubs that tonic generated, on the client's connections.

mod ends;
mod failures;
mod metadata;
mod requests;
mod served;
mod unreachable;

use std::{error::Error as _, time::Duration};

use etcd_client_core::{Client, Error, Outcome, stub::Channel};
use etcd_proto::etcdserverpb::{
    PutRequest, PutResponse, SnapshotResponse, kv_client::KvClient, maintenance_client::MaintenanceClient,
};
use etcd_testkit::scripted::{Answer, Script, Server, Step, frame, reply};
use prost::Message as _;
use tokio::time::timeout;
use tonic::{Code, Status};

use crate::servers::PATIENCE;

const PUT: &str = "/etcdserverpb.KV/Put";
const SNAPSHOT: &str = "/etcdserverpb.Maintenance/Snapshot";
const SHORT: Duration = Duration::from_millis(200);

async fn scripted(script: impl Script) -> (Server, Client) {
    let server = Server::start(script).await.expect("a free port");
    let client = crate::servers::client([server.endpoint()]);
    (server, client)
}

fn kv(client: &Client) -> KvClient<Channel> {
    KvClient::new(client.channel())
}

fn maintenance(client: &Client) -> MaintenanceClient<Channel> {
    MaintenanceClient::new(client.channel())
}

fn put_request() -> PutRequest {
    PutRequest { key: "k".into(), value: "v".into(), ..PutRequest::default() }
}

fn put_answer() -> Answer {
    reply::message(PutResponse::default().encode_to_vec())
}

/// The first chunk of a snapshot, and what follows it.
fn first_chunk_then(step: Step) -> Answer {
    let chunk = SnapshotResponse { blob: "part".into(), remaining_bytes: 9, ..SnapshotResponse::default() };
    vec![Step::ReadRequest, reply::head(), Step::Data(frame::message(chunk.encode_to_vec())), step]
}

async fn within_patience<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE, work).await.expect("it ends")
}

/// What the transport says of a call that it ended.
fn cause(status: &Status) -> &Error {
    let source = status.source().unwrap_or_else(|| panic!("no source: {status:?}"));
    source.downcast_ref().unwrap_or_else(|| panic!("another source: {source:?}"))
}

/// Asserts that a call of `path` ended so on the only endpoint, after it was sent.
fn assert_sent(status: &Status, code: Code, outcome: Outcome, path: &str, server: &Server) {
    let error = cause(status);
    assert_eq!((status.code(), error.outcome()), (code, outcome), "{}", error.report());
    let endpoints: Vec<_> = error.attempts().iter().map(|attempt| attempt.endpoint()).collect();
    assert_eq!(endpoints, [server.endpoint()], "{}", error.report());
    let attempt = &error.attempts()[0];
    assert!(attempt.sent() && attempt.elapsed().is_some() && error.elapsed().is_some(), "{}", error.report());
    assert!(!attempt.reason().is_empty(), "{}", error.report());
    assert_eq!(error.operation(), Some("stub call"));
    assert!(status.message().contains(path), "{status}");
}
