//! Messages that can be read and cannot be right.

use std::time::Duration;

use etcd_client_core::{ErrorKind, LeaseId, Outcome};
use etcd_proto::etcdserverpb as pb;
use etcd_testkit::scripted::{in_turn, reply};
use prost::Message as _;

use super::rig::{Expect, Rig, Rpc, header};

const PROTOCOL: Expect = Expect::Error(ErrorKind::Protocol);

#[tokio::test]
async fn an_answer_has_a_header() {
    let rig = Rig::start().await;
    for rpc in Rpc::UNARY {
        let error = rig.check(rpc, reply::message(""), PROTOCOL).await.expect("an error");
        assert!(error.message().contains("header"), "{error}");
    }
    // The header of a stream comes in its first chunk or its last one, as the server likes.
    rig.check(Rpc::RangeStream, reply::message(""), Expect::Success).await;
}

#[tokio::test]
async fn lease_has_the_requested_id() {
    let rig = Rig::start().await;
    let without = pb::LeaseGrantResponse { header: header(), id: 0, ttl: 1, error: String::new() };
    rig.check(Rpc::Grant, reply::message(without.encode_to_vec()), PROTOCOL).await;
    let anothers = pb::LeaseGrantResponse { header: header(), id: 8, ttl: 1, error: String::new() };
    rig.check(Rpc::Grant, reply::message(anothers.encode_to_vec()), PROTOCOL).await;

    let client = rig.client();
    let without = pb::LeaseLeasesResponse { header: header(), leases: vec![pb::LeaseStatus { id: 0 }] };
    rig.server.play(in_turn([reply::message(without.encode_to_vec())]));
    let error = client.lease().list().await.expect_err("a lease without an id");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    rig.assert_named(&error);
}

#[tokio::test]
async fn negative_numbers_count_as_none() {
    let rig = Rig::start().await;
    let client = rig.client();
    let range = pb::RangeResponse { header: header(), kvs: vec![], more: true, count: i64::MIN };
    rig.server.play(in_turn([reply::message(range.encode_to_vec())]));
    assert_eq!(client.get("k").await.expect("read").count, 0);

    let deleted = pb::DeleteRangeResponse { header: header(), deleted: -5, prev_kvs: vec![] };
    rig.server.play(in_turn([reply::message(deleted.encode_to_vec())]));
    assert_eq!(client.delete("k").await.expect("read").deleted, 0);

    let granted = pb::LeaseGrantResponse { header: header(), id: 7, ttl: i64::MIN, error: String::new() };
    rig.server.play(in_turn([reply::message(granted.encode_to_vec())]));
    let asked = LeaseId::new(7).expect("not zero");
    let lease = client.lease().grant(Duration::from_secs(1)).id(asked).await.expect("read");
    assert_eq!(lease.ttl, Duration::ZERO);
}

#[tokio::test]
async fn extreme_numbers_are_kept() {
    let rig = Rig::start().await;
    let client = rig.client();
    let most = 1 << 53;
    for number in [i64::MIN, -1, 0, most, most + 1, i64::MAX] {
        let header = pb::ResponseHeader {
            cluster_id: u64::MAX,
            member_id: u64::MAX,
            revision: number,
            raft_term: u64::MAX,
        };
        let answer = pb::PutResponse { header: Some(header), prev_kv: None };
        rig.server.play(in_turn([reply::message(answer.encode_to_vec())]));
        match client.put("k", "v").await {
            Ok(put) => assert_eq!((put.header.revision.get(), (0..=most).contains(&number)), (number, true)),
            Err(error) => {
                // What no store can have is not kept.
                let expected = (ErrorKind::Protocol, Outcome::Unknown);
                assert_eq!((error.kind(), error.outcome()), expected, "{}", error.report());
                assert!(!(0..=most).contains(&number), "{number}: {}", error.report());
            }
        }
    }
}
