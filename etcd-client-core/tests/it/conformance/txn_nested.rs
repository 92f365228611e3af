//! Txns inside of Txns.

use etcd_client_core::{Compare, Get, Put, Txn};

use super::Subject;

pub(crate) async fn the_response_has_the_shape_of_the_request(subject: &Subject<'_>) {
    subject.write("k", "1").await;
    let innermost = Txn::new()
        .when(Compare::missing(subject.key("k")))
        .or_else((Put::new(subject.key("deep"), "x"), Get::new(subject.key("deep"))));
    let inner =
        Txn::new().when(Compare::exists(subject.key("k"))).then((Get::new(subject.key("k")), innermost));
    let txn = subject
        .txn()
        .when(Compare::value(subject.key("k")).equal("1"))
        .then((inner, Put::new(subject.key("flat"), "y")))
        .await
        .expect("txn");
    assert!(txn.succeeded());
    assert_eq!(txn.responses().len(), 2, "one for each operation of the branch");
    let inner = txn.responses()[0].as_txn().expect("a txn");
    assert!(inner.succeeded());
    assert_eq!(inner.responses()[0].as_get().expect("a get").kvs[0].value, "1");
    let innermost = inner.responses()[1].as_txn().expect("a txn");
    assert!(!innermost.succeeded());
    assert_eq!(innermost.responses()[1].as_get().expect("a get").kvs[0].value, "x");
    assert!(txn.responses()[1].as_put().is_some());
    for (key, value) in [("deep", "x"), ("flat", "y")] {
        let kv = subject.read(key).await.expect("written");
        assert_eq!((kv.value_str(), kv.mod_revision), (Ok(value), txn.header.revision));
    }
}

/// Since the nested Txn is evaluated before anything is applied, its compares see the store of before.
pub(crate) async fn nested_compares_see_earlier_writes(subject: &Subject<'_>) {
    let nested = Txn::new()
        .when(Compare::value(subject.key("k")).equal("new"))
        .then(Put::new(subject.key("seen"), "new"))
        .or_else(Put::new(subject.key("seen"), "old"));
    let txn = subject.txn().then((Put::new(subject.key("k"), "new"), nested)).await.expect("txn");
    let nested = txn.responses()[1].as_txn().expect("a txn");
    assert_eq!(subject.value("seen").await.as_deref(), Some(if nested.succeeded() { "new" } else { "old" }));
    assert!(!nested.succeeded(), "every compare is evaluated before anything is applied");
}
