//! Txn answers whose shape is not that of the Txn, seen and hidden operations alike.

use etcd_client_core::{Client, Compare, Delete, Error, ErrorKind, Get, Outcome, Put, Txn, txn::TxnResponse};
use etcd_proto::{etcdserverpb as pb, etcdserverpb::response_op::Response};
use etcd_testkit::scripted::{in_turn, reply};
use prost::Message as _;

use super::rig::{Rig, header, put_result, range_response};

fn range_result() -> pb::ResponseOp {
    pb::ResponseOp { response: Some(Response::ResponseRange(range_response())) }
}

fn delete_result() -> pb::ResponseOp {
    let response = pb::DeleteRangeResponse { header: header(), deleted: 1, prev_kvs: vec![] };
    pb::ResponseOp { response: Some(Response::ResponseDeleteRange(response)) }
}

fn txn_result(responses: Vec<pb::ResponseOp>) -> pb::ResponseOp {
    let txn = pb::TxnResponse { header: header(), succeeded: true, responses };
    pb::ResponseOp { response: Some(Response::ResponseTxn(txn)) }
}

/// A result of a kind that this version does not know.
fn unknown_result() -> pb::ResponseOp {
    pb::ResponseOp { response: None }
}

async fn answered(
    rig: &Rig,
    client: &Client,
    txn: Txn,
    succeeded: bool,
    responses: Vec<pb::ResponseOp>,
) -> Result<TxnResponse, Error> {
    let answer = pb::TxnResponse { header: header(), succeeded, responses };
    rig.server.play(in_turn([reply::message(answer.encode_to_vec())]));
    client.kv().txn(txn, Default::default()).await
}

#[tokio::test]
async fn results_fit_their_operations_in_number_and_kind() {
    let rig = Rig::start().await;
    let client = rig.client();
    let txn = || {
        let nested = Txn::new().then(Put::new("n", ""));
        Txn::new().then((Put::new("k", "v"), Get::new("g"), Delete::new("d"), nested)).or_else(Get::new("g"))
    };
    let right = || vec![put_result(), range_result(), delete_result(), txn_result(vec![put_result()])];
    answered(&rig, &client, txn(), true, right()).await.expect("the right shape");
    answered(&rig, &client, txn(), false, vec![range_result()]).await.expect("the right shape");

    let mut wrong = vec![(true, vec![]), (false, vec![]), (false, right())];
    for at in 0..4 {
        let mut fewer = right();
        fewer.remove(at);
        wrong.push((true, fewer));
        let mut more = right();
        more.insert(at, put_result());
        wrong.push((true, more));
        let mut unknown = right();
        unknown[at] = unknown_result();
        wrong.push((true, unknown));
        let mut turned = right();
        turned.swap(at, (at + 1) % 4);
        wrong.push((true, turned));
    }
    for nested in [vec![], vec![range_result()], vec![put_result(), put_result()], vec![unknown_result()]] {
        let mut responses = right();
        responses[3] = txn_result(nested);
        wrong.push((true, responses));
    }
    for (succeeded, responses) in wrong {
        let what = format!("{succeeded}, {responses:?}");
        let error = answered(&rig, &client, txn(), succeeded, responses).await.expect_err(&what);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{what}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{what}");
        rig.assert_named(&error);
    }
}

#[tokio::test]
async fn hidden_range_is_removed_or_the_response_rejected() {
    let rig = Rig::start().await;
    let client = rig.client();
    let check = || Txn::new().when(Compare::exists("k"));
    for (succeeded, responses) in [(true, vec![range_result()]), (false, vec![])] {
        let answer = answered(&rig, &client, check(), succeeded, responses).await.expect("the right shape");
        assert_eq!((answer.succeeded(), answer.responses.len()), (succeeded, 0));
    }
    for (succeeded, responses) in [
        (true, vec![]),
        (true, vec![put_result()]),
        (true, vec![unknown_result()]),
        (true, vec![range_result(), range_result()]),
        (false, vec![range_result()]),
    ] {
        let what = format!("{succeeded}, {responses:?}");
        let error = answered(&rig, &client, check(), succeeded, responses).await.expect_err(&what);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{what}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "a check changes nothing: {what}");
        rig.assert_named(&error);
    }
}

#[tokio::test]
async fn endlessly_nested_txn_is_a_protocol_error() {
    let rig = Rig::start().await;
    let client = rig.client();
    let nested = (0..500).fold(put_result(), |inner, _| txn_result(vec![inner]));
    let txn = Txn::new().then(Txn::new().then(Put::new("k", "v")));
    let error = answered(&rig, &client, txn, true, vec![nested]).await.expect_err("too deep");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{}", error.report());
}
