//! Txn: which branch is applied, in which order, at which revision.

use etcd_client_core::{Code, Compare, Delete, ErrorKind, Get, LeaseId, Outcome, Put, txn::OpResponse};

use super::Subject;

pub(crate) async fn the_success_branch_is_applied(subject: &Subject<'_>) {
    subject.write("k", "1").await;
    let txn = subject
        .txn()
        .when(Compare::value(subject.key("k")).equal("1"))
        .then((Put::new(subject.key("k"), "2").prev_kv(), Get::new(subject.key("k"))))
        .or_else(Delete::new(subject.key("k")))
        .await
        .expect("txn");
    assert!(txn.succeeded());
    assert_eq!(txn.responses().len(), 2);
    let put = txn.responses()[0].as_put().expect("a put");
    assert_eq!(put.prev_kv.as_ref().expect("it was there").value, "1");
    assert_eq!(txn.responses()[1].as_get().expect("a get").kvs[0].value, "2");
    assert_eq!(subject.value("k").await.as_deref(), Some("2"));
}

pub(crate) async fn the_failure_branch_is_applied(subject: &Subject<'_>) {
    subject.write("k", "1").await;
    let txn = subject
        .txn()
        .when(Compare::value(subject.key("k")).equal("other"))
        .then(Put::new(subject.key("k"), "2"))
        .or_else(Delete::new(subject.key("k")).prev_kv())
        .await
        .expect("txn");
    assert!(!txn.succeeded());
    let [OpResponse::Delete(deleted)] = txn.responses() else { panic!("{txn:?}") };
    assert_eq!((deleted.deleted, deleted.prev_kvs.len()), (1, 1));
    assert_eq!(subject.value("k").await, None);
}

pub(crate) async fn all_compares_must_hold(subject: &Subject<'_>) {
    subject.write("k", "1").await;
    let holds = || Compare::value(subject.key("k")).equal("1");
    let fails = || Compare::version(subject.key("k")).greater(1);
    for (compares, expected) in [
        (vec![], true),
        (vec![holds(), holds()], true),
        (vec![holds(), fails()], false),
        (vec![fails(), holds()], false),
    ] {
        let txn = subject.txn().when(compares.clone()).then(Get::new(subject.key("k"))).await.expect("txn");
        assert_eq!(txn.succeeded(), expected, "{compares:?}");
        assert_eq!(txn.responses().len(), usize::from(expected), "{compares:?}");
    }
}

pub(crate) async fn operations_run_in_order_at_one_revision(subject: &Subject<'_>) {
    let before = subject.write("k", "old").await;
    let key = || subject.key("k");
    let txn = subject
        .txn()
        .then((
            Get::new(key()),
            Put::new(key(), "new"),
            Get::new(key()),
            Put::new(subject.key("other"), ""),
            Delete::new(subject.key("gone")),
            Get::new(key()).revision(before),
        ))
        .await
        .expect("txn");
    let [first, second, third, fourth, fifth, sixth] = txn.responses() else { panic!("{txn:?}") };
    assert_eq!(first.as_get().expect("a get").kvs[0].value, "old");
    assert_eq!(third.as_get().expect("a get").kvs[0].value, "new");
    assert_eq!(sixth.as_get().expect("a get").kvs[0].value, "old");
    assert_eq!(fifth.as_delete().expect("a delete").deleted, 0);
    assert!(second.as_put().is_some() && fourth.as_put().is_some());
    let (k, other) = (subject.read("k").await.expect("put"), subject.read("other").await.expect("put"));
    assert_eq!((k.mod_revision, other.mod_revision), (txn.header.revision, txn.header.revision));
    assert_eq!(third.header().revision, txn.header.revision);
    assert!(first.header().revision < txn.header.revision, "read before the first write");
    assert_eq!(first.header().member_id, txn.header.member_id, "the outer header completes the inner ones");
}

pub(crate) async fn without_compares_the_success_branch_is_applied(subject: &Subject<'_>) {
    let txn = subject.txn().then(Put::new(subject.key("k"), "v")).or_else(Get::new("no")).await.expect("txn");
    assert!(txn.succeeded());
    assert_eq!(subject.value("k").await.as_deref(), Some("v"));
    let nothing = subject.txn().await.expect("an empty txn");
    assert!(nothing.succeeded() && nothing.responses().is_empty());
}

pub(crate) async fn a_lone_compare_has_no_responses(subject: &Subject<'_>) {
    for compare in [Compare::exists(subject.key("k")), Compare::missing(subject.key("k"))] {
        let txn = subject.txn().when(compare.clone()).await.expect("txn");
        assert_eq!(txn.responses(), [], "{compare:?}");
        let serializable = subject.txn().when(compare.clone()).serializable().await.expect("txn");
        assert_eq!((serializable.succeeded(), serializable.responses().len()), (txn.succeeded(), 0));
    }
    let stale = subject
        .txn()
        .when(Compare::missing(subject.key("k")))
        .then(Get::new(subject.key("k")).serializable())
        .await
        .expect("txn");
    assert_eq!(stale.responses().len(), 1, "only what was asked for");
}

pub(crate) async fn a_rejected_operation_applies_nothing(subject: &Subject<'_>) {
    let unknown = LeaseId::new(fastrand::i64(1..)).expect("not zero");
    let error = subject
        .txn()
        .then((Put::new(subject.key("a"), "v"), Put::new(subject.key("b"), "v").lease(unknown)))
        .await
        .expect_err("no such lease");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some(Code::LeaseNotFound)));
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!(subject.read("a").await, None);
    let touch = subject.txn().then((Put::new(subject.key("a"), "v"), Put::touch(subject.key("b"))));
    assert_eq!(touch.await.expect_err("no such key").code(), Some(Code::KeyNotFound));
    assert_eq!(subject.read("a").await, None);
}

pub(crate) async fn an_inverted_range_is_empty(subject: &Subject<'_>) {
    let at = subject.write("a", "1").await;
    subject.write("b", "2").await;
    let inverted = || Get::new(subject.key("b")).range_end(subject.key("a"));
    let txn = subject.txn().then((inverted(), Get::new(subject.key("a")).revision(at))).await.expect("txn");
    assert!(txn.responses()[0].as_get().expect("a get").kvs.is_empty());
    let future = subject.txn().then(Get::new(subject.key("a")).revision(i64::MAX)).await;
    assert_eq!(future.expect_err("a future revision").code(), Some(Code::FutureRev));
}

pub(crate) async fn a_read_only_txn_changes_no_revision(subject: &Subject<'_>) {
    let before = subject.write("k", "1").await;
    for txn in [
        subject.txn(),
        subject.txn().then(Get::new("k")),
        subject.txn().when(Compare::exists("k")),
        subject.txn().when(Compare::missing("k")).then(Put::new("k", "2")),
        subject.txn().then(Delete::new("nothing")),
    ] {
        let response = txn.await.expect("txn");
        assert_eq!(response.header.revision, before);
    }
    assert_eq!(subject.revision().await, before);
}

pub(crate) async fn a_txn_answers_with_the_revision_it_made(subject: &Subject<'_>) {
    let before = subject.write("k", "1").await;
    let txn = subject.txn().when(Compare::exists("k")).then((Put::new("k", "2"), Delete::new("none")));
    assert_eq!(txn.await.expect("txn").header.revision, before.next());
    let failed = subject.txn().when(Compare::missing("k")).or_else(Delete::new("k"));
    assert_eq!(failed.await.expect("txn").header.revision, before.next().next());
}
