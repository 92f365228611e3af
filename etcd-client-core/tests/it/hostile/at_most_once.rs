//! A write reaches a server that processes it at most once, and its error says whether it may have.

use std::time::Duration;

use etcd_client_core::{CallOptions, Client, Compare, Delete, Error, ErrorKind, Get, Outcome, Put};
use etcd_proto::etcdserverpb as pb;
use etcd_testkit::scripted::{Answer, Last, Step, frame, reply};
use prost::Message as _;

use super::rig::{PUT, RANGE, Rig, Rpc, TXN, header, once};

const DELETE: &str = "/etcdserverpb.KV/DeleteRange";
const COMPACT: &str = "/etcdserverpb.KV/Compact";

#[derive(Clone, Copy, Debug)]
enum Write {
    Put,
    Delete,
    Txn,
    Compact,
}

impl Write {
    const ALL: [Self; 4] = [Self::Put, Self::Delete, Self::Txn, Self::Compact];

    fn path(self) -> &'static str {
        match self {
            Self::Put => PUT,
            Self::Delete => DELETE,
            Self::Txn => TXN,
            Self::Compact => COMPACT,
        }
    }

    fn right(self) -> Vec<u8> {
        match self {
            Self::Put => Rpc::Put.right(),
            Self::Txn => Rpc::Txn.right(),
            Self::Delete => {
                pb::DeleteRangeResponse { header: header(), deleted: 1, prev_kvs: vec![] }.encode_to_vec()
            }
            Self::Compact => pb::CompactionResponse { header: header() }.encode_to_vec(),
        }
    }

    async fn call(self, client: &Client) -> Result<(), Error> {
        match self {
            // Through `execute`, which takes the same way as the call by name.
            Self::Put => client.execute(Put::new("k", "v")).await.map(drop),
            Self::Delete => client.execute(Delete::new("k")).await.map(drop),
            Self::Txn => client.txn().when(Compare::exists("k")).then(Put::new("k", "v")).await.map(drop),
            Self::Compact => client.compact(1).await.map(drop),
        }
    }
}

/// Answers that leave open whether the server did what it read.
fn in_doubt(right: &[u8]) -> Vec<Answer> {
    let message = Step::Data(frame::message(right.to_vec()));
    let cut = |end: Step| vec![Step::ReadRequest, reply::head(), message.clone(), end];
    vec![
        reply::reset(reply::NO_ERROR),
        reply::reset(reply::CANCEL),
        reply::reset(reply::INTERNAL_ERROR),
        reply::reset(reply::PROTOCOL_ERROR),
        reply::reset(reply::ENHANCE_YOUR_CALM),
        vec![Step::ReadRequest, reply::head(), Step::Reset(reply::CANCEL)],
        cut(Step::Reset(reply::CANCEL)),
        // "Not processed" after the head of the response: the server contradicts itself (RFC 9113 section 8.7).
        vec![Step::ReadRequest, reply::head(), Step::Reset(reply::REFUSED_STREAM)],
        cut(Step::Reset(reply::REFUSED_STREAM)),
        vec![Step::ReadRequest, reply::head(), Step::GoAway { last: Last::Below, reason: 0 }, Step::Close],
        cut(Step::GoAway { last: Last::Below, reason: 0 }),
        cut(Step::End),
        cut(Step::Close),
        reply::close(),
        vec![Step::ReadRequest, Step::GoAway { last: Last::This, reason: 0 }, Step::Close],
        vec![Step::ReadRequest, Step::GoAway { last: Last::Max, reason: 2 }, Step::Close],
        reply::html(503),
        reply::status(1, "context canceled"),
        reply::status(2, "etcdserver: something new"),
        reply::status(4, "context deadline exceeded"),
        reply::status(13, "transport is closing"),
        reply::status(14, "transport is closing"),
        reply::status(14, "etcdserver: request timed out"),
        reply::status(14, "etcdserver: request timed out, possibly due to previous leader failure"),
        reply::status(14, "etcdserver: leader changed"),
        reply::status(14, "etcdserver: server stopped"),
        reply::body("no frame"),
    ]
}

#[tokio::test]
async fn write_with_unknown_outcome_is_sent_once() {
    let rig = Rig::start().await;
    for write in Write::ALL {
        for answer in in_doubt(&write.right()) {
            let what = format!("{write:?}: {answer:?}");
            let before = rig.server.received(write.path());
            rig.server.play(once(answer, write.right()));
            let error = write.call(&rig.client()).await.expect_err(&what);
            assert_eq!(error.outcome(), Outcome::Unknown, "{what}: {}", error.report());
            assert_eq!(rig.server.received(write.path()) - before, 1, "{what}");
            rig.assert_named(&error);
        }
    }
}

#[tokio::test]
async fn unprocessed_write_is_retried() {
    let rig = Rig::start().await;
    let not_processed = [
        reply::reset(reply::REFUSED_STREAM),
        vec![Step::Reset(reply::REFUSED_STREAM)],
        reply::go_away(Last::Below, 0),
        vec![Step::GoAway { last: Last::Below, reason: 0 }],
        vec![Step::ReadRequest, Step::GoAway { last: Last::Below, reason: 0 }, Step::Close],
        reply::status(8, "etcdserver: too many requests"),
    ];
    for write in Write::ALL {
        for answer in &not_processed {
            let what = format!("{write:?}: {answer:?}");
            let refused_by_status =
                answer.len() == reply::status(8, "").len() && matches!(answer[1], Step::Head(_));
            let before = rig.server.applied(write.path());
            rig.server.play(once(answer.clone(), write.right()));
            if let Err(error) = write.call(&rig.client()).await {
                panic!("{what}: {}", error.report());
            }
            let applied = rig.server.applied(write.path()) - before;
            // The server cannot tell that a status means that it did nothing.
            assert_eq!(applied, if refused_by_status { 2 } else { 1 }, "{what}");
        }
    }
}

#[tokio::test]
async fn rejected_write_is_final_and_not_applied() {
    let rig = Rig::start().await;
    for write in Write::ALL {
        for (code, text) in [
            (14, "etcdserver: no leader"),
            (7, "etcdserver: permission denied"),
            (3, "etcdserver: key is not provided"),
            (11, "etcdserver: mvcc: required revision has been compacted"),
        ] {
            let before = rig.server.received(write.path());
            rig.server.play(once(reply::status(code, text), write.right()));
            let error = write.call(&rig.client()).await.expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Server, "{}", error.report());
            assert_eq!(error.outcome(), Outcome::NotApplied, "{}", error.report());
            assert_eq!(rig.server.received(write.path()) - before, 1, "{text}");
            rig.assert_named(&error);
        }
    }
}

#[tokio::test]
async fn call_without_time_left_is_not_sent() {
    let rig = Rig::start().await;
    rig.server.play(etcd_testkit::scripted::in_turn([reply::message(Rpc::Put.right())]));
    let client = rig.client();
    client.ready().await.expect("ready");
    let options = || CallOptions::default().timeout(Duration::ZERO);
    for error in [
        client.put("k", "v").timeout(Duration::ZERO).await.map(drop),
        client.get("k").timeout(Duration::ZERO).await.map(drop),
        client.kv().range_stream(Get::new("k"), options()).await.map(drop),
    ] {
        let error = error.expect_err("no time");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NotApplied), "{error}");
    }
    client.put("k", "v").await.expect("it has the time");
    let sent = rig.server.counts(|counts| counts.received.len());
    assert_eq!(sent, 1, "what was sent cannot be told from what was applied");
}

#[tokio::test]
async fn unknown_outcome_is_sticky() {
    let rig = Rig::start().await;
    // An idempotent call is sent again after a lost answer; the refusal that it then gets says nothing of the first one.
    rig.server.play(etcd_testkit::scripted::in_turn([
        reply::reset(reply::CANCEL),
        reply::status(7, "etcdserver: permission denied"),
    ]));
    let error = Rpc::Grant.call(&rig.client()).await.expect_err("refused");
    assert!(error.is_permission_denied(), "{}", error.report());
    assert_eq!(error.outcome(), Outcome::Unknown, "{}", error.report());
}

#[tokio::test]
async fn read_is_retried_after_a_lost_response() {
    let rig = Rig::start().await;
    let lost = in_doubt(&Rpc::Get.right());
    let final_ones = ["something new", "transport is closing", "no frame"];
    for answer in lost {
        let what = format!("{answer:?}");
        if final_ones.iter().any(|text| what.contains(text)) {
            continue;
        }
        let before = rig.server.received(RANGE);
        rig.server.play(once(answer, Rpc::Get.right()));
        if let Err(error) = rig.client().execute(Get::new("k")).await {
            panic!("{what}: {}", error.report());
        }
        assert_eq!(rig.server.received(RANGE) - before, 2, "{what}");
    }
}

#[tokio::test]
async fn read_only_txn_is_retried() {
    let rig = Rig::start().await;
    let range = pb::ResponseOp {
        response: Some(pb::response_op::Response::ResponseRange(super::rig::range_response())),
    };
    let right = pb::TxnResponse { header: header(), succeeded: true, responses: vec![range] };
    rig.server.play(once(reply::close(), right.encode_to_vec()));
    let txn = rig.client().txn().when(Compare::exists("k")).await.expect("sent again");
    assert!(txn.succeeded());
    assert_eq!(rig.server.received(TXN), 2);
}
