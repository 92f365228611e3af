//! The conditions of a Txn on a range of keys.

use etcd_client_core::Compare;

use super::{Subject, compare::holds};

pub(crate) async fn a_prefix_must_hold_for_all_keys(subject: &Subject<'_>) {
    let created = subject.write("d/1", "v").await;
    subject.write("d/2", "v").await;
    let last = subject.write("d/2", "v").await;
    let all = |compare: Compare| compare.prefix();
    let key = || subject.key("d/");
    for (compare, expected) in [
        (Compare::value(key()).equal("v"), true),
        (Compare::value(key()).not_equal("v"), false),
        (Compare::version(key()).greater(0), true),
        (Compare::version(key()).equal(1), false),
        (Compare::version(key()).equal(2), false),
        (Compare::version(key()).less(3), true),
        (Compare::create_revision(key()).equal(created), false),
        (Compare::mod_revision(key()).less(last.next()), true),
        (Compare::mod_revision(key()).less(last), false),
        (Compare::lease(key()).equal(None), true),
    ] {
        assert_eq!(holds(subject, all(compare.clone())).await, expected, "{compare:?}");
    }
}

pub(crate) async fn a_range_end_bounds_the_compare(subject: &Subject<'_>) {
    subject.write("a", "1").await;
    subject.write("b", "1").await;
    subject.write("c", "2").await;
    let ones = || Compare::value(subject.key("a")).equal("1");
    assert!(holds(subject, ones().range_end(subject.key("c"))).await);
    assert!(!holds(subject, ones().range_end(subject.key("d"))).await);
    assert!(!holds(subject, Compare::value(subject.key("c")).equal("1").range_end(subject.key("d"))).await);
}

pub(crate) async fn an_empty_range_compares_as_zero(subject: &Subject<'_>) {
    let key = || subject.key("none/");
    for (compare, expected) in [
        (Compare::version(key()).equal(0), true),
        (Compare::version(key()).greater(0), false),
        (Compare::create_revision(key()).equal(0), true),
        (Compare::mod_revision(key()).less(1), true),
        (Compare::lease(key()).equal(None), true),
        (Compare::value(key()).equal(""), false),
        (Compare::value(key()).not_equal("x"), false),
    ] {
        assert_eq!(holds(subject, compare.clone().prefix()).await, expected, "{compare:?}");
    }
}
