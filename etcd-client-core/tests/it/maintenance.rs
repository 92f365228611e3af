//! Alarms, status, checksums, defragmentation and downgrades. Snapshots and leadership have files of their own.
//!
//! | etcd (`maintenance_test.go`) | here |
//! |---|---|
//! | `TestMaintenanceHashKV` | [`members_with_the_same_keys_have_the_same_hash`] |
//! | `TestCompactionHash` | [`hashes_are_equal_after_every_kind_of_compaction`] |
//! | `TestMaintenanceStatus` | [`every_member_returns_its_status`]; quotas: [`status_includes_the_quota`] |
//!
//! | etcd (`tests/common`) | here |
//! |---|---|
//! | `TestAlarm` | [`a_full_database_can_be_made_writable_again`] |
//! | `TestAlarmlistOnMemberRestart` | [`a_member_restarts_after_alarms_were_listed`] |
//! | `TestDefragOnline` | [`defragmenting_shrinks_the_file_and_disturbs_no_get`] |
//! | `TestEndpointStatus`, `TestStatus`, `TestEndpointHealth` | [`every_member_returns_its_status`] |
//! | `TestEndpointHashKV` | [`members_with_the_same_keys_have_the_same_hash`] |
//! | `TestVerifyHashKVAfterCompact`, `..AfterTwoCompactsOnTombstone`, `..AfterCompactOnLastTombstone`, `..AfterCompactAndDefrag` | [`hashes_are_equal_after_every_kind_of_compaction`] |
//! | `TestDefragmentWithNoAuth`, `TestDowngradeWithNoAuth`, `TestHashKVWithNoAuth`, `TestStatusWithNoAuth` | [`maintenance_with_auth_requires_credentials`] |
//! | the same with invalid, root's and a user's auth | with authentication |
//!
//! | etcd (`tests/integration`) | here |
//! |---|---|
//! | `TestV3HashKV` | [`members_with_the_same_keys_have_the_same_hash`], [`hash_at_an_unknown_revision_is_rejected`] |
//! | `TestV3Hash`, `TestV3HashRestart` | [`a_restart_does_not_change_the_hash`] |
//! | `TestV3MaintenanceDefragmentInflightRange` | [`defragmenting_shrinks_the_file_and_disturbs_no_get`] |

use std::time::Duration;

use etcd_client_core::{
    Client, Code, Error, ErrorKind, Outcome, Revision,
    maintenance::{AlarmType, DbSizeQuota, DowngradeAction, HashKvResponse},
    types::MemberId,
};
use etcd_testkit::{Cluster, Line};
use tokio::time::timeout;

use crate::servers::{PATIENCE, client, eventually, lent, shared};

const QUOTA: &str = "1000000";

#[tokio::test]
async fn a_full_database_can_be_made_writable_again() {
    let builder = Cluster::builder().arg("--quota-backend-bytes", QUOTA);
    let Some(cluster) = builder.start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let maintenance = client.maintenance();
    assert!(maintenance.alarm_list().await.expect("listed").alarms.is_empty());
    for all in [false, true] {
        fill(&client).await;
        let alarms = maintenance.alarm_list().await.expect("listed").alarms;
        let status = maintenance.status(cluster.member(0).endpoint()).await.expect("a status");
        assert_eq!(alarms.len(), 1);
        assert_eq!((alarms[0].member, alarms[0].kind), (status.header.member_id, AlarmType::NoSpace));
        assert!(status.errors.iter().any(|text| text.contains("NOSPACE")), "{:?}", status.errors);
        assert!(client.put("k", "v").await.expect_err("no space").is_no_space());

        let revision = client.get("k").await.expect("get").header.revision;
        client.compact(revision).physical().await.expect("compact");
        maintenance.defragment(cluster.member(0).endpoint()).await.expect("defragment");
        if all {
            let answer =
                maintenance.alarm_disarm_all().await.expect("listed").into_result().expect("disarmed");
            assert_eq!((answer.disarmed, answer.failed.len()), (alarms, 0));
        } else {
            let answer = maintenance.alarm_disarm(alarms[0].member, alarms[0].kind).await.expect("disarmed");
            assert_eq!(answer.alarms, alarms);
            let again = maintenance.alarm_disarm(alarms[0].member, alarms[0].kind).await.expect("no error");
            assert!(again.alarms.is_empty());
        }
        assert!(maintenance.alarm_list().await.expect("listed").alarms.is_empty());
        client.put("k", "v").await.expect("there is space again");
    }
    let nothing = maintenance.alarm_disarm_all().await.expect("listed");
    assert!(nothing.disarmed.is_empty() && nothing.failed.is_empty());
}

/// Writes one key until the quota bites.
async fn fill(client: &Client) {
    eventually("the quota bites", async || match client.put("big", vec![0; 100_000]).await {
        Ok(_) => false,
        Err(error) => {
            assert!(error.is_no_space(), "{}", error.report());
            true
        }
    })
    .await;
}

#[tokio::test]
async fn status_includes_the_quota() {
    let builder = Cluster::builder().arg("--quota-backend-bytes", QUOTA);
    let Some(small) = builder.start_or_skip().await else { return };
    let Some(unlimited) = Cluster::builder().arg("--quota-backend-bytes", "-1").start_or_skip().await else {
        return;
    };
    let Some(default) = shared() else { return };
    let told = small.version().line() >= Line::V3_6;
    for (cluster, quota) in [
        (&small, DbSizeQuota::Bytes(1_000_000)),
        (&unlimited, DbSizeQuota::Unlimited),
        (default, DbSizeQuota::Bytes(2 << 30)),
    ] {
        let client = client(cluster.endpoints());
        let status = client.maintenance().status(cluster.member(0).endpoint()).await.expect("a status");
        assert_eq!(status.db_size_quota, told.then_some(quota));
    }
}

#[tokio::test]
async fn a_member_restarts_after_alarms_were_listed() {
    let Some(cluster) = Cluster::builder().arg("--snapshot-count", "5").start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    for _ in 0..6 {
        client.maintenance().alarm_list().await.expect("listed");
    }
    cluster.member(0).stop().await.expect("stopped");
    cluster.member(0).restart().await.expect("started again");
    client.maintenance().alarm_list().await.expect("listed");
}

#[tokio::test]
async fn every_member_returns_its_status() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let members = client.cluster().member_list().await.expect("listed").members;
    let new = cluster.version().line() >= Line::V3_6;
    eventually("the storage version is written", async || {
        let status = client.maintenance().status(cluster.member(0).endpoint()).await.expect("a status");
        !new || status.storage_version.is_some()
    })
    .await;
    let mut leaders = 0;
    for member in cluster.members() {
        let status = client.maintenance().status(member.endpoint()).await.expect("a status");
        let listed = members.iter().find(|listed| listed.name == member.name()).expect("listed");
        assert_eq!(status.header.member_id, listed.id, "another member answered");
        assert_eq!(status.version, cluster.version().to_string());
        assert!(status.db_size_in_use > 0 && status.db_size_in_use <= status.db_size, "{status:?}");
        assert!(status.leader.is_some() && status.raft_term > 1, "{status:?}");
        assert!(
            status.raft_applied_index > 0 && status.raft_applied_index <= status.raft_index,
            "{status:?}"
        );
        assert!(status.errors.is_empty() && !status.is_learner, "{status:?}");
        assert_eq!(status.downgrade.is_some(), new);
        leaders += usize::from(status.is_leader());
    }
    assert_eq!(leaders, 1);
}

#[tokio::test]
async fn members_with_the_same_keys_have_the_same_hash() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let mut revision = Revision::ZERO;
    for i in 0..20 {
        revision = client.put(format!("k{}", i % 7), format!("v{i}")).await.expect("put").header.revision;
    }
    let hashes = equal_hashes(&client, &cluster, revision).await;
    assert_eq!(hashes.compact_revision, None);
    let told = cluster.version().line() >= Line::V3_6;
    assert_eq!(hashes.hash_revision, told.then_some(revision));
    let older = equal_hashes(&client, &cluster, Revision::new(5)).await;
    assert_ne!(older.hash, hashes.hash);
    client.put("k0", "other").await.expect("put");
    let current = client.maintenance().hash_kv(cluster.member(0).endpoint(), 0).await.expect("a hash");
    assert_ne!(current.hash, hashes.hash);
    assert_eq!(current.header.revision, revision.next());
}

/// The hash at a revision, once all members have it and the same compaction.
async fn equal_hashes(client: &Client, cluster: &Cluster, revision: Revision) -> HashKvResponse {
    let mut found = None;
    eventually("all members hash the same", async || {
        let mut hashes = Vec::new();
        for endpoint in cluster.endpoints() {
            match client.maintenance().hash_kv(endpoint, revision).await {
                Ok(hash) => hashes.push(hash),
                Err(error) if error.code() == Some(Code::FutureRev) => return false,
                Err(error) => panic!("{}", error.report()),
            }
        }
        let same = |a: &HashKvResponse, b: &HashKvResponse| {
            (a.hash, a.compact_revision, a.hash_revision) == (b.hash, b.compact_revision, b.hash_revision)
        };
        let equal = hashes.windows(2).all(|pair| same(&pair[0], &pair[1]));
        found = hashes.pop().filter(|_| equal);
        found.is_some()
    })
    .await;
    found.expect("it was found")
}

#[tokio::test]
async fn hashes_are_equal_after_every_kind_of_compaction() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    // Every fifth step ends with a deletion, the first at revision 7.
    for step in 2..=21 {
        if step % 5 == 1 {
            client.put("tombstone", "v").await.expect("put");
            client.delete("tombstone").await.expect("delete");
        } else {
            client.put(format!("k{}", step % 3), format!("v{step}")).await.expect("put");
        }
    }
    let last_tombstone = client.delete("k0").await.expect("delete").header.revision;
    // A hash at the revision that was compacted may tell of the compaction before.
    let last = client.put("k1", "last").await.expect("put").header.revision;
    let whole = equal_hashes(&client, &cluster, last).await.hash;
    let tombstone = Revision::new(7);
    for compacted in [Revision::new(4), tombstone, Revision::new(9), Revision::new(15), last_tombstone] {
        client.compact(compacted).physical().await.expect("compact");
        let hash = equal_hashes(&client, &cluster, last).await;
        assert_eq!(hash.compact_revision, Some(compacted));
        for endpoint in cluster.endpoints() {
            client.maintenance().defragment(endpoint).await.expect("defragment");
        }
        assert_eq!(equal_hashes(&client, &cluster, last).await.hash, hash.hash);
        assert_ne!(hash.hash, whole, "a compaction takes something away");
    }
}

#[tokio::test]
async fn hash_at_an_unknown_revision_is_rejected() {
    let Some(lent) = lent().await else { return };
    let client = client(lent.cluster.endpoints());
    let endpoint = lent.cluster.member(0).endpoint();
    client.put("k", "v").await.expect("put");
    let revision = client.put("k", "w").await.expect("put").header.revision;
    client.compact(revision).await.expect("compact");
    for (revision, code) in [(revision.get() - 1, Code::Compacted), (revision.get() + 1, Code::FutureRev)] {
        let error = client.maintenance().hash_kv(endpoint, revision).await.expect_err("not there");
        assert_eq!((error.code(), error.outcome()), (Some(code), Outcome::NotApplied), "{}", error.report());
    }
    let error = client.maintenance().hash_kv(endpoint, -1).await.expect_err("below zero");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("revision")));
}

#[tokio::test]
async fn a_restart_does_not_change_the_hash() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let endpoint = cluster.member(0).endpoint();
    client.put("k", "v").await.expect("put");
    let hash = client.maintenance().hash(endpoint).await.expect("a hash");
    assert_eq!(hash.header.revision, 2);
    let kv = client.maintenance().hash_kv(endpoint, 0).await.expect("a hash");
    cluster.member(0).stop().await.expect("stopped");
    cluster.member(0).restart().await.expect("started again");
    assert_eq!(client.maintenance().hash_kv(endpoint, 0).await.expect("a hash").hash, kv.hash);
    client.put("k", "w").await.expect("put");
    assert_ne!(client.maintenance().hash(endpoint).await.expect("a hash").hash, hash.hash);
}

#[tokio::test]
async fn defragmenting_shrinks_the_file_and_disturbs_no_get() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let endpoint = cluster.member(0).endpoint();
    for i in 0..100 {
        client.put("big", vec![i; 100_000]).await.expect("put");
    }
    let revision = client.put("k", "v").await.expect("put").header.revision;
    client.compact(revision).physical().await.expect("compact");
    let before = client.maintenance().status(endpoint).await.expect("a status");
    assert!(before.db_size > 5_000_000, "{before:?}");
    let gets = async {
        for _ in 0..50 {
            assert_eq!(client.get("k").await.expect("get").count, 1);
        }
    };
    let (defragmented, ()) = tokio::join!(client.maintenance().defragment(endpoint), gets);
    defragmented.expect("defragmented");
    let after = client.maintenance().status(endpoint).await.expect("a status");
    assert!(after.db_size < before.db_size / 4, "{} bytes of {}", after.db_size, before.db_size);
    assert_eq!(client.get("k").await.expect("get").kvs[0].value, "v");
}

#[tokio::test]
async fn a_downgrade_is_validated() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let line = cluster.version().line();
    let downgrade = |action| client.maintenance().downgrade(action);
    let older = cluster.version().to_string();
    let minor: u32 = older.split('.').nth(1).expect("a minor version").parse().expect("a number");
    let older = format!("3.{}", minor - 1);
    if line < Line::V3_5 {
        let error = downgrade(DowngradeAction::validate(older)).await.expect_err("it came with 3.5");
        assert_eq!((error.kind(), error.is_unsupported()), (ErrorKind::Unsupported, true), "{error}");
        return;
    }
    // A new cluster decides on its version within seconds.
    let mut validated = None;
    eventually("the cluster has its version", async || {
        match downgrade(DowngradeAction::validate(older.as_str())).await {
            Ok(answer) => validated = Some(answer),
            Err(error) => assert_eq!(error.outcome(), Outcome::NotApplied, "{}", error.report()),
        }
        validated.is_some()
    })
    .await;
    let version = validated.expect("validated").version;
    assert!(version.starts_with(&format!("3.{minor}")), "{version}");
    let same = downgrade(DowngradeAction::validate(format!("3.{minor}"))).await.expect_err("no downgrade");
    assert_eq!(same.code(), Some(Code::InvalidDowngradeTargetVersion), "{}", same.report());
    let nonsense = downgrade(DowngradeAction::validate("nonsense")).await.expect_err("no version");
    assert_eq!(nonsense.code(), Some(Code::WrongDowngradeVersionFormat), "{}", nonsense.report());
    // Servers from 3.6 on only log that none is under way.
    match downgrade(DowngradeAction::Cancel).await {
        Ok(answer) => assert!(line >= Line::V3_6, "{answer:?}"),
        Err(none) => assert_eq!(none.code(), Some(Code::NoInflightDowngrade), "{}", none.report()),
    }
    if line >= Line::V3_6 {
        assert_enabled_and_cancelled(&client, cluster.member(0).endpoint(), &older).await;
    }
}

async fn assert_enabled_and_cancelled(client: &Client, endpoint: &str, older: &str) {
    let maintenance = client.maintenance();
    maintenance.downgrade(DowngradeAction::enable(older)).await.expect("enabled");
    let status = maintenance.status(endpoint).await.expect("a status").downgrade.expect("told");
    assert!(status.enabled);
    assert_eq!(status.target_version, format!("{older}.0"));
    maintenance.downgrade(DowngradeAction::Cancel).await.expect("cancelled");
    assert!(!maintenance.status(endpoint).await.expect("a status").downgrade.expect("told").enabled);
}

#[tokio::test]
async fn member_call_uses_the_named_member_or_fails() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let maintenance = client.maintenance();
    for wrong in ["", "htp://127.0.0.1:1", "https://127.0.0.1:1", "a:1,b:2", "http://user:canary@127.0.0.1:1"]
    {
        let error = maintenance.status(wrong).await.expect_err(wrong);
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("endpoint")), "{error}");
        assert_eq!(error.operation(), Some("status"));
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    let dead = "http://127.0.0.1:1";
    let short = client_with(cluster, Duration::from_millis(300));
    let maintenance = short.maintenance();
    assert_unreachable(maintenance.status(dead)).await;
    assert_unreachable(maintenance.defragment(dead)).await;
    assert_unreachable(maintenance.hash(dead)).await;
    assert_unreachable(maintenance.hash_kv(dead, 0)).await;
}

fn client_with(cluster: &Cluster, timeout: Duration) -> Client {
    Client::builder(cluster.endpoints()).timeout(timeout).build().expect("built")
}

/// No RPC hangs on a member that is not there, those without a deadline of their own included.
async fn assert_unreachable<T: std::fmt::Debug>(call: impl IntoFuture<Output = Result<T, Error>>) {
    let answer = timeout(PATIENCE, call.into_future()).await.expect("it does not hang");
    let error = answer.expect_err("nothing listens there");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unavailable, Outcome::NotApplied), "{error}");
    assert!(error.operation().is_some() && !error.attempts().is_empty(), "{}", error.report());
    assert_eq!(error.attempts()[0].endpoint(), "http://127.0.0.1:1");
}

#[tokio::test]
async fn maintenance_with_auth_requires_credentials() {
    let Some(cluster) = Cluster::builder().auth("secret").start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let endpoint = cluster.member(0).endpoint();
    let maintenance = client.maintenance();
    assert_denied(maintenance.defragment(endpoint).await);
    assert_denied(maintenance.hash_kv(endpoint, 0).await);
    assert_denied(maintenance.hash(endpoint).await);
    assert_denied(client.cluster().member_add(["http://127.0.0.1:1"]).learner().await);
    // Before 3.5 anybody may move the leader.
    if cluster.version().line() >= Line::V3_5 {
        assert_denied(maintenance.move_leader(MemberId::new(1)).await);
        assert_denied(maintenance.downgrade(DowngradeAction::validate("3.4")).await);
    }
}

fn assert_denied<T: std::fmt::Debug>(answer: Result<T, Error>) {
    let error = answer.expect_err("no credentials");
    let denied = [Code::UserEmpty, Code::PermissionDenied, Code::InvalidAuthToken];
    assert!(error.code().is_some_and(|code| denied.contains(&code)), "{}", error.report());
    assert_eq!(error.outcome(), Outcome::NotApplied, "{}", error.report());
}
