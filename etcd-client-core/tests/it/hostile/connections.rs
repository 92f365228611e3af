//! What the first answer on a new connection says of its member, and what follows: nothing is written before it, nor where it is
//! not ours.

use std::time::Duration;

use etcd_client_core::{Client, Code, Error, ErrorKind, Get, Outcome, Put, transport::EndpointPhase};
use etcd_proto::etcdserverpb as pb;
use etcd_testkit::scripted::{Answer, Call, Gate, Script, Step, reply};
use prost::Message as _;
use tokio::time::timeout;

use super::rig::{DEADLINE, PUT, RANGE, Rig, Rpc, range_response};

const MAX_REVISION: i64 = 1 << 53;

fn header(cluster: u64, revision: i64) -> Option<pb::ResponseHeader> {
    Some(pb::ResponseHeader { cluster_id: cluster, member_id: 2, revision, raft_term: 4 })
}

/// The answer to the empty Txn.
fn named(cluster: u64, revision: i64) -> Answer {
    reply::message(
        pb::TxnResponse { header: header(cluster, revision), ..Default::default() }.encode_to_vec(),
    )
}

/// Answers every call as a member of cluster 1 at this revision.
fn at(revision: i64) -> impl Script {
    of(1, revision)
}

fn of(cluster: u64, revision: i64) -> impl Script {
    move |call: &Call| {
        let header = header(cluster, revision);
        reply::message(match call.path.as_str() {
            PUT => pb::PutResponse { header, prev_kv: None }.encode_to_vec(),
            "/etcdserverpb.Maintenance/Status" => {
                pb::StatusResponse { header, ..Default::default() }.encode_to_vec()
            }
            _ => pb::RangeResponse { header, ..range_response() }.encode_to_vec(),
        })
    }
}

async fn server(identity: impl Script, script: impl Script) -> Rig {
    let rig = Rig::start().await;
    rig.server.identify(identity);
    rig.server.play(script);
    rig
}

/// A server of cluster 1, and a client of it that has seen revision 10.
async fn seen_here() -> (Rig, Client) {
    let here = server(|_: &Call| named(1, 10), at(10)).await;
    let client = here.client();
    Rpc::Put.call(&client).await.expect("the first answer");
    (here, client)
}

/// Has the client meet `there` and nobody else.
fn move_to(client: &Client, there: &Rig) {
    client.set_endpoints([there.server.endpoint()]).expect("valid");
}

async fn put(client: &Client) -> Result<(), Error> {
    timeout(Duration::from_secs(20), client.put("k", "v").into_future()).await.expect("it ends").map(drop)
}

fn assert_unsent(error: &Error, kind: ErrorKind, there: &Rig) {
    assert_eq!((error.kind(), error.outcome()), (kind, Outcome::NotApplied), "{}", error.report());
    assert!(error.attempts().iter().all(|attempt| !attempt.sent()), "{}", error.report());
    assert_eq!(there.server.received(PUT), 0, "{}", error.report());
    there.assert_named(error);
}

/// The floor is what it was: a member of cluster 1 at revision 10 is used, and one at 9 is not believed.
async fn assert_unpoisoned(client: &Client, here: &Rig, what: &str) {
    here.server.play(at(10));
    move_to(client, here);
    if let Err(error) = put(client).await {
        panic!("after {what}: {}", error.report());
    }
    here.server.play(at(9));
    let error = client.put("k", "v").await.expect_err("older than what was seen");
    assert_eq!(error.kind(), ErrorKind::RevisionRegressed, "after {what}: {}", error.report());
}

#[tokio::test]
async fn no_request_is_sent_before_the_cluster_is_verified() {
    let gate = Gate::closed();
    let held = gate.clone();
    let identity = move |_: &Call| {
        let mut answer = named(1, 10);
        answer.insert(1, Step::Pause(held.clone()));
        answer
    };
    let there = server(identity, at(10)).await;
    let builder = Client::builder([there.server.endpoint()]).token("a token");
    let client = builder.build().expect("valid");
    let early = client.put("k", "v").require_leader().timeout(Duration::from_millis(700)).await;
    let error = early.expect_err("it is not known whose it is");
    assert_eq!(error.outcome(), Outcome::NotApplied, "{}", error.report());
    assert_eq!(there.server.received(PUT), 0);
    gate.open();
    put(&client).await.unwrap_or_else(|error| panic!("{}", error.report()));
    there.server.counts(|counts| {
        let (probes, puts) = (&counts.probes, counts.received.iter().filter(|call| call.path == PUT));
        assert!(!probes.is_empty());
        assert!(probes.iter().all(|probe| probe.message.is_empty()));
        for name in ["token", "hasleader", "authorization"] {
            assert!(probes.iter().all(|probe| !probe.headers.contains_key(name)), "{name}");
        }
        assert!(puts.into_iter().all(|put| put.headers.contains_key("token")));
    });
}

#[tokio::test]
async fn member_of_this_or_an_unnamed_cluster_is_used() {
    let unauthenticated = reply::status(16, "etcdserver: invalid auth token");
    let unimplemented = reply::status(12, "unknown service etcdserverpb.KV");
    for (what, identity) in [
        ("the same revision", named(1, 10)),
        ("a later revision", named(1, 11)),
        ("revision 0", named(1, 0)),
        ("the highest revision", named(1, MAX_REVISION)),
        ("cluster 0", named(0, 3)),
        ("no header", reply::message("")),
        ("unauthenticated", unauthenticated),
        ("unimplemented", unimplemented),
    ] {
        let (here, client) = seen_here().await;
        let there = server(move |_: &Call| identity.clone(), at(11)).await;
        move_to(&client, &there);
        put(&client).await.unwrap_or_else(|error| panic!("{what}: {}", error.report()));
        assert_eq!(there.server.received(RANGE), 0, "{what}: no barrier");
        // Back to a member that has caught up with it.
        here.server.identify(|_: &Call| named(1, 11));
        here.server.play(at(11));
        move_to(&client, &here);
        put(&client).await.unwrap_or_else(|error| panic!("after {what}: {}", error.report()));
    }
}

#[tokio::test]
async fn member_of_another_cluster_gets_no_write() {
    for (what, cluster, revision, kind) in [
        ("another cluster", 0xbad, 10, ErrorKind::WrongCluster),
        ("another cluster, ahead", 0xbad, 99, ErrorKind::WrongCluster),
        ("revision -1", 1, -1, ErrorKind::Protocol),
        ("beyond the highest revision", 1, MAX_REVISION + 1, ErrorKind::Protocol),
        ("the largest number", 1, i64::MAX, ErrorKind::Protocol),
    ] {
        let (here, client) = seen_here().await;
        let there = server(move |_: &Call| named(cluster, revision), of(cluster, revision)).await;
        move_to(&client, &there);
        for _ in 0..3 {
            assert_unsent(&put(&client).await.expect_err(what), kind, &there);
        }
        let error = client.ready().await.expect_err(what);
        assert_eq!(error.kind(), kind, "{what}: {}", error.report());
        there.assert_named(&error);
        let states = client.endpoint_states().next().await.expect("the present states");
        let reason = states[0].reason.as_deref().unwrap_or_default();
        assert_eq!(states[0].phase, EndpointPhase::Rejected, "{what}: {reason}");
        let shown = if kind == ErrorKind::WrongCluster { "bad".to_owned() } else { revision.to_string() };
        assert!(reason.contains(&shown), "{what}: {reason}");
        assert_eq!(there.server.received(RANGE), 0, "{what}: no barrier");
        assert_unpoisoned(&client, &here, what).await;
    }
}

/// Answers the first empty Txn of each connection with one revision, the second with another.
fn first_then(first: i64, second: i64) -> impl Script {
    move |call: &Call| named(1, if call.number % 2 == 1 { first } else { second })
}

fn barrier(answer: Answer, otherwise: impl Script) -> impl Script {
    move |call: &Call| if call.path == RANGE { answer.clone() } else { otherwise.answer(call) }
}

#[tokio::test]
async fn barrier_distinguishes_restored_store_from_lagging_follower() {
    let read = |revision| {
        let response = pb::RangeResponse { header: header(1, revision), ..Default::default() };
        reply::message(response.encode_to_vec())
    };
    let denied = reply::status(7, "etcdserver: permission denied");
    // A member answers a linearizable read, or denies it, once it has caught up.
    for (what, caught_up, answer) in [("answered", read(10), read(9)), ("denied", denied.clone(), denied)] {
        let (_here, client) = seen_here().await;
        let lagging = server(first_then(9, 10), barrier(caught_up, at(10))).await;
        move_to(&client, &lagging);
        put(&client).await.unwrap_or_else(|error| panic!("{what}: {}", error.report()));
        assert_eq!(lagging.server.received(RANGE), 1, "{what}");

        let (here, client) = seen_here().await;
        let restored = server(|_: &Call| named(1, 9), barrier(answer, at(9))).await;
        move_to(&client, &restored);
        assert_unsent(&put(&client).await.expect_err(what), ErrorKind::RevisionRegressed, &restored);
        // A denial does not say who gave it: it takes three.
        let barriers = if what == "answered" { 1 } else { 3 };
        assert_eq!(restored.server.received(RANGE), barriers, "{what}");
        restored.server.counts(|counts| {
            for sent in counts.received.iter().filter(|call| call.path == RANGE) {
                let range = pb::RangeRequest::decode(&sent.message[..]).expect("a range");
                assert!(!range.serializable, "{what}: a local answer decides nothing");
                for name in ["token", "hasleader", "authorization"] {
                    assert!(!sent.headers.contains_key(name), "{what}: {name}");
                }
            }
        });
        assert_remembered(&client, &here, what).await;
    }
}

/// No new connection to this cluster is used, whatever its member has grown to, until that is accepted.
async fn assert_remembered(client: &Client, here: &Rig, what: &str) {
    let before = here.server.received(PUT);
    for revision in [9, 10, 99] {
        let grown = server(move |_: &Call| named(1, revision), at(revision)).await;
        move_to(client, &grown);
        assert_unsent(&put(client).await.expect_err(what), ErrorKind::RevisionRegressed, &grown);
        assert_eq!(grown.server.received(RANGE), 0, "{what}: it is known");
    }
    let learner = server(identity_of_learner(9), at(99)).await;
    let nameless = server(|_: &Call| reply::message(""), at(99)).await;
    for there in [&learner, &nameless, here] {
        move_to(client, there);
        let error = put(client).await.expect_err(what);
        let kind = (error.kind(), error.outcome());
        assert_eq!(kind, (ErrorKind::RevisionRegressed, Outcome::NotApplied), "{}", error.report());
        let read = client.get("k").serializable().await.expect_err(what);
        assert_eq!(read.kind(), ErrorKind::RevisionRegressed, "{what}: {}", read.report());
    }
    assert_eq!(here.server.received(PUT), before, "{what}");
    assert_eq!(client.accept_cluster().expect("refused").get(), 1, "{what}");
    put(client).await.unwrap_or_else(|error| panic!("{what}: {}", error.report()));
}

#[tokio::test]
async fn connections_from_before_the_regression_stay_trusted() {
    let (here, client) = seen_here().await;
    let learner = server(identity_of_learner(9), at(3)).await;
    let restored = server(|_: &Call| named(1, 9), at(9)).await;
    let endpoints = [&here, &learner, &restored].map(|rig| rig.server.endpoint());
    let phases = async |expected: &[EndpointPhase]| {
        let mut states = client.endpoint_states();
        let reached = async {
            while let Some(states) = states.next().await {
                if states.iter().map(|state| state.phase).eq(expected.iter().copied()) {
                    break;
                }
            }
        };
        timeout(Duration::from_secs(20), reached).await.expect("they get there");
    };
    client.set_endpoints(&endpoints[..2]).expect("valid");
    phases(&[EndpointPhase::Ready; 2]).await;
    client.set_endpoints(&endpoints).expect("valid");
    // A learner's answers do not show that its store is current.
    phases(&[EndpointPhase::Ready, EndpointPhase::Rejected, EndpointPhase::Rejected]).await;
    here.server.play(at(12));
    here.server.identify(|_: &Call| named(1, 12));
    for _ in 0..20 {
        put(&client).await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    assert_eq!((here.server.received(PUT), restored.server.received(PUT)), (21, 0));
    // What takes its place may be the restored store, grown.
    let only = client.for_endpoint(here.server.endpoint()).expect("valid");
    assert_eq!(put(&only).await.expect_err("a new one").kind(), ErrorKind::RevisionRegressed);
    assert_eq!(here.server.received(PUT), 21);
    put(&client).await.unwrap_or_else(|error| panic!("{}", error.report()));
}

#[tokio::test]
async fn older_linearizable_response_is_remembered() {
    let (here, client) = seen_here().await;
    here.server.play(at(9));
    let error = put(&client).await.expect_err("the store went back");
    assert_eq!(error.kind(), ErrorKind::RevisionRegressed, "{}", error.report());
    // It has grown before anybody asks again.
    here.server.play(at(99));
    here.server.identify(|_: &Call| named(1, 99));
    assert_remembered(&client, &here, "an answer").await;
}

#[tokio::test]
async fn barrier_rejected_by_a_proxy_is_inconclusive() {
    for status in [8, 12, 16] {
        let (here, client) = seen_here().await;
        let answer = reply::status(status, "no");
        let there = server(|_: &Call| named(1, 9), barrier(answer, at(9))).await;
        move_to(&client, &there);
        let error = client.put("k", "v").timeout(Duration::from_millis(300)).await.expect_err("behind");
        assert_unsent(&error, ErrorKind::Unavailable, &there);
        // Nothing is remembered of it.
        assert_unpoisoned(&client, &here, &status.to_string()).await;
    }
}

#[tokio::test]
async fn member_behind_without_quorum_serves_stale_reads_only() {
    let (_here, client) = seen_here().await;
    let gate = Gate::closed();
    let held = gate.clone();
    let script = move |call: &Call| match (call.path.as_str(), call.number) {
        // The barrier, which no quorum lets through.
        (RANGE, 1) => vec![Step::ReadRequest, Step::Pause(held.clone()), Step::Hang],
        _ => at(9).answer(call),
    };
    let asked_again = gate.clone();
    let identity = move |call: &Call| {
        if call.number == 1 {
            return named(1, 9);
        }
        let mut answer = named(1, 10);
        answer.insert(1, Step::Pause(asked_again.clone()));
        answer
    };
    let behind = server(identity, script).await;
    move_to(&client, &behind);
    let read = client.get("k").serializable().timeout(Duration::from_secs(10)).await;
    read.unwrap_or_else(|error| panic!("{}", error.report()));
    let error = client.put("k", "v").timeout(Duration::from_millis(20)).await.expect_err("no quorum");
    assert_unsent(&error, ErrorKind::Unavailable, &behind);
    let states = client.endpoint_states().next().await.expect("the present states");
    assert!(states[0].reason.as_deref().is_some_and(|reason| reason.contains("behind")), "{states:?}");
    gate.open();
    // It is asked again, and has caught up.
    behind.server.play(at(10));
    client
        .put("k", "v")
        .timeout(Duration::from_secs(20))
        .await
        .unwrap_or_else(|error| panic!("{}", error.report()));
}

#[tokio::test]
async fn a_learner_gets_no_write_and_serves_stale_reads() {
    for code in [14, 9] {
        let (_here, client) = seen_here().await;
        let identity = move |_: &Call| reply::status(code, "etcdserver: rpc not supported for learner");
        let learner = server(identity, at(3)).await;
        move_to(&client, &learner);
        let read = client.get("k").serializable().await;
        read.unwrap_or_else(|error| panic!("{}", error.report()));
        let error = put(&client).await.expect_err("a learner");
        assert_eq!(error.code(), Some(Code::NotSupportedForLearner), "{}", error.report());
        assert_eq!((error.outcome(), learner.server.received(PUT)), (Outcome::NotApplied, 0));
        // Promoted, it is found out without a new connection.
        learner.server.identify(|_: &Call| named(1, 10));
        learner.server.play(at(10));
        let promoted = async {
            while let Err(error) = put(&client).await {
                assert_eq!(error.code(), Some(Code::NotSupportedForLearner), "{}", error.report());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(20), promoted).await.expect("it is asked again");
        assert_eq!(learner.server.counts(|counts| counts.connections), 1);
        let foreign = server(identity_of_learner(code), of(0xbad, 50)).await;
        move_to(&client, &foreign);
        assert_unsent(&put(&client).await.expect_err("foreign"), ErrorKind::WrongCluster, &foreign);
    }
}

fn identity_of_learner(code: u32) -> impl Script {
    move |_: &Call| reply::status(code, "etcdserver: rpc not supported for learner")
}

#[tokio::test]
async fn unresponsive_member_is_not_used() {
    let (here, client) = seen_here().await;
    for identity in
        [reply::hang(), reply::status(14, "etcdserver: server stopped"), reply::reset(reply::CANCEL)]
    {
        let what = format!("{identity:?}");
        let there = server(move |_: &Call| identity.clone(), at(10)).await;
        move_to(&client, &there);
        assert_unsent(&put(&client).await.expect_err("silence"), ErrorKind::Unavailable, &there);
        // Another one serves meanwhile.
        client.set_endpoints([here.server.endpoint(), there.server.endpoint()]).expect("valid");
        put(&client).await.unwrap_or_else(|error| panic!("{what}: {}", error.report()));
        assert_eq!(there.server.received(PUT), 0, "{what}");
    }
}

#[tokio::test]
async fn concurrent_writes_do_not_discredit_a_member() {
    let (here, client) = seen_here().await;
    let gate = Gate::closed();
    let held = gate.clone();
    let identity = move |_: &Call| {
        let mut answer = named(1, 10);
        answer.insert(1, Step::Pause(held.clone()));
        answer
    };
    let there = server(identity, at(12)).await;
    client.set_endpoints([here.server.endpoint(), there.server.endpoint()]).expect("valid");
    there.server.wait_until(|counts| !counts.probes.is_empty()).await;
    here.server.play(at(12));
    put(&client).await.expect("a later revision");
    gate.open();
    move_to(&client, &there);
    put(&client).await.unwrap_or_else(|error| panic!("{}", error.report()));
    let (probes, barriers) = there.server.counts(|counts| (counts.probes.len(), counts.received(RANGE)));
    assert_eq!((probes, barriers), (1, 0), "it had to show what was seen before it was asked");
}

#[tokio::test]
async fn absurd_revision_fails_only_its_call() {
    for revision in [i64::MAX, MAX_REVISION + 1, -1] {
        let (here, client) = seen_here().await;
        here.server.play(at(revision));
        let error = put(&client).await.expect_err("no store has this revision");
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Protocol, Outcome::Unknown),
            "{}",
            error.report()
        );
        assert_unpoisoned(&client, &here, &revision.to_string()).await;
    }
    let (here, client) = seen_here().await;
    here.server.play(at(MAX_REVISION));
    put(&client).await.expect("a revision that may be");
    assert_unpoisoned(&client, &here, "one large step").await;
}

#[tokio::test]
async fn foreign_response_ends_use_of_the_member() {
    for (identity, answers, kind) in [
        (named(0xbad, 10), (0xbad, 10), ErrorKind::WrongCluster),
        (named(1, 9), (1, 9), ErrorKind::RevisionRegressed),
    ] {
        let (here, client) = seen_here().await;
        here.server.identify(move |_: &Call| identity.clone());
        here.server.play(of(answers.0, answers.1));
        let error = put(&client).await.expect_err("the connection was ours");
        assert_eq!((error.kind(), error.outcome()), (kind, Outcome::Unknown), "{}", error.report());
        let applied = here.server.received(PUT);
        for _ in 0..5 {
            let error = put(&client).await.expect_err("it is asked whose it is");
            assert_eq!((error.kind(), error.outcome()), (kind, Outcome::NotApplied), "{}", error.report());
        }
        assert_eq!(here.server.received(PUT), applied);
    }
}

#[tokio::test]
async fn another_cluster_or_history_is_accepted_on_request() {
    for (cluster, revision) in [(0xbad, 5), (1, 9)] {
        let (here, client) = seen_here().await;
        let error = client.accept_cluster().expect_err("nothing is refused");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{}", error.report());
        let there = server(move |_: &Call| named(cluster, revision), of(cluster, revision)).await;
        move_to(&client, &there);
        put(&client).await.expect_err("refused");
        assert_eq!(client.accept_cluster().expect("refused").get(), cluster);
        put(&client).await.unwrap_or_else(|error| panic!("{}", error.report()));
        client.get("k").await.unwrap_or_else(|error| panic!("{}", error.report()));
        client.ready().await.expect("it is used");
        // Now the old one is another cluster; or its history one that was left behind, and is ahead.
        move_to(&client, &here);
        let back = put(&client).await;
        if cluster == 1 {
            back.unwrap_or_else(|error| panic!("{}", error.report()));
        } else {
            assert_eq!(back.expect_err("left behind").kind(), ErrorKind::WrongCluster);
        }
    }
}

#[tokio::test]
async fn check_from_before_the_acceptance_is_ignored() {
    for (cluster, revision) in [(0xbad, 5), (1, 9)] {
        let (_here, client) = seen_here().await;
        let gate = Gate::closed();
        let held = gate.clone();
        let identity = move |call: &Call| {
            let mut answer = named(cluster, revision);
            if call.number == 2 {
                answer.insert(1, Step::Pause(held.clone()));
            }
            answer
        };
        let there = server(identity, of(cluster, revision)).await;
        move_to(&client, &there);
        put(&client).await.expect_err("refused");
        there.server.wait_until(|counts| counts.probes.len() >= 2).await;
        client.accept_cluster().expect("refused");
        let (accepted, ()) = tokio::join!(put(&client), async { gate.open() });
        accepted.unwrap_or_else(|error| panic!("{}", error.report()));
    }
}

#[tokio::test]
async fn replacement_is_accepted_automatically_if_configured() {
    for (cluster, revision) in [(0xbad, 5), (1, 9)] {
        let here = server(|_: &Call| named(1, 10), at(10)).await;
        let builder = Client::builder([here.server.endpoint()]).timeout(DEADLINE);
        let client = builder.accept_replaced_cluster(true).build().expect("valid");
        put(&client).await.expect("the first answer");
        let there = server(move |_: &Call| named(cluster, revision), of(cluster, revision)).await;
        // Not while the known one is served.
        client.set_endpoints([here.server.endpoint(), there.server.endpoint()]).expect("valid");
        let mut states = client.endpoint_states();
        let refused = async {
            while let Some(states) = states.next().await {
                if states.iter().any(|state| state.phase == EndpointPhase::Rejected) {
                    break;
                }
            }
        };
        timeout(DEADLINE, refused).await.expect("one is refused");
        put(&client).await.unwrap_or_else(|error| panic!("{}", error.report()));
        assert_eq!(there.server.received(PUT), 0);
        move_to(&client, &there);
        put(&client).await.unwrap_or_else(|error| panic!("{}", error.report()));
        assert_eq!(there.server.received(PUT), 1);
    }
}

#[tokio::test]
async fn clients_for_endpoints_share_the_known_history() {
    let (_here, client) = seen_here().await;
    let there = server(|_: &Call| named(0xbad, 10), of(0xbad, 10)).await;
    let only = client.for_endpoint(there.server.endpoint()).expect("valid");
    assert_unsent(&put(&only).await.expect_err("foreign"), ErrorKind::WrongCluster, &there);
    let reads = only.kv().get(Get::new("k"), Default::default()).await.expect_err("foreign");
    assert_eq!(reads.kind(), ErrorKind::WrongCluster);
    let txn = only.txn().then(Put::new("k", "v")).await.expect_err("foreign");
    assert_eq!((txn.kind(), txn.outcome()), (ErrorKind::WrongCluster, Outcome::NotApplied));
}
