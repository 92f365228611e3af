//! Delete, with each form of range.

use etcd_client_core::Delete;

use super::Subject;

const KEYS: [&str; 5] = ["a", "b", "c", "c/abc", "d"];

async fn written(subject: &Subject<'_>) {
    for key in KEYS {
        subject.write(key, key).await;
    }
}

pub(crate) async fn each_range_form(subject: &Subject<'_>) {
    let rows: [(&str, Delete, u64, &[&str]); 9] = [
        ("one key", Delete::new("a"), 1, &["b", "c", "c/abc", "d"]),
        ("a missing key", Delete::new("nothing"), 0, &KEYS),
        ("from the first key", Delete::new("a").from_key(), 5, &[]),
        ("a range", Delete::new("a").range_end("c"), 2, &["c", "c/abc", "d"]),
        ("a prefix", Delete::new("c").prefix(), 2, &["a", "b", "d"]),
        ("the empty prefix", Delete::new("").prefix(), 5, &[]),
        ("from a key in the middle", Delete::new("c").from_key(), 3, &["a", "b"]),
        ("from the empty key", Delete::new("").from_key(), 5, &[]),
        ("all keys", Delete::new("").all_keys(), 5, &[]),
    ];
    for (name, delete, deleted, survivors) in rows {
        written(subject).await;
        let before = subject.revision().await;
        let response = delete.bind(subject.kv).await.expect(name);
        assert_eq!(response.deleted, deleted, "{name}");
        assert!(response.prev_kvs.is_empty(), "{name}");
        let one_more = if deleted > 0 { before.next() } else { before };
        assert_eq!(response.header.revision, one_more, "{name}: one revision for all keys");
        let left = subject.get("").all_keys().await.expect("get");
        assert_eq!(subject.names(&left.kvs), survivors, "{name}");
    }
}

pub(crate) async fn prev_kvs_are_the_deleted_pairs(subject: &Subject<'_>) {
    written(subject).await;
    let there = subject.get("c").prefix().await.expect("get").kvs;
    let response = subject.delete("c").prefix().prev_kv().await.expect("delete");
    assert_eq!((response.deleted, response.prev_kvs), (2, there));
    let nothing = subject.delete("c").prefix().prev_kv().await.expect("delete");
    assert_eq!((nothing.deleted, nothing.prev_kvs.len()), (0, 0));
}

pub(crate) async fn deleting_nothing_changes_no_revision(subject: &Subject<'_>) {
    let before = subject.write("a", "1").await;
    let response = subject.delete("b").from_key().await.expect("delete");
    assert_eq!((response.deleted, response.header.revision), (0, before));
    assert_eq!(subject.revision().await, before);
    assert_eq!(subject.delete("a").await.expect("delete").header.revision, before.next());
}
