//! A scripted server that answers snapshots.

use bytes::Bytes;
use etcd_client_core::Client;
use etcd_proto::etcdserverpb as pb;
use etcd_testkit::scripted::{Answer, Server, Step, frame, in_turn, reply};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::super::hostile::rig::header;

pub(super) const SNAPSHOT: &str = "/etcdserverpb.Maintenance/Snapshot";

/// One message of an answer.
pub(super) fn part(bytes: impl Into<Bytes>, remaining: u64) -> pb::SnapshotResponse {
    pb::SnapshotResponse {
        header: header(),
        remaining_bytes: remaining,
        blob: bytes.into(),
        version: "3.6.0".into(),
    }
}

/// What etcd sends of a database of `chunks` times 1024 bytes: a part for each, then the digest.
pub(super) fn honest(chunks: usize) -> Vec<pb::SnapshotResponse> {
    let data: Vec<u8> = (0..chunks * 1024).map(|at| (at % 251) as u8).collect();
    let left = |chunk| ((chunks - 1 - chunk) * 1024) as u64;
    let mut parts: Vec<_> =
        data.chunks(1024).enumerate().map(|(at, bytes)| part(bytes.to_vec(), left(at))).collect();
    parts.push(part(Sha256::digest(&data).to_vec(), 0));
    parts
}

/// The beginning of an answer: these messages, each in a frame of its own.
pub(super) fn begun(parts: &[pb::SnapshotResponse]) -> Answer {
    let data = parts.iter().map(|part| Step::Data(frame::message(part.encode_to_vec())));
    [Step::ReadRequest, reply::head()].into_iter().chain(data).collect()
}

/// A whole answer that ends well.
pub(super) fn answer(parts: &[pb::SnapshotResponse]) -> Answer {
    ended(begun(parts), reply::trailers("0", ""))
}

pub(super) fn ended(mut begun: Answer, end: Step) -> Answer {
    begun.push(end);
    begun
}

/// A server that gives this answer to all, and a client of it.
pub(super) async fn playing(answer: Answer) -> (Server, Client) {
    let server = Server::start(in_turn([answer])).await.expect("a free port");
    let client = crate::servers::client([server.endpoint()]);
    (server, client)
}
