//! The conditions of a Txn on one key.

use etcd_client_core::{Compare, LeaseId, Revision, txn::CompareSubject, types::Version};

use super::Subject;

pub(crate) async fn holds(subject: &Subject<'_>, compare: Compare) -> bool {
    subject.txn().when(compare).await.expect("txn").succeeded()
}

/// Compares with something lower, the same and something higher, by every operator.
async fn assert_ordered<T: Clone + Send + Sync>(
    subject: &Subject<'_>,
    what: &str,
    compared: impl Fn() -> CompareSubject<T> + Sync,
    [lower, same, higher]: [T; 3],
) {
    for (operand, order) in [(lower, 1), (same, 0), (higher, -1)] {
        let operand = || operand.clone();
        assert_eq!(holds(subject, compared().equal(operand())).await, order == 0, "{what} = ({order})");
        assert_eq!(holds(subject, compared().not_equal(operand())).await, order != 0, "{what} != ({order})");
        assert_eq!(holds(subject, compared().greater(operand())).await, order > 0, "{what} > ({order})");
        assert_eq!(holds(subject, compared().less(operand())).await, order < 0, "{what} < ({order})");
    }
}

pub(crate) async fn every_target_and_operator(subject: &Subject<'_>) {
    let id = subject.granted().await;
    let around = |revision: Revision| [-1, 0, 1].map(|by| Revision::new(revision.get() + by));
    let created = subject.write("k", "a").await;
    let changed = subject.put("k", "m").lease(id).await.expect("put").header.revision;
    let key = || subject.key("k");
    let values = ["l", "m", "n"].map(Into::into);
    assert_ordered(subject, "value", || Compare::value(key()), values).await;
    assert_ordered(subject, "version", || Compare::version(key()), [1, 2, 3].map(Version::new)).await;
    assert_ordered(subject, "created", || Compare::create_revision(key()), around(created)).await;
    assert_ordered(subject, "modified", || Compare::mod_revision(key()), around(changed)).await;
    let leases = [-1, 0, 1].map(|by| LeaseId::new(id.get().saturating_add(by)));
    assert_ordered(subject, "lease", || Compare::lease(key()), leases).await;
    assert!(holds(subject, Compare::exists(key())).await);
    assert!(!holds(subject, Compare::missing(key())).await);
}

pub(crate) async fn a_missing_key_compares_as_zero(subject: &Subject<'_>) {
    let key = || subject.key("missing");
    let below_and_above = |of: fn(i64) -> Revision| [of(-1), of(0), of(1)];
    let versions = [-1, 0, 1].map(Version::new);
    assert_ordered(subject, "version", || Compare::version(key()), versions).await;
    let revisions = || below_and_above(Revision::new);
    assert_ordered(subject, "created", || Compare::create_revision(key()), revisions()).await;
    assert_ordered(subject, "modified", || Compare::mod_revision(key()), revisions()).await;
    let leases = [LeaseId::new(-1), None, LeaseId::new(1)];
    assert_ordered(subject, "lease", || Compare::lease(key()), leases).await;
    assert!(holds(subject, Compare::missing(key())).await);
    assert!(!holds(subject, Compare::exists(key())).await);
}

pub(crate) async fn a_value_compare_fails_on_a_missing_key(subject: &Subject<'_>) {
    let value = || Compare::value(subject.key("missing"));
    for compare in [value().equal(""), value().not_equal("x"), value().greater(""), value().less("z")] {
        assert!(!holds(subject, compare.clone()).await, "{compare:?}");
    }
}
