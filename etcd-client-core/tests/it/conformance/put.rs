//! Put, with each of its options.

use etcd_client_core::{Code, ErrorKind, LeaseId, Outcome, Put, types::Version};

use super::Subject;

pub(crate) async fn a_put_is_read_back(subject: &Subject<'_>) {
    let revision = subject.write("k", "v").await;
    let got = subject.get("k").await.expect("get");
    let kv = got.first().expect("the key");
    assert_eq!((kv.key_str(), kv.value_str()), (subject.key("k").to_str(), Ok("v")));
    assert_eq!((kv.create_revision, kv.mod_revision, kv.version), (revision, revision, Version::new(1)));
    assert_eq!((got.count, got.more, kv.lease), (1, false, None));
    assert!(got.header.revision >= revision && got.header.raft_term > 0);
    assert!(got.header.cluster_id.get() != 0 && got.header.member_id.get() != 0);
}

pub(crate) async fn an_empty_value_is_a_value(subject: &Subject<'_>) {
    subject.write("k", "").await;
    assert_eq!(subject.value("k").await.as_deref(), Some(""));
    assert_eq!(subject.value("missing").await, None);
}

pub(crate) async fn binary_keys_and_values_are_kept(subject: &Subject<'_>) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    for key in [&every_byte[..], b"\0", b"\xff\xff", b"\xfe\x80"] {
        subject.write(key, &every_byte).await;
        let kv = subject.read(key).await.expect("the key");
        assert_eq!((&kv.key[..], &kv.value[..]), (subject.key(key).as_bytes(), &every_byte[..]));
    }
    let highest = subject.get(b"\xff").prefix().await.expect("get");
    assert_eq!(highest.kvs[0].key, subject.key(b"\xff\xff").as_bytes());
    assert_eq!(highest.count, 1);
}

pub(crate) async fn an_overwrite_counts_versions_and_keeps_the_create_revision(subject: &Subject<'_>) {
    let first = subject.write("k", "1").await;
    subject.write("k", "2").await;
    let third = subject.write("k", "3").await;
    let kv = subject.read("k").await.expect("the key");
    assert_eq!((kv.create_revision, kv.mod_revision, kv.version), (first, third, Version::new(3)));
    subject.delete("k").await.expect("delete");
    let again = subject.write("k", "4").await;
    let kv = subject.read("k").await.expect("the key");
    assert_eq!((kv.create_revision, kv.mod_revision, kv.version), (again, again, Version::new(1)));
}

pub(crate) async fn prev_kv_is_the_replaced_pair(subject: &Subject<'_>) {
    let new = subject.put("k", "1").prev_kv().await.expect("put");
    assert_eq!(new.prev_kv, None);
    let before = subject.read("k").await;
    let overwritten = subject.put("k", "2").prev_kv().await.expect("put");
    assert_eq!(overwritten.prev_kv, before);
    let unasked = subject.put("k", "3").await.expect("put");
    assert_eq!(unasked.prev_kv, None);
}

pub(crate) async fn a_lease_is_attached_and_an_overwrite_detaches_it(subject: &Subject<'_>) {
    let id = subject.granted().await;
    subject.put("k", "v").lease(id).await.expect("put");
    assert_eq!(subject.read("k").await.expect("the key").lease, Some(id));
    subject.write("k", "w").await;
    assert_eq!(subject.read("k").await.expect("the key").lease, None);
    subject.leases().revoke(id).await.expect("revoke");
    assert_eq!(subject.value("k").await.as_deref(), Some("w"));
}

pub(crate) async fn an_unknown_lease_is_rejected(subject: &Subject<'_>) {
    let unknown = LeaseId::new(fastrand::i64(1..)).expect("not zero");
    let error = subject.put("k", "v").lease(unknown).await.expect_err("no such lease");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some(Code::LeaseNotFound)));
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(subject.read("k").await, None);
}

pub(crate) async fn ignore_value_keeps_the_value(subject: &Subject<'_>) {
    let id = subject.granted().await;
    subject.write("k", "v").await;
    Put::touch(subject.key("k")).lease(id).bind(subject.kv).await.expect("put");
    let kv = subject.read("k").await.expect("the key");
    assert_eq!((kv.value_str(), kv.lease, kv.version), (Ok("v"), Some(id), Version::new(2)));
    let error = subject.put("k", "w").ignore_value().await.expect_err("a value is given");
    assert_eq!((error.code(), error.field()), (Some(Code::ValueProvided), Some("value")));
}

pub(crate) async fn ignore_lease_keeps_the_lease(subject: &Subject<'_>) {
    let id = subject.granted().await;
    subject.put("k", "v").lease(id).await.expect("put");
    subject.put("k", "w").ignore_lease().await.expect("put");
    let kv = subject.read("k").await.expect("the key");
    assert_eq!((kv.value_str(), kv.lease), (Ok("w"), Some(id)));
    let error = subject.put("k", "x").lease(id).ignore_lease().await.expect_err("a lease is given");
    assert_eq!((error.code(), error.field()), (Some(Code::LeaseProvided), Some("lease")));
}

pub(crate) async fn ignoring_on_a_missing_key_is_rejected(subject: &Subject<'_>) {
    for put in [subject.put("k", "").ignore_value(), subject.put("k", "v").ignore_lease()] {
        let error = put.await.expect_err("no such key");
        assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some(Code::KeyNotFound)));
        assert_eq!(error.outcome(), Outcome::NotApplied);
    }
    assert_eq!(subject.read("k").await, None);
}
