//! What a call says when it ends without an answer: where it was sent, and what that means for a write.

use etcd_client_core::{ErrorKind, Outcome};
use etcd_proto::etcdserverpb::SnapshotRequest;
use etcd_testkit::scripted::{Last, Step, in_turn, reply};
use tonic::{Code, Request};

use super::{
    PUT, SHORT, SNAPSHOT, assert_sent, cause, first_chunk_then, kv, maintenance, put_answer, put_request,
    scripted, within_patience,
};

#[tokio::test]
async fn deadline_on_a_hung_server_leaves_the_outcome_unknown() {
    let (server, client) = scripted(in_turn([reply::hang()])).await;
    client.ready().await.expect("ready");
    let mut request = Request::new(put_request());
    request.set_timeout(SHORT);
    let status = within_patience(kv(&client).put(request)).await.expect_err("no answer");
    assert_sent(&status, Code::DeadlineExceeded, Outcome::Unknown, PUT, &server);
    assert_eq!(cause(&status).kind(), ErrorKind::Timeout);
    server.wait_until(|counts| counts.open_calls == 0).await;
}

#[tokio::test]
async fn deadline_ends_a_held_response_stream() {
    let (server, client) = scripted(in_turn([first_chunk_then(Step::Hang)])).await;
    let mut request = Request::new(SnapshotRequest {});
    request.set_timeout(10 * SHORT);
    let mut chunks = maintenance(&client).snapshot(request).await.expect("opened").into_inner();
    assert!(chunks.message().await.expect("the first").is_some());
    let status = within_patience(chunks.message()).await.expect_err("no second one");
    assert_sent(&status, Code::DeadlineExceeded, Outcome::Unknown, SNAPSHOT, &server);
    server.wait_until(|counts| counts.open_calls == 0).await;
    drop(chunks);
}

#[tokio::test]
async fn lost_response_leaves_the_outcome_unknown() {
    for answer in [reply::close(), reply::reset(reply::INTERNAL_ERROR), reply::go_away(Last::This, 2)] {
        let what = format!("{answer:?}");
        let closes = answer.into_iter().chain([Step::Close]).collect();
        let (server, client) = scripted(in_turn([closes])).await;
        let status = within_patience(kv(&client).put(put_request())).await.expect_err(&what);
        assert_sent(&status, Code::Unavailable, Outcome::Unknown, PUT, &server);
        assert_eq!(server.received(PUT), 1, "sent again: {what}");
    }
}

#[tokio::test]
async fn truncated_response_leaves_the_outcome_unknown() {
    for end in [Step::Close, Step::Reset(reply::INTERNAL_ERROR)] {
        let (server, client) = scripted(in_turn([first_chunk_then(end)])).await;
        let chunks = maintenance(&client).snapshot(SnapshotRequest {}).await;
        let mut chunks = chunks.expect("opened").into_inner();
        assert!(chunks.message().await.expect("the first").is_some());
        let status = within_patience(chunks.message()).await.expect_err("broken off");
        assert_sent(&status, Code::Unavailable, Outcome::Unknown, SNAPSHOT, &server);
    }
}

#[tokio::test]
async fn unprocessed_request_is_not_applied() {
    for answer in [reply::reset(reply::REFUSED_STREAM), reply::go_away(Last::Below, 0)] {
        let (server, client) = scripted(in_turn([answer, put_answer()])).await;
        let status = within_patience(kv(&client).put(put_request())).await.expect_err("refused");
        assert_sent(&status, Code::Unavailable, Outcome::NotApplied, PUT, &server);
        within_patience(kv(&client).put(put_request())).await.expect("the next call");
        assert_eq!((server.received(PUT), server.applied(PUT)), (2, 1));
    }
}

#[tokio::test]
async fn a_status_of_the_server_has_no_source() {
    let (server, client) = scripted(in_turn([reply::status(14, "etcdserver: no leader")])).await;
    let status = kv(&client).put(put_request()).await.expect_err("refused");
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "etcdserver: no leader"));
    assert!(std::error::Error::source(&status).is_none(), "{status:?}");
    assert_eq!(server.received(PUT), 1);
}
