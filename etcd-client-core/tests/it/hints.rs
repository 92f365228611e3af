//! The advice of error reports, followed: after what the hint says, the call succeeds.
//!
//! Errors that depend on the state of members are in [`members`], those that only a scripted server gives in [`scripted`].
//! Advice that other files follow:
//!
//! | advice of | followed in |
//! |---|---|
//! | `NoSpace` | `maintenance::a_full_database_can_be_made_writable_again` |
//! | `UserEmpty`, `RootUserNotExist`, `RootRoleNotExist` | `auth_admin::switch::auth_needs_root_and_is_turned_on_and_off` |
//! | `AuthFailed`, `InvalidAuthToken` | `auth::switching`, `auth::expiry` |
//! | `NotSupportedForLearner`, `MemberLearnerNotReady`, `MemberNotLearner` | `learner`, `cluster` |
//! | `NoLeader`, `NotLeader` | `no_quorum`, `move_leader` |
//! | a proxy that refuses | `hostile::heads` |

mod members;
mod scripted;

use std::time::Duration;

use etcd_client_core::{
    Client, Code, Error, ErrorKind, Get, LeaseId, Put, Revision, auth::Permission, error::GrpcCode,
    request::Limits,
};
use etcd_testkit::Cluster;

use crate::servers::{client, shared};

const MIB: usize = 1 << 20;

/// Asserts that the report of an error gives this advice.
#[track_caller]
fn advises(error: &Error, advice: &str) {
    let report = error.report().to_string();
    let help = report.lines().find_map(|line| line.trim_start().strip_prefix("help"));
    assert!(help.is_some_and(|help| help.contains(advice)), "{advice:?} is not the advice of\n{report}");
}

#[tokio::test]
async fn of_keys_and_values() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints()).with_namespace("hints/keys/");
    let error = client.get("").await.expect_err("no key");
    advises(&error, "use all_keys()");
    client.get("").all_keys().await.expect("every key");

    let error = client.put("missing", "").ignore_value().await.expect_err("no such key");
    advises(&error, "only of a key that exists");
    client.put("missing", "v").await.expect("it exists");
    client.put("missing", "").ignore_value().await.expect("its value is kept");
    let error = client.put("missing", "w").ignore_value().await.expect_err("both");
    advises(&error, "either a value or ignore_value");

    let twice = client.txn().then([Put::new("k", "1"), Put::new("k", "2")]).await.expect_err("twice");
    advises(&twice, "write each key at most once");
    client.txn().then([Put::new("k", "1"), Put::new("l", "2")]).await.expect("each key once");
}

#[tokio::test]
async fn of_revisions() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let old = client.put("k", "1").await.expect("put").header.revision;
    let new = client.put("k", "2").await.expect("put").header.revision;
    client.compact(new).await.expect("compacted");
    let error = client.get("k").revision(old).await.expect_err("compacted");
    assert_eq!(error.code(), Some(Code::Compacted));
    advises(&error, "read again without a revision, or watch from the revision of a fresh read");
    let fresh = client.get("k").await.expect("read").header.revision;
    drop(client.watch("k").start_revision(fresh).await.expect("created"));

    let ahead = Revision::new(new.get() + 1_000);
    let error = client.get("k").revision(ahead).await.expect_err("in the future");
    advises(&error, "use a revision from a response of this cluster");
    client.get("k").revision(fresh).await.expect("shown");
}

#[tokio::test]
async fn of_sizes() {
    let builder = Cluster::builder().arg("--max-txn-ops", "200").arg("--max-request-bytes", "8388608");
    let (Some(shared), Some(cluster)) = (shared(), builder.start_or_skip().await) else { return };
    let usual = client(shared.endpoints());
    let limits = Limits::default().max_txn_ops(200).max_request_bytes(8 * MIB).max_send_bytes(8 * MIB);
    let roomy = Client::builder(cluster.endpoints()).limits(limits).build().expect("built");
    let gets = |count| vec![Get::new("k"); count];

    let error = usual.txn().then(gets(129)).await.expect_err("too many");
    advises(&error, "split the transaction, or raise --max-txn-ops of every member and the limit");
    usual.txn().then(gets(100)).await.expect("split");
    roomy.txn().then(gets(129)).await.expect("raised");

    let large = || vec![7; 2 * MIB];
    let error = usual.put("hints/large", large()).await.expect_err("too large");
    assert_eq!(error.code(), Some(Code::RequestTooLarge));
    advises(&error, "send less at once, or raise --max-request-bytes of every member and the limit");
    roomy.put("hints/large", large()).await.expect("raised");

    let strict = Client::builder(cluster.endpoints()).limits(Limits::default().max_receive_bytes(MIB));
    let strict = strict.build().expect("built");
    let error = strict.get("hints/").prefix().await.expect_err("a large answer");
    assert_eq!((error.kind(), error.grpc_code()), (ErrorKind::Protocol, Some(GrpcCode::ResourceExhausted)));
    advises(&error, "raise max_receive_bytes, or read less at once");
    roomy.get("hints/").prefix().await.expect("raised");
    strict.get("hints/").prefix().keys_only().await.expect("less");
}

#[tokio::test]
async fn of_leases() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let minute = Duration::from_secs(60);
    let unknown = LeaseId::new(0x6877).expect("not zero");
    let error = client.put("hints/lease", "v").lease(unknown).await.expect_err("no such lease");
    advises(&error, "grant a new lease");
    let granted = client.lease().grant(minute).await.expect("granted").id;
    client.put("hints/lease", "v").lease(granted).await.expect("attached");
    let error = client.put("hints/lease", "").lease(granted).ignore_lease().await.expect_err("both");
    advises(&error, "either a lease or ignore_lease");

    let error = client.lease().grant(minute).id(granted).await.expect_err("it exists");
    advises(&error, "choose another lease id, or set none to let the client choose");
    let chosen = client.lease().grant(minute).await.expect("granted").id;
    let most = Duration::from_secs(9_000_000_000);
    let error = client.lease().grant(most + Duration::from_secs(1)).await.expect_err("too long");
    advises(&error, "at most 9,000,000,000 seconds");
    let longest = client.lease().grant(most).await.expect("granted").id;
    for id in [granted, chosen, longest] {
        client.lease().revoke(id).await.expect("revoked");
    }
}

#[tokio::test]
async fn of_auth() {
    const PASSWORD: &str = "root's password";
    let Some(cluster) = Cluster::builder().auth(PASSWORD).arg("--bcrypt-cost", "4").start_or_skip().await
    else {
        return;
    };
    let with = |user: &str, password: &str| {
        Client::builder(cluster.endpoints()).password(user, password).build().expect("valid")
    };
    let (root, nobody) = (with("root", PASSWORD), client(cluster.endpoints()));
    let error = nobody.put("k", "v").await.expect_err("nobody");
    advises(&error, "give the client a user and a password");
    root.put("k", "v").await.expect("a user and a password");
    let error = with("root", "a guess").put("k", "v").await.expect_err("a guess");
    advises(&error, "check user and password");

    let fixed = Client::builder(cluster.endpoints()).token("of yesterday").build().expect("valid");
    let error = fixed.put("k", "v").await.expect_err("no such token");
    assert_eq!(error.code(), Some(Code::InvalidAuthToken));
    advises(&error, "set a user and a password, or a token provider");

    root.auth().user_add("app", "pw").await.expect("added");
    root.auth().role_add("writer").await.expect("added");
    root.auth().user_grant_role("app", "writer").await.expect("granted");
    let app = with("app", "pw");
    let error = app.put("app/k", "v").await.expect_err("no permission");
    advises(&error, "grant one of the user's roles the permission for the whole range");
    let permission = Permission::read_write("app/").prefix();
    root.auth().role_grant_permission("writer", permission).await.expect("granted");
    app.put("app/k", "v").await.expect("granted");
}

#[tokio::test]
async fn of_the_process() {
    let Some(cluster) = shared() else { return };
    let closed = client(cluster.endpoints());
    closed.close().await;
    let error = closed.get("k").await.expect_err("closed");
    advises(&error, "or on a new client");
    let new = client(cluster.endpoints());
    new.get("k").await.expect("a new client");
    let without_runtime = std::thread::spawn(move || {
        let call = new.get("k").into_future();
        futures_util::FutureExt::now_or_never(call).expect("it ends at once").expect_err("no runtime")
    });
    let error = without_runtime.join().expect("no panic");
    assert_eq!(error.kind(), ErrorKind::NoRuntime);
    advises(&error, "inside the Tokio runtime that the client was built on");

    let nowhere = std::env::temp_dir().join("etcd-hints").join(std::process::id().to_string());
    let client = client(cluster.endpoints());
    let error = client.snapshot().save_to(nowhere.join("backup.db")).await.expect_err("no such directory");
    assert_eq!(error.kind(), ErrorKind::Io, "{}", error.report());
    advises(&error, "check that the directory exists and is writable");
    std::fs::create_dir_all(&nowhere).expect("created");
    client.snapshot().save_to(nowhere.join("backup.db")).await.expect("it exists");
    std::fs::remove_dir_all(&nowhere).expect("removed");
}

#[tokio::test]
async fn of_endpoints() {
    let Some(cluster) = shared() else { return };
    let listens = cluster.member(0).endpoint();
    let closed = Client::builder(["http://127.0.0.1:1"]).timeout(Duration::from_secs(1)).build();
    let error = closed.expect("valid").get("k").await.expect_err("nothing listens");
    advises(&error, "check that etcd is running, that the endpoint is correct");
    client([listens]).get("k").await.expect("the endpoint is correct");
    // The resolver refuses a label of more than 63 bytes without asking a DNS server.
    let unknown = format!("http://{}.invalid:2379", "a".repeat(64));
    let unknown = Client::builder([unknown]).timeout(Duration::from_secs(20)).build().expect("valid");
    crate::servers::eventually("the lookup failed", async || {
        let error = unknown.wait_ready(Duration::from_millis(50)).await.expect_err("no address");
        error.to_string().contains("the name lookup of")
    })
    .await;
    let error = unknown.wait_ready(Duration::from_millis(50)).await.expect_err("no address");
    advises(&error, "check the host name and that the DNS server answers, or use an IP address");
}
