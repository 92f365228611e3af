//! Advice for errors that a real member gives too rarely for a test: a scripted one gives them.

use std::time::Duration;

use etcd_client_core::{Client, Code, Error, ErrorKind, Outcome, request::RetryPolicy};
use etcd_testkit::scripted::{Call, Gate, Step, in_turn, reply};
use futures_util::future::join_all;

use super::advises;
use crate::{
    hostile::rig::{PUT, RANGE, RANGE_STREAM, Rig, Rpc, UNHURRIED},
    servers::{PATIENCE, shared},
};

const FAILED_PRECONDITION: u32 = 9;
const RESOURCE_EXHAUSTED: u32 = 8;
const UNIMPLEMENTED: u32 = 12;

#[tokio::test]
async fn of_endpoints_of_another_cluster() {
    // Members compare cluster ids among themselves; a client gets this error from something in front of them.
    let (here, there) = (Rig::start().await, Rig::start().await);
    here.server.play(in_turn([reply::message(Rpc::Put.right())]));
    there.server.play(in_turn([reply::status(FAILED_PRECONDITION, "etcdserver: cluster ID mismatch")]));
    let client = there.client_with(UNHURRIED);
    let error = Rpc::Put.call(&client).await.expect_err("of another cluster");
    assert_eq!((error.code(), error.outcome()), (Some(Code::ClusterIDMismatch), Outcome::NotApplied));
    advises(&error, "check the endpoints: this member belongs to another cluster");
    client.set_endpoints([here.server.endpoint()]).expect("valid");
    Rpc::Put.call(&client).await.expect("the right endpoint");
}

#[tokio::test]
async fn of_members_that_are_upgraded() {
    // Every member that has this interceptor is capable once it serves, so no real one can be made to refuse.
    let rig = Rig::start().await;
    let refusal = reply::status(FAILED_PRECONDITION, "etcdserver: not capable");
    rig.server.play(in_turn([refusal, reply::message(Rpc::Put.right())]));
    let client = rig.client_with(UNHURRIED);
    let error = Rpc::Put.call(&client).await.expect_err("not yet");
    assert_eq!((error.code(), error.outcome()), (Some(Code::NotCapable), Outcome::NotApplied));
    advises(&error, "wait until every member runs the new version, then retry");
    Rpc::Put.call(&client).await.expect("it runs the new version");
}

#[tokio::test]
async fn of_too_many_requests() {
    // A member has a full queue when 5,000 entries are committed and not applied yet. This one has it at two puts.
    const MOST: usize = 2;
    let rig = Rig::start().await;
    let applied = Gate::closed();
    let gate = applied.clone();
    rig.server.play(move |call: &Call| {
        let mut put = reply::message(Rpc::Put.right());
        if call.number == MOST + 1 {
            return reply::status(RESOURCE_EXHAUSTED, "etcdserver: too many requests");
        }
        put.insert(1, Step::Pause(gate.clone()));
        put
    });
    let client = rig.client_with(UNHURRIED);
    let put = || client.put("k", "v").retry(RetryPolicy::Never).into_future();
    let waiting = join_all((0..MOST).map(|_| put()));
    let refused = async {
        rig.server.wait_until(|counts| counts.received(PUT) == MOST).await;
        let error = put().await.expect_err("one too many");
        applied.open();
        error
    };
    let (waited, error) = tokio::join!(waiting, refused);
    assert_eq!((error.code(), error.outcome()), (Some(Code::TooManyRequests), Outcome::NotApplied));
    advises(&error, "send fewer requests at a time, and retry");
    assert!(waited.iter().all(Result::is_ok), "{waited:?}");
    put().await.expect("retried with fewer under way");
}

#[tokio::test]
async fn of_time() {
    let rig = Rig::start().await;
    let answers = Gate::closed();
    let gate = answers.clone();
    rig.server.play(move |call: &Call| {
        let mut answer = reply::message(if call.path == RANGE { Rpc::Get.right() } else { Rpc::Put.right() });
        if call.number > 1 {
            answer.insert(1, Step::Pause(gate.clone()));
        }
        answer
    });
    let client = rig.client_with(UNHURRIED);
    for rpc in [Rpc::Get, Rpc::Put] {
        rpc.call(&client).await.expect("the connection is there");
    }
    let short = Duration::from_millis(200);
    let error = client.get("k").timeout(short).await.expect_err("too little time");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NotApplied), "{error}");
    advises(&error, "allow more time, or look at the member's disk, load and network");
    let error = client.put("k", "v").timeout(short).await.expect_err("too little time");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::Unknown), "{error}");
    advises(&error, "read back what was written before writing it again");
    // The same reading succeeds with more time: it waits until the member answers.
    let before = rig.server.received(RANGE);
    let answered = async {
        rig.server.wait_until(|counts| counts.received(RANGE) > before).await;
        answers.open();
    };
    let (read, ()) = tokio::join!(client.get("k").timeout(PATIENCE).into_future(), answered);
    let read = read.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(read.kvs[0].value, "v");
}

#[tokio::test]
async fn of_calls_that_a_member_does_not_have() {
    let rig = Rig::start().await;
    let missing = "unknown method RangeStream for service etcdserverpb.KV";
    rig.server.play(move |call: &Call| match call.path.as_str() {
        RANGE_STREAM => reply::status(UNIMPLEMENTED, missing),
        _ => reply::message(Rpc::Get.right()),
    });
    let client = rig.client_with(UNHURRIED);
    // Refused by the member first, and by the client itself once it knows.
    for _ in 0..2 {
        let error = Rpc::RangeStream.call(&client).await.expect_err("an old member");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{}", error.report());
        advises(&error, "use a newer version of etcd, or do without this call");
    }
    client.get("").all_keys().await.expect("without this call");
}

#[tokio::test]
async fn of_clients_without_connections() {
    let Some(cluster) = shared() else { return };
    let own = crate::servers::client(cluster.endpoints());
    let over = own.with_service(own.channel());
    let error = over.watch("k").await.expect_err("a service takes one request for each call");
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{}", error.report());
    advises(&error, "make the call on a client that was built with endpoints");
    drop(own.watch("k").await.expect("it has connections"));
}

#[tokio::test]
async fn of_versions() {
    let Some(cluster) = shared() else { return };
    let ready = async |least: &str| -> Result<(), Error> {
        let client = Client::builder(cluster.endpoints()).min_server_version(least).build().expect("valid");
        client.wait_ready(PATIENCE).await
    };
    let error = ready("99.0").await.expect_err("no such version yet");
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{}", error.report());
    advises(&error, "upgrade this member, or lower min_server_version");
    ready("3.0").await.expect("lowered");
}
