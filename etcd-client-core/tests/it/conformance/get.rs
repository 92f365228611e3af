//! Get, with each of its options and their combinations.

use etcd_client_core::{
    Code, Get, KeyValue, Revision,
    kv::{SortOrder, SortTarget},
    types::Version,
};

use super::Subject;

/// Written in this order, so that no two of the five sort targets give the same order.
const WRITES: [(&str, &str); 8] = [
    ("c", "10"),
    ("a", "60"),
    ("fop", "15"),
    ("b", "50"),
    ("c", "20"),
    ("foo/abc", "25"),
    ("foo", "40"),
    ("c", "30"),
];

const BY_KEY: &[&str] = &["a", "b", "c", "foo", "foo/abc", "fop"];

async fn written(subject: &Subject<'_>) -> Vec<Revision> {
    let mut revisions = Vec::new();
    for (key, value) in WRITES {
        revisions.push(subject.write(key, value).await);
    }
    revisions
}

/// What is asked for, and the keys, `more` and count of the answer.
type Row = (&'static str, Get, &'static [&'static str], bool, u64);

fn ranges(at: &[Revision]) -> Vec<Row> {
    let all = || Get::new("").all_keys();
    vec![
        ("one key", Get::new("a"), &["a"], false, 1),
        ("a missing key", Get::new("zzz"), &[], false, 0),
        ("all keys", all(), BY_KEY, false, 6),
        ("from the first key", Get::new("a").from_key(), BY_KEY, false, 6),
        ("from the empty key", Get::new("").from_key(), BY_KEY, false, 6),
        ("the empty prefix", Get::new("").prefix(), BY_KEY, false, 6),
        ("a range", Get::new("a").range_end("c"), &["a", "b"], false, 2),
        ("a range between keys", Get::new("aa").range_end("foo/"), &["b", "c", "foo"], false, 3),
        ("an inverted range", Get::new("c").range_end("a"), &[], false, 0),
        ("a prefix that is a key", Get::new("foo").prefix(), &["foo", "foo/abc"], false, 2),
        ("a prefix that is no key", Get::new("foo/").prefix(), &["foo/abc"], false, 1),
        ("from a key in the middle", Get::new("foo").from_key(), &["foo", "foo/abc", "fop"], false, 3),
        ("from behind the last key", Get::new("g").from_key(), &[], false, 0),
        ("a limit", all().limit(2), &["a", "b"], true, 6),
        ("a limit of as many", all().limit(6), BY_KEY, false, 6),
        ("a limit of more", all().limit(100), BY_KEY, false, 6),
        ("the first revision", all().revision(at[0]), &["c"], false, 1),
        ("a revision in the middle", all().revision(at[3]), &["a", "b", "c", "fop"], false, 4),
        ("the last revision", all().revision(at[7]), BY_KEY, false, 6),
        ("a revision and a limit", all().revision(at[3]).limit(3), &["a", "b", "c"], true, 4),
        ("from a modification on", all().min_mod_revision(at[5]), &["c", "foo", "foo/abc"], false, 6),
        ("up to a modification", all().max_mod_revision(at[2]), &["a", "fop"], false, 6),
        ("from a creation on", all().min_create_revision(at[3]), &["b", "foo", "foo/abc"], false, 6),
        ("up to a creation", all().max_create_revision(at[1]), &["a", "c"], false, 6),
        (
            "between modifications",
            all().min_mod_revision(at[3]).max_mod_revision(at[5]),
            &["b", "foo/abc"],
            false,
            6,
        ),
        ("a filter and a limit", all().min_mod_revision(at[5]).limit(1), &["c"], true, 6),
    ]
}

fn sorts() -> Vec<Row> {
    use SortOrder::{Ascend, Descend};
    use SortTarget::{CreateRevision, Key, ModRevision, Value};
    let sorted = |target, order| Get::new("").prefix().sort(target, order);
    vec![
        ("key up", sorted(Key, Ascend), BY_KEY, false, 6),
        ("key down", sorted(Key, Descend), &["fop", "foo/abc", "foo", "c", "b", "a"], false, 6),
        ("created up", sorted(CreateRevision, Ascend), &["c", "a", "fop", "b", "foo/abc", "foo"], false, 6),
        (
            "created down",
            sorted(CreateRevision, Descend),
            &["foo", "foo/abc", "b", "fop", "a", "c"],
            false,
            6,
        ),
        ("modified up", sorted(ModRevision, Ascend), &["a", "fop", "b", "foo/abc", "foo", "c"], false, 6),
        ("modified down", sorted(ModRevision, Descend), &["c", "foo", "foo/abc", "b", "fop", "a"], false, 6),
        ("value up", sorted(Value, Ascend), &["fop", "foo/abc", "c", "foo", "b", "a"], false, 6),
        ("value down", sorted(Value, Descend), &["a", "b", "foo", "c", "foo/abc", "fop"], false, 6),
        ("a sort and a limit", sorted(Value, Descend).limit(2), &["a", "b"], true, 6),
        ("the most versions", sorted(SortTarget::Version, Descend).limit(1), &["c"], true, 6),
        ("the first key", Get::new("f").first_key(), &["foo"], true, 3),
        ("the last key", Get::new("f").last_key(), &["fop"], true, 3),
        ("the first created", Get::new("").first_create(), &["c"], true, 6),
        ("the last created", Get::new("").last_create(), &["foo"], true, 6),
        ("the first modified", Get::new("").first_revision(), &["a"], true, 6),
        ("the last modified", Get::new("").last_revision(), &["c"], true, 6),
    ]
}

pub(crate) async fn every_combination_of_options(subject: &Subject<'_>) {
    let revisions = written(subject).await;
    let rows: Vec<Row> = ranges(&revisions).into_iter().chain(sorts()).collect();
    for (name, get, keys, more, count) in rows {
        for (get, has_values) in
            [(get.clone(), true), (get.clone().serializable(), true), (get.clone().keys_only(), false)]
        {
            let got = get.bind(subject.kv).await.expect(name);
            assert_eq!(
                (subject.names(&got.kvs), got.more, got.count),
                (keys.iter().map(ToString::to_string).collect(), more, count),
                "{name}"
            );
            assert!(got.kvs.iter().all(|kv| kv.value.is_empty() != has_values), "{name}");
        }
        let counted = get.count_only();
        for get in [counted.clone(), counted.keys_only()] {
            let got = get.bind(subject.kv).await.expect(name);
            assert_eq!((got.kvs.len(), got.count), (0, count), "{name}, only counted");
        }
    }
}

pub(crate) async fn fields_determine_the_history(subject: &Subject<'_>) {
    let at = written(subject).await;
    let kv = subject.read("c").await.expect("the key");
    assert_eq!((kv.create_revision, kv.mod_revision, kv.version), (at[0], at[7], Version::new(3)));
    let earlier = subject.get("c").revision(at[5]).await.expect("get");
    assert_eq!(earlier.header.revision, at[7], "the header tells of now");
    let kv = earlier.into_first().expect("the key");
    assert_eq!((kv.value_str(), kv.mod_revision, kv.version), (Ok("20"), at[4], Version::new(2)));
    let versions = |kvs: &[KeyValue]| kvs.iter().map(|kv| kv.version.get()).collect::<Vec<_>>();
    let up = subject.get("").prefix().sort(SortTarget::Version, SortOrder::Ascend).await.expect("get");
    assert_eq!(versions(&up.kvs), [1, 1, 1, 1, 1, 3]);
    let down = subject.get("").prefix().sort(SortTarget::Version, SortOrder::Descend).await.expect("get");
    assert_eq!(versions(&down.kvs), [3, 1, 1, 1, 1, 1]);
    let error = subject.get("c").revision(at[7].next()).await.expect_err("a future revision");
    assert_eq!(error.code(), Some(Code::FutureRev));
}

pub(crate) async fn the_whole_keyspace_in_key_order(subject: &Subject<'_>) {
    let at = written(subject).await;
    let sorted = subject.get("\0").from_key().sort(SortTarget::Key, SortOrder::Ascend).await.expect("get");
    assert_eq!(subject.names(&sorted.kvs), BY_KEY);
    let modified: Vec<Revision> = sorted.kvs.iter().map(|kv| kv.mod_revision).collect();
    assert_eq!(modified, [at[1], at[3], at[7], at[6], at[5], at[2]]);
    assert_eq!(sorted.header.revision, at[7]);
}
