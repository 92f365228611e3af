//! Answers of another cluster, and of a past that the client has left behind.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{
    CallOptions, Client, Compare, Error, ErrorKind, Get, LeaseId, Outcome, transport::Balance,
    types::Endpoint,
};
use etcd_proto::{etcdserverpb as pb, v3lockpb};
use etcd_testkit::scripted::{Answer, Call, Gate, Script, Step, frame, reply};
use prost::Message as _;
use tokio::time::timeout;

use super::rig::{
    GRANT, PUT, RANGE, RANGE_STREAM, Rig, Rpc, TIME_TO_LIVE, TXN, UNHURRIED, put_result, range_response,
};

const LEASES: &str = "/etcdserverpb.Lease/LeaseLeases";
const MEMBERS: &str = "/etcdserverpb.Cluster/MemberList";
const AUTH_STATUS: &str = "/etcdserverpb.Auth/AuthStatus";
const LOCK: &str = "/v3lockpb.Lock/Lock";
const SNAPSHOT: &str = "/etcdserverpb.Maintenance/Snapshot";

/// Where an answer says that it comes from.
#[derive(Clone, Copy, Debug)]
struct From {
    cluster: u64,
    revision: i64,
}

const HERE: From = From { cluster: 1, revision: 10 };
const ELSEWHERE: From = From { cluster: 0xbad, revision: 10 };
const EARLIER: From = From { cluster: 1, revision: 9 };

impl From {
    fn header(self) -> Option<pb::ResponseHeader> {
        let Self { cluster, revision } = self;
        Some(pb::ResponseHeader { cluster_id: cluster, member_id: 2, revision, raft_term: 4 })
    }

    fn range(self) -> pb::RangeResponse {
        pb::RangeResponse { header: self.header(), ..range_response() }
    }

    /// The answer to a request of this path.
    fn answer(self, path: &str) -> Answer {
        let header = self.header();
        reply::message(match path {
            RANGE => self.range().encode_to_vec(),
            RANGE_STREAM => pb::RangeStreamResponse { range_response: Some(self.range()) }.encode_to_vec(),
            PUT => pb::PutResponse { header, prev_kv: None }.encode_to_vec(),
            TXN => pb::TxnResponse { header, succeeded: true, responses: vec![put_result()] }.encode_to_vec(),
            GRANT => pb::LeaseGrantResponse { header, id: 7, ttl: 60, error: String::new() }.encode_to_vec(),
            TIME_TO_LIVE => {
                pb::LeaseTimeToLiveResponse { header, id: 7, ttl: 9, granted_ttl: 60, keys: vec![] }
                    .encode_to_vec()
            }
            LEASES => pb::LeaseLeasesResponse { header, leases: vec![] }.encode_to_vec(),
            MEMBERS => {
                pb::MemberListResponse { header, members: vec![pb::Member { id: 2, ..Default::default() }] }
                    .encode_to_vec()
            }
            AUTH_STATUS => {
                pb::AuthStatusResponse { header, enabled: false, auth_revision: 1 }.encode_to_vec()
            }
            SNAPSHOT => pb::SnapshotResponse {
                header,
                blob: vec![7; 64].into(),
                remaining_bytes: 32,
                ..Default::default()
            }
            .encode_to_vec(),
            other => panic!("no answer to {other}"),
        })
    }

    fn script(self) -> impl Script {
        move |call: &Call| self.answer(&call.path)
    }

    /// As [`script`](Self::script), where a Txn is one that reads a range.
    fn script_of_reads(self) -> impl Script {
        let range = pb::response_op::Response::ResponseRange(self.range());
        let responses = vec![pb::ResponseOp { response: Some(range) }];
        let txn = pb::TxnResponse { header: self.header(), succeeded: true, responses }.encode_to_vec();
        move |call: &Call| match call.path.as_str() {
            TXN => reply::message(txn.clone()),
            path => self.answer(path),
        }
    }
}

/// A client that has seen one answer of here, and a server that plays what comes next.
async fn seen_here() -> (Rig, Client) {
    let rig = Rig::start().await;
    rig.server.play(HERE.script());
    let client = rig.client();
    Rpc::Get.call(&client).await.expect("the first answer says which cluster it is");
    (rig, client)
}

fn assert_disbelieved(error: &Error, kind: ErrorKind, rpc: Rpc) {
    let report = error.report();
    assert_eq!(error.kind(), kind, "{rpc:?}: {report}");
    let writes = matches!(rpc, Rpc::Put | Rpc::Txn | Rpc::Grant);
    let outcome = if writes { Outcome::Unknown } else { Outcome::NotApplied };
    assert_eq!(error.outcome(), outcome, "{rpc:?}: {report}");
    assert!(error.operation().is_some() && error.attempts().len() == 1, "{rpc:?}: {report}");
}

#[tokio::test]
async fn response_from_another_cluster_is_an_error_without_retry() {
    for rpc in Rpc::ALL {
        let (rig, client) = seen_here().await;
        let before = rig.server.received(rpc.path());
        rig.server.play(ELSEWHERE.script());
        let error = rpc.call(&client).await.expect_err("of another cluster");
        assert_disbelieved(&error, ErrorKind::WrongCluster, rpc);
        rig.assert_named(&error);
        assert!(error.message().contains("bad") && error.message().contains("cluster 1:"), "{error}");
        assert_eq!(rig.server.received(rpc.path()) - before, 1, "{rpc:?}");
        rig.server.play(HERE.script());
        rpc.call(&client).await.unwrap_or_else(|error| panic!("{rpc:?}: {}", error.report()));
    }
}

#[tokio::test]
async fn older_linearizable_response_is_an_error() {
    for rpc in [Rpc::Get, Rpc::Put, Rpc::Txn, Rpc::RangeStream] {
        let (rig, client) = seen_here().await;
        rig.server.play(EARLIER.script());
        let error = rpc.call(&client).await.expect_err("of the past");
        assert_disbelieved(&error, ErrorKind::RevisionRegressed, rpc);
        rig.assert_named(&error);
        // It proves that the store went back, wherever it is by now.
        rig.server.play(HERE.script());
        let error = rpc.call(&client).await.expect_err("it is remembered");
        let refused = (ErrorKind::RevisionRegressed, Outcome::NotApplied);
        assert_eq!((error.kind(), error.outcome()), refused, "{rpc:?}: {}", error.report());
        client.accept_cluster().expect("it is refused");
        rpc.call(&client).await.unwrap_or_else(|error| panic!("{rpc:?}: {}", error.report()));
    }
}

async fn read_stream(client: &Client, get: Get) -> Result<usize, Error> {
    let mut chunks = client.kv().range_stream(get, CallOptions::default()).await?;
    let mut keys = 0;
    while let Some(chunk) = chunks.next().await {
        keys += chunk?.kvs.len();
    }
    Ok(keys)
}

/// Every call whose answer a member gives from what it has.
async fn ask_what_may_lag(client: &Client) -> Result<(), Error> {
    let id = LeaseId::new(7).expect("not zero");
    client.get("k").serializable().await?;
    client.txn().when(Compare::exists("k")).then(Get::new("k").serializable()).serializable().await?;
    read_stream(client, Get::new("k").serializable()).await?;
    client.lease().grant(Duration::from_secs(60)).id(id).await?;
    client.lease().time_to_live(id).await?;
    client.lease().list().await?;
    client.cluster().member_list().await?;
    client.auth().status().await?;
    Ok(())
}

#[tokio::test]
async fn serializable_responses_may_lag() {
    let (rig, client) = seen_here().await;
    rig.server.play(EARLIER.script_of_reads());
    if let Err(error) = ask_what_may_lag(&client).await {
        panic!("{}", error.report());
    }
    // Nor do they raise what others have to show: no order holds between them.
    rig.server.play(From { revision: 99, ..HERE }.script_of_reads());
    if let Err(error) = ask_what_may_lag(&client).await {
        panic!("{}", error.report());
    }
    rig.server.play(HERE.script());
    Rpc::Get.call(&client).await.unwrap_or_else(|error| panic!("{}", error.report()));
    rig.server.play(ELSEWHERE.script());
    let id = LeaseId::new(7).expect("not zero");
    for error in [
        client.get("k").serializable().await.map(drop),
        read_stream(&client, Get::new("k").serializable()).await.map(drop),
        client.lease().time_to_live(id).await.map(drop),
        client.cluster().member_list().await.map(drop),
        client.auth().status().await.map(drop),
    ] {
        let error = error.expect_err("of another cluster");
        assert_eq!(error.kind(), ErrorKind::WrongCluster, "{}", error.report());
    }
}

#[tokio::test]
async fn concurrent_response_may_have_an_earlier_revision() {
    let (rig, client) = seen_here().await;
    let gate = Gate::closed();
    let held = gate.clone();
    rig.server.play(move |call: &Call| match call.path.as_str() {
        RANGE => {
            let mut answer = From { revision: 11, ..HERE }.answer(RANGE);
            answer.insert(1, Step::Pause(held.clone()));
            answer
        }
        path => From { revision: 20, ..HERE }.answer(path),
    });
    let early = tokio::spawn({
        let client = client.clone();
        async move { Rpc::Get.call(&client).await }
    });
    rig.server.wait_until(|counts| counts.received(RANGE) == 2).await;
    Rpc::Put.call(&client).await.expect("a later revision");
    gate.open();
    early.await.expect("no panic").unwrap_or_else(|error| panic!("{}", error.report()));
    let error = Rpc::Get.call(&client).await.expect_err("asked for after revision 20 was seen");
    assert_eq!(error.kind(), ErrorKind::RevisionRegressed, "{}", error.report());
}

#[tokio::test]
async fn calls_avoid_a_member_of_another_cluster_until_it_is_reconnected() {
    let (here, there) = (Rig::start().await, Rig::start().await);
    here.server.play(HERE.script());
    // Until it has answered a put it does not name its cluster, as a proxy may not; then it does. The number of the check does
    // not decide: on a busy machine a check that takes more than 1 s is repeated.
    let answered = Arc::new(AtomicBool::new(false));
    let names = Arc::clone(&answered);
    there.server.play(move |call: &Call| {
        answered.store(true, Ordering::SeqCst);
        ELSEWHERE.answer(&call.path)
    });
    there.server.identify(move |_: &Call| match names.load(Ordering::SeqCst) {
        false => reply::message(""),
        true => ELSEWHERE.answer(TXN),
    });
    let client = Client::builder([here.server.endpoint()])
        .balance(Balance::RoundRobin)
        .timeout(UNHURRIED)
        .build()
        .expect("valid");
    Rpc::Get.call(&client).await.expect("the right one");
    let both = [here.server.endpoint(), there.server.endpoint()];
    client.set_endpoints(&both).expect("valid");
    there.server.wait_until(|counts| !counts.probes.is_empty()).await;
    let asked = |rig: &Rig| rig.server.received(PUT);
    let unnamed = there.server.counts(|counts| counts.probes.len());
    let mut error = None;
    while error.is_none() {
        error = Rpc::Put.call(&client).await.err();
    }
    assert_disbelieved(&error.expect("the other one was asked"), ErrorKind::WrongCluster, Rpc::Put);
    let before = asked(&here);
    for _ in 0..200 {
        Rpc::Put.call(&client).await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    assert_eq!((asked(&there), asked(&here) - before), (1, 200), "one answer was enough");
    // A call for it alone says why.
    let there_only: Endpoint = there.server.endpoint().parse().expect("valid");
    let options = CallOptions::default().endpoint(there_only);
    there.server.wait_until(|counts| counts.probes.len() > unnamed).await;
    let refused = client.kv().get(Get::new("k"), options).await.expect_err("of another cluster");
    assert_eq!(refused.kind(), ErrorKind::WrongCluster, "{}", refused.report());
    assert_eq!(there.server.received(RANGE), 0, "{}", refused.report());
    // What listens there later may be another one, and is.
    there.server.play(HERE.script());
    there.server.identify(|_: &Call| HERE.answer(TXN));
    let used_again = async {
        while asked(&there) == 1 {
            Rpc::Put.call(&client).await.unwrap_or_else(|error| panic!("{}", error.report()));
        }
    };
    // After several refusals a client waits up to 5 s before it connects again.
    timeout(UNHURRIED, used_again).await.expect("it is used again");
}

/// Calls that wait for other clients have connections of their own.
#[tokio::test]
async fn a_lock_of_another_cluster_retires_its_connection() {
    let (rig, client) = seen_here().await;
    let connections = Arc::new(Mutex::new(Vec::new()));
    let used = Arc::clone(&connections);
    rig.server.play(move |call: &Call| {
        if call.path != LOCK {
            return HERE.answer(&call.path);
        }
        used.lock().expect("no panic").push(call.connection);
        let from = if call.number == 1 { ELSEWHERE } else { HERE };
        let key = b"jobs/7".to_vec().into();
        reply::message(v3lockpb::LockResponse { header: from.header(), key }.encode_to_vec())
    });
    let lease = LeaseId::new(7).expect("not zero");
    let lock = || client.server_lock().lock("jobs", lease).timeout(UNHURRIED);
    let error = lock().await.expect_err("of another cluster");
    assert_eq!(error.kind(), ErrorKind::WrongCluster, "{}", error.report());
    lock().await.unwrap_or_else(|error| panic!("{}", error.report()));
    let connections = connections.lock().expect("no panic");
    assert_ne!(connections[0], connections[1], "its member is verified again before the next lock");
}

#[tokio::test]
async fn pages_end_with_a_stream_of_another_cluster() {
    for (from, kind) in [(ELSEWHERE, ErrorKind::WrongCluster), (EARLIER, ErrorKind::RevisionRegressed)] {
        let rig = Rig::start().await;
        let key = |n: u32| etcd_proto::mvccpb::KeyValue { key: format!("k{n}").into(), ..Default::default() };
        let chunk = move |n: u32, header| {
            let range = pb::RangeResponse { header, kvs: vec![key(n)], more: false, count: 3 };
            let message = pb::RangeStreamResponse { range_response: Some(range) };
            Step::Data(frame::message(message.encode_to_vec()))
        };
        rig.server.play(move |call: &Call| match call.path.as_str() {
            RANGE_STREAM => vec![
                Step::ReadRequest,
                reply::head(),
                chunk(1, None),
                chunk(2, from.header()),
                reply::trailers("0", ""),
            ],
            _ => reply::message(
                pb::RangeResponse { header: HERE.header(), kvs: vec![key(0)], more: true, count: 3 }
                    .encode_to_vec(),
            ),
        });
        let client = rig.client();
        let mut pages = client.get("k").prefix().pages();
        for _ in 0..2 {
            pages.next().await.expect("a page").expect("nothing is wrong with it yet");
        }
        let error = pages.next().await.expect("an error").expect_err("the header");
        assert_disbelieved(&error, kind, Rpc::RangeStream);
        assert!(pages.next().await.is_none());
        assert_eq!(rig.server.received(RANGE), 1, "what came before is not to be believed either");
    }
}

#[tokio::test]
async fn snapshot_of_another_cluster_is_rejected_when_opened() {
    let (rig, client) = seen_here().await;
    rig.server.play(ELSEWHERE.script());
    let error = client.snapshot().await.expect_err("of another cluster");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::WrongCluster, Outcome::NotApplied), "{error}");
    rig.assert_named(&error);
    rig.server.play(EARLIER.script());
    let _stream = client.snapshot().await.unwrap_or_else(|error| panic!("it may lag: {}", error.report()));
}
