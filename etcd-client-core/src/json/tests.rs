//! Tests of the conversion and of the kept values.

use std::{collections::BTreeMap, sync::Arc};

use etcd_errors::{Error, ErrorKind};
use serde::Deserialize;

use crate::{
    json::{
        Json,
        codec::{decode, encode},
        events::JsonEvent,
        reading::{EachKey, OneKey},
    },
    types::{Event, Key, KeyValue},
};

#[derive(Debug, Deserialize, PartialEq)]
struct Settings {
    port: u16,
}

fn at(key: &str, value: &str, revision: i64) -> KeyValue {
    KeyValue::new(key, value).with_revisions(1, revision)
}

fn rejection(value: &str) -> String {
    let error = decode::<Settings>(&at("k", value, 7)).expect_err("invalid");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    error.to_string()
}

#[test]
fn errors_name_the_key_and_no_value() {
    assert!(rejection("{}").contains(r#""k" at revision 7 is not valid: missing field `port`"#));
    for value in
        [r#"{"port": "s3cret"}"#, r#"{"port": 4711471147}"#, r#""s3cret""#, "s3cret", "{\"port\": 1} s3cret"]
    {
        let text = rejection(value);
        assert!(!text.contains("s3cret") && !text.contains("4711"), "{text}");
        assert!(text.contains("line 1"), "{text}");
    }
    let shown = format!("{:?}", Json::<String>::decode(KeyValue::new("k", "\"s3cret\"")).expect("valid"));
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn unwritable_value_is_an_invalid_request() {
    let error = encode(&BTreeMap::from([(vec![1], 1)])).expect_err("keys must be text");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("value")));
}

#[test]
fn events_are_typed() {
    let put = |value| JsonEvent::<u32>::decode(Event::put(at("k", value, 5)));
    assert!(matches!(put("7"), JsonEvent::Put(json) if json.value == 7 && json.kv.mod_revision == 5));
    assert!(matches!(put("x"), JsonEvent::Invalid { .. }));
    let gone = JsonEvent::<u32>::decode(Event::delete(at("k", "", 6)));
    assert!(matches!(gone, JsonEvent::Deleted(event) if event.kv.mod_revision == 6));
}

/// Returns the value and the text of the error.
fn shown<T: Clone>((value, error): (Option<Arc<T>>, Option<Error>)) -> (Option<T>, Option<String>) {
    (value.map(|value| (*value).clone()), error.map(|error| error.to_string()))
}

#[test]
fn last_valid_value_of_a_key_is_kept() {
    let mut reading = OneKey::new("k".into());
    let missing = reading.decode::<u32>(None, None);
    assert_eq!(shown(missing), (None, Some("the key \"k\" does not exist".to_owned())));
    let (first, error) = reading.decode::<u32>(Some(&at("k", "7", 2)), None);
    assert!(error.is_none());
    let (kept, error) = reading.decode(Some(&at("k", "bad", 3)), first.as_ref());
    assert!(error.is_some_and(|error| error.to_string().contains("revision 3")));
    let (gone, error) = reading.decode(None, kept.as_ref());
    assert!(error.is_some());
    assert_eq!(gone.as_deref(), Some(&7));
    let (next, error) = reading.decode(Some(&at("k", "8", 5)), gone.as_ref());
    assert_eq!((next.as_deref(), error.is_none()), (Some(&8), true));
}

#[test]
fn unchanged_key_is_not_decoded_again() {
    let mut reading = OneKey::new("k".into());
    let (first, _) = reading.decode::<u32>(Some(&at("k", "7", 2)), None);
    let (again, _) = reading.decode(Some(&at("k", "7", 2)), first.as_ref());
    assert!(Arc::ptr_eq(&first.expect("valid"), &again.expect("valid")));
    let (_, error) = reading.decode::<u32>(Some(&at("k", "bad", 3)), None);
    let (_, again) = reading.decode::<u32>(Some(&at("k", "bad", 3)), None);
    assert!(error.is_some() && again.is_some(), "the problem stays");
}

#[test]
fn restored_key_is_read_again_at_any_revision() {
    let mut reading = OneKey::new("k".into());
    let (first, _) = reading.decode::<u32>(Some(&at("k", "7", 20)), None);
    let (restored, _) = reading.decode(Some(&at("k", "5", 4)), first.as_ref());
    assert_eq!(restored.as_deref(), Some(&5));
    // A restored store may reach the same revision with another value.
    let (other, _) = reading.decode(Some(&at("k", "6", 4)), restored.as_ref());
    assert_eq!(other.as_deref(), Some(&6));
}

#[test]
fn keys_of_a_prefix_are_kept_and_removed_one_by_one() {
    let mut reading = EachKey::default();
    let kvs = [at("a", "1", 2), at("b", "bad", 3), at("c", "3", 4)];
    let (first, error) = reading.decode::<u32>(kvs.iter(), None);
    assert!(error.is_some_and(|error| error.to_string().contains("\"b\"")));
    let kvs = [at("a", "bad", 5), at("b", "2", 6)];
    let (second, error) = reading.decode(kvs.iter(), first.as_ref());
    assert!(error.is_some_and(|error| error.to_string().contains("\"a\"")));
    let values: Vec<(Key, u32)> =
        second.expect("a map").iter().map(|(key, value)| (key.clone(), **value)).collect();
    assert_eq!(values, [("a".into(), 1), ("b".into(), 2)]);
}
