//! Grants and revocations whose first answer is lost.

use std::time::Duration;

use etcd_client_core::{
    Client, Code, Error, LeaseId, Outcome,
    lease::{LeaseGrantResponse, LeaseKeeper, LeaseLostReason, LeaseState},
    request::RetryPolicy,
};
use etcd_proto::etcdserverpb as pb;
use etcd_testkit::scripted::{Call, Gate, Step, reply};
use prost::Message as _;

use super::rig::{GRANT, REVOKE, Rig, TIME_TO_LIVE, header};

const KEEP_ALIVE: &str = "/etcdserverpb.Lease/LeaseKeepAlive";
const EXISTS: (u32, &str) = (9, "etcdserver: lease already exists");
const NOT_FOUND: (u32, &str) = (5, "etcdserver: requested lease not found");

/// Loses the first answer of each call that changes something, gives `then` to the second, and says that a lease has
/// `ttl` seconds left.
fn script(rig: &Rig, then: (u32, &'static str), ttl: i64) {
    let lease = pb::LeaseTimeToLiveResponse { header: header(), id: 7, ttl, granted_ttl: 60, keys: vec![] };
    rig.server.play(move |call: &Call| match (call.path.as_str(), call.number) {
        (TIME_TO_LIVE, _) => reply::message(lease.encode_to_vec()),
        (_, 1) => reply::close(),
        _ => reply::status(then.0, then.1),
    });
}

async fn grant(rig: &Rig, id: Option<LeaseId>) -> Result<LeaseGrantResponse, Error> {
    let client = rig.client();
    let grant = client.lease().grant(Duration::from_secs(60));
    match id {
        Some(id) => grant.id(id).await,
        None => grant.await,
    }
}

fn granted_ids(rig: &Rig) -> Vec<i64> {
    let ids = |message: &bytes::Bytes| pb::LeaseGrantRequest::decode(message.clone()).expect("a request").id;
    rig.server.counts(|counts| {
        counts.received.iter().filter(|request| request.path == GRANT).map(|r| ids(&r.message)).collect()
    })
}

#[tokio::test]
async fn grant_that_exists_after_a_lost_response_succeeds() {
    let rig = Rig::start().await;
    script(&rig, EXISTS, 59);
    let lease = grant(&rig, None).await.unwrap_or_else(|error| panic!("{}", error.report()));
    let ids = granted_ids(&rig);
    assert_eq!(ids.len(), 2);
    assert!(ids[0] > 0 && ids[0] == ids[1], "{ids:?}");
    assert_eq!(lease.id.get(), ids[0]);
    assert_eq!(lease.ttl, Duration::from_secs(60));
    assert_eq!(rig.server.received(TIME_TO_LIVE), 1);
}

#[tokio::test]
async fn expired_grant_keeps_its_unknown_outcome() {
    let rig = Rig::start().await;
    script(&rig, EXISTS, -1);
    let error = grant(&rig, None).await.expect_err("the lease has expired meanwhile");
    assert_eq!((error.code(), error.outcome()), (Some(Code::LeaseExist), Outcome::Unknown));
}

#[tokio::test]
async fn grant_with_a_chosen_id_is_not_claimed() {
    let rig = Rig::start().await;
    script(&rig, EXISTS, 59);
    let error = grant(&rig, LeaseId::new(7)).await.expect_err("it may be another's");
    assert_eq!((error.code(), error.outcome()), (Some(Code::LeaseExist), Outcome::Unknown));
    assert_eq!((granted_ids(&rig), rig.server.received(TIME_TO_LIVE)), (vec![7, 7], 0));
    rig.assert_named(&error);
}

#[tokio::test]
async fn grant_that_exists_at_first_attempt_is_an_error() {
    let rig = Rig::start().await;
    rig.server.play(|_: &Call| reply::status(EXISTS.0, EXISTS.1));
    let error = grant(&rig, None).await.expect_err("it is another's");
    assert_eq!((error.code(), error.outcome()), (Some(Code::LeaseExist), Outcome::NotApplied));
    assert_eq!(rig.server.received(TIME_TO_LIVE), 0);
}

#[tokio::test]
async fn lease_missing_after_a_lost_response_was_revoked() {
    let rig = Rig::start().await;
    script(&rig, NOT_FOUND, -1);
    let id = LeaseId::new(7).expect("an id");
    rig.client().lease().revoke(id).await.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!((rig.server.received(REVOKE), rig.server.received(TIME_TO_LIVE)), (2, 1));
}

#[tokio::test]
async fn unknown_lease_is_not_found() {
    let rig = Rig::start().await;
    rig.server.play(|_: &Call| reply::status(NOT_FOUND.0, NOT_FOUND.1));
    let id = LeaseId::new(7).expect("an id");
    let error = rig.client().lease().revoke(id).await.expect_err("no such lease");
    assert_eq!((error.code(), error.outcome()), (Some(Code::LeaseNotFound), Outcome::NotApplied));
    assert_eq!(rig.server.received(TIME_TO_LIVE), 0);
}

/// Grants a lease of 600 s that is kept alive on a server that renews nothing within the test.
async fn kept(rig: &Rig, revoked: impl Fn() -> Vec<Step> + Send + Sync + 'static) -> (Client, LeaseKeeper) {
    let lease = pb::LeaseGrantResponse { header: header(), id: 7, ttl: 600, error: String::new() };
    rig.server.play(move |call: &Call| match call.path.as_str() {
        GRANT => reply::message(lease.encode_to_vec()),
        REVOKE => revoked(),
        KEEP_ALIVE => reply::status(NOT_FOUND.0, NOT_FOUND.1),
        // A refusal has the client ask the member for more than the test is about.
        _ => reply::status(12, "not scripted"),
    });
    let client = rig.client();
    let id = LeaseId::new(7).expect("not zero");
    let kept = client.lease().grant(Duration::from_secs(600)).id(id).keep_alive().await.expect("granted");
    (client, kept)
}

#[tokio::test]
async fn revoking_by_id_loses_every_kept_handle_at_once() {
    let rig = Rig::start().await;
    let revoked = pb::LeaseRevokeResponse { header: header() };
    let (client, kept) = kept(&rig, move || reply::message(revoked.encode_to_vec())).await;
    let clone = kept.clone();
    client.clone().lease().revoke(kept.id()).await.expect("revoked");
    for handle in [&kept, &clone] {
        assert!(
            matches!(handle.state(), LeaseState::Lost(lost) if lost.reason() == LeaseLostReason::NotFound)
        );
    }
    // It is asked for anew, and not found.
    let error = client.lease().keep_alive(kept.id()).await.expect_err("it is gone");
    assert_eq!(error.code(), Some(Code::LeaseNotFound), "{}", error.report());
}

#[tokio::test]
async fn revocation_of_unknown_outcome_loses_the_handles_and_a_rejected_one_does_not() {
    let rig = Rig::start().await;
    for (answer, is_lost) in [
        (reply::status(7, "etcdserver: permission denied"), false),
        (reply::status(NOT_FOUND.0, NOT_FOUND.1), true),
        (reply::close(), true),
    ] {
        let (client, kept) = kept(&rig, move || answer.clone()).await;
        let error = client.lease().revoke(kept.id()).retry(RetryPolicy::Never).await.expect_err("it fails");
        assert_eq!(kept.is_lost(), is_lost, "{}", error.report());
    }
}

#[tokio::test]
async fn dropped_revocation_loses_the_handles() {
    let rig = Rig::start().await;
    let gate = Gate::closed();
    let held = gate.clone();
    let (client, kept) = kept(&rig, move || vec![Step::ReadRequest, Step::Pause(held.clone())]).await;
    let id = kept.id();
    let revoking = tokio::spawn(async move { client.lease().revoke(id).await });
    rig.server.wait_until(|counts| counts.received(REVOKE) == 1).await;
    assert!(!kept.is_lost(), "nothing is known yet");
    revoking.abort();
    assert!(revoking.await.expect_err("aborted").is_cancelled());
    assert!(kept.is_lost());
    gate.open();
}

#[tokio::test]
async fn one_deadline_covers_the_check_after_a_lost_response() {
    const DEADLINE: Duration = Duration::from_secs(20);
    const PASSED: Duration = Duration::from_millis(200);
    /// The server is told of a deadline later than ours by this.
    const GRACE: Duration = Duration::from_secs(1);
    let rig = Rig::start().await;
    let gate = Gate::closed();
    let first = vec![Step::ReadRequest, Step::Pause(gate.clone()), Step::Close];
    let lease =
        pb::LeaseTimeToLiveResponse { header: header(), id: 7, ttl: 59, granted_ttl: 60, keys: vec![] };
    rig.server.play(move |call: &Call| match (call.path.as_str(), call.number) {
        (TIME_TO_LIVE, _) => reply::message(lease.encode_to_vec()),
        (_, 1) => first.clone(),
        _ => reply::status(EXISTS.0, EXISTS.1),
    });
    let client = rig.client();
    let grant = async { client.lease().grant(Duration::from_secs(60)).timeout(DEADLINE).await };
    let time_passes = async {
        rig.server.wait_until(|counts| counts.received(GRANT) == 1).await;
        // The passing of time is what is tested: whatever takes longer does no harm.
        tokio::time::sleep(PASSED).await;
        gate.open();
    };
    let (granted, ()) = tokio::join!(grant, time_passes);
    granted.unwrap_or_else(|error| panic!("{}", error.report()));
    let asked = rig.server.counts(|counts| counts.received.last().map(|request| request.headers.clone()));
    let left = asked.expect("a request").get("grpc-timeout").expect("a deadline").clone();
    let left: u64 =
        left.to_str().ok().and_then(|text| text.strip_suffix('u')?.parse().ok()).expect("microseconds");
    assert!(Duration::from_micros(left) <= DEADLINE + GRACE - PASSED, "{left} us are left of {DEADLINE:?}");
}
