//! The unary operations on leases.

use std::time::Duration;

use etcd_client_core::{Code, ErrorKind, LeaseId, Outcome, lease::LeaseLostReason};

use super::Subject;
use crate::servers::eventually;

const LONG: Duration = Duration::from_secs(600);

fn random_id() -> LeaseId {
    LeaseId::new(fastrand::i64(1..)).expect("not zero")
}

pub(crate) async fn a_default_id_is_given_and_positive(subject: &Subject<'_>) {
    let first = subject.leases().grant(LONG).await.expect("grant");
    let second = subject.leases().grant(LONG).await.expect("grant");
    assert!(first.id != second.id && first.id.get() > 0 && second.id.get() > 0);
    assert_eq!(first.ttl, LONG);
}

pub(crate) async fn a_chosen_id_is_taken(subject: &Subject<'_>) {
    let id = random_id();
    assert_eq!(subject.leases().grant(LONG).id(id).await.expect("grant").id, id);
    let ask = subject.leases().time_to_live(id).await.expect("asked");
    assert_eq!((ask.id, ask.granted_ttl), (id, LONG));
    assert!(ask.ttl.expect("it lives") <= LONG && ask.keys.is_empty());
}

pub(crate) async fn a_negative_id_is_granted_and_works(subject: &Subject<'_>) {
    let id = LeaseId::new(-random_id().get()).expect("not zero");
    let granted = subject.leases().grant(LONG).id(id).await.expect("granted");
    assert_eq!((granted.id, granted.ttl), (id, LONG));
    subject.put("k", "v").lease(id).await.expect("put");
    assert_eq!(subject.read("k").await.and_then(|kv| kv.lease), Some(id));
    assert_eq!(subject.leases().keep_alive_once(id).await.expect("renewed").id, id);
    assert_eq!(subject.leases().time_to_live(id).keys().await.expect("asked").keys.len(), 1);
    assert!(subject.leases().list().await.expect("listed").leases.contains(&id));
    subject.leases().revoke(id).await.expect("revoked");
    assert!(subject.read("k").await.is_none());
}

pub(crate) async fn a_taken_id_is_rejected(subject: &Subject<'_>) {
    let id = subject.granted().await;
    let error = subject.leases().grant(LONG).id(id).await.expect_err("taken");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some(Code::LeaseExist)));
    assert_eq!(error.outcome(), Outcome::NotApplied);
}

/// One and a half election timeouts, rounded up to seconds: 2 s on a server with default settings.
pub(crate) async fn a_short_ttl_is_raised(subject: &Subject<'_>) {
    let lease = subject.leases().grant(Duration::from_millis(1)).await.expect("grant");
    assert_eq!(lease.ttl, Duration::from_secs(2));
    let ask = subject.leases().time_to_live(lease.id).await.expect("asked");
    assert!(ask.ttl.is_none() || ask.granted_ttl == lease.ttl, "{ask:?}");
}

pub(crate) async fn a_ttl_beyond_the_maximum_is_rejected(subject: &Subject<'_>) {
    let most = Duration::from_secs(9_000_000_000);
    let error = subject.leases().grant(most + Duration::from_secs(1)).await.expect_err("too long");
    assert_eq!((error.code(), error.field()), (Some(Code::LeaseTTLTooLarge), Some("ttl")));
    assert_eq!(error.outcome(), Outcome::NotApplied);
    let longest = subject.leases().grant(most).await.expect("the longest there is");
    assert_eq!(longest.ttl, most);
    subject.leases().revoke(longest.id).await.expect("revoke");
}

pub(crate) async fn revoking_deletes_the_keys(subject: &Subject<'_>) {
    let (id, other) = (subject.granted().await, subject.granted().await);
    subject.put("a", "v").lease(id).await.expect("put");
    subject.put("b", "v").lease(id).await.expect("put");
    subject.put("c", "v").lease(other).await.expect("put");
    subject.leases().revoke(id).await.expect("revoke");
    let left = subject.get("").prefix().await.expect("get");
    assert_eq!(subject.names(&left.kvs), ["c"]);
    assert_eq!(subject.leases().time_to_live(id).await.expect("asked").ttl, None);
    let error = subject.put("a", "v").lease(id).await.expect_err("revoked");
    assert_eq!(error.code(), Some(Code::LeaseNotFound));
}

pub(crate) async fn time_to_live_lists_keys_on_request(subject: &Subject<'_>) {
    let id = subject.granted().await;
    for name in ["b", "a"] {
        subject.put(name, "v").lease(id).await.expect("put");
    }
    let without = subject.leases().time_to_live(id).await.expect("asked");
    assert!(without.keys.is_empty());
    let mut keys = subject.leases().time_to_live(id).keys().await.expect("asked").keys;
    keys.sort();
    assert_eq!(keys, ["a", "b"].map(|name| subject.key(name).into_bytes()));
}

pub(crate) async fn an_unknown_lease_has_no_time_to_live(subject: &Subject<'_>) {
    let id = random_id();
    let ask = subject.leases().time_to_live(id).keys().await.expect("no error");
    assert_eq!((ask.id, ask.ttl, ask.keys.len()), (id, None, 0));
    assert!(ask.header.revision.get() > 0, "it has a header");
}

pub(crate) async fn leases_are_listed_in_the_order_of_their_grants(subject: &Subject<'_>) {
    let mut granted = Vec::new();
    for _ in 0..5 {
        granted.push(subject.granted().await);
    }
    let listed = subject.leases().list().await.expect("list").leases;
    let ours: Vec<LeaseId> = listed.into_iter().filter(|id| granted.contains(id)).collect();
    assert_eq!(ours, granted);
    subject.leases().revoke(granted[2]).await.expect("revoke");
    let listed = subject.leases().list().await.expect("list").leases;
    assert!(!listed.contains(&granted[2]) && listed.contains(&granted[3]));
}

pub(crate) async fn revoking_an_unknown_lease_is_rejected(subject: &Subject<'_>) {
    let error = subject.leases().revoke(random_id()).await.expect_err("no such lease");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some(Code::LeaseNotFound)));
    assert!(error.is_lease_not_found());
    assert_eq!(error.outcome(), Outcome::NotApplied);
}

pub(crate) async fn an_expired_lease_takes_its_keys_along(subject: &Subject<'_>) {
    let lease = subject.leases().grant(Duration::from_secs(1)).await.expect("grant");
    subject.put("k", "v").lease(lease.id).await.expect("put");
    eventually("the key is gone", async || subject.read("k").await.is_none()).await;
    assert_eq!(subject.leases().time_to_live(lease.id).await.expect("asked").ttl, None);
}

pub(crate) async fn a_key_put_without_its_lease_survives_it(subject: &Subject<'_>) {
    let id = subject.granted().await;
    subject.put("k", "v").lease(id).await.expect("put");
    subject.write("k", "w").await;
    assert!(subject.leases().time_to_live(id).keys().await.expect("asked").keys.is_empty());
    subject.leases().revoke(id).await.expect("revoke");
    assert_eq!(subject.value("k").await.as_deref(), Some("w"));
}

pub(crate) async fn one_renewal_gives_the_whole_time_again(subject: &Subject<'_>) {
    let id = subject.granted().await;
    let renewed = subject.leases().keep_alive_once(id).await.expect("renewed");
    assert_eq!((renewed.id, renewed.ttl), (id, LONG));
    let error = subject.leases().keep_alive_once(random_id()).await.expect_err("no such lease");
    assert_eq!(error.code(), Some(Code::LeaseNotFound));
}

pub(crate) async fn a_kept_lease_outlives_its_time_and_is_revoked(subject: &Subject<'_>) {
    let kept = subject.leases().grant(Duration::from_secs(2)).keep_alive().await.expect("granted");
    let first = kept.deadline();
    subject.put("k", "v").lease(kept.id()).await.expect("put");
    eventually("its first time is over", async || first.elapsed() > Duration::from_secs(1)).await;
    assert!(!kept.is_lost() && kept.deadline() > first);
    assert!(subject.read("k").await.is_some());
    kept.revoke().await.expect("revoked");
    assert!(subject.read("k").await.is_none());
}

pub(crate) async fn a_kept_lease_that_is_revoked_elsewhere_is_lost(subject: &Subject<'_>) {
    let granted = subject.leases().grant(Duration::from_secs(3)).await.expect("granted");
    let kept = subject.leases().keep_alive(granted.id).await.expect("kept");
    subject.leases().revoke(granted.id).await.expect("revoked");
    assert_eq!(kept.lost().await.reason(), LeaseLostReason::NotFound);
}
