//! Random Txns for property tests, over so few keys that they often collide.

use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    kv::{Delete, Get, Put},
    txn::{Compare, Op, Txn},
};

const KEYS: [&str; 7] = ["\0", "a", "a\0", "b", "c", "d", "e"];

/// A Txn nested up to four levels deep.
pub(crate) fn txn() -> impl Strategy<Value = Txn> {
    let nested = op().prop_recursive(4, 40, 4, |inner| {
        (vec(inner.clone(), 0..4), vec(inner, 0..4)).prop_map(|(success, failure)| {
            Op::from(Txn::new().when(Compare::exists("a")).then(success).or_else(failure))
        })
    });
    (vec(compare(), 0..3), vec(nested.clone(), 0..5), vec(nested, 0..4))
        .prop_map(|(compares, success, failure)| Txn::new().when(compares).then(success).or_else(failure))
}

fn key() -> impl Strategy<Value = &'static str> {
    select(KEYS.as_slice())
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (key(), any::<bool>()).prop_map(|(key, serializable)| {
            let get = Get::new(key);
            Op::from(if serializable { get.serializable() } else { get })
        }),
        key().prop_map(|key| Op::from(Put::new(key, "v"))),
        delete().prop_map(Op::from),
    ]
}

fn delete() -> impl Strategy<Value = Delete> {
    prop_oneof![
        key().prop_map(Delete::new),
        key().prop_map(|key| Delete::new(key).prefix()),
        key().prop_map(|key| Delete::new(key).from_key()),
        (key(), key()).prop_map(|(key, end)| Delete::new(key).range_end(end)),
        Just(Delete::new("").all_keys()),
    ]
}

fn compare() -> impl Strategy<Value = Compare> {
    prop_oneof![
        key().prop_map(Compare::missing),
        key().prop_map(|key| Compare::value(key).equal("v").prefix()),
        (key(), any::<i64>()).prop_map(|(key, revision)| Compare::mod_revision(key).less(revision)),
    ]
}
