//! A history that keeps every guarantee, and changes of it of which each breaks one.

use super::super::{Limits, Rule, all};
use crate::history::{
    Action, Change, Edge, Event, History, Keys, Nanos, OpId, Previous, Record, Rev, SCHEMA, Value, WatchId,
    WatchRequest,
};

/// The watch of a prefix from a revision on.
const PREFIX: WatchId = WatchId(1);
/// The watch of one key from now on, deletions only.
const DELETIONS: WatchId = WatchId(2);

fn put(revision: i64, key: &str, before: Option<i64>) -> Event {
    let value = |revision: i64| Value::of(format!("v{revision}").as_bytes());
    Event {
        revision: Rev(revision),
        change: Change::Put,
        key: key.to_owned(),
        value: value(revision),
        is_create: before.is_none(),
        lease: None,
        prev: before.map(|revision| Previous { revision: Rev(revision), value: value(revision) }),
    }
}

fn delete(revision: i64, key: &str, before: i64) -> Event {
    let put = put(revision, key, Some(before));
    Event { change: Change::Delete, value: Value::default(), ..put }
}

/// The changes from revision 2 on.
fn log() -> Vec<Event> {
    vec![
        put(2, "a/x", None),
        put(3, "b", None),
        put(4, "a/x", Some(2)),
        put(4, "a/y", None),
        delete(5, "a/x", 4),
        put(6, "a/x", None),
        put(7, "b", Some(3)),
        delete(8, "a/x", 6),
        delete(8, "a/y", 4),
    ]
}

/// The changes of these revisions that begin so.
fn given(revisions: std::ops::RangeInclusive<i64>, prefix: &str) -> Vec<Event> {
    let wanted = |event: &Event| revisions.contains(&event.revision.0) && event.key.starts_with(prefix);
    log().into_iter().filter(wanted).collect()
}

/// The kinds of lines that the changes below look for.
fn history() -> History {
    let raw = log().into_iter().map(|event| Event { prev: None, ..event }).collect::<Vec<_>>();
    let prefix = WatchRequest { from: Some(Rev(3)), prev_kv: true, ..WatchRequest::new(Keys::prefix("a/")) };
    let deletions = WatchRequest { no_put: true, ..WatchRequest::new(Keys::one("a/x")) };
    let bare = |event: Event| Event { prev: None, ..event };
    let events = |watch, events| Edge::WatchEvents { watch, events };
    let edges = [
        Edge::Run { schema: SCHEMA, etcd: String::new(), seed: 0 },
        Edge::WatchRequested { watch: PREFIX, request: prefix },
        Edge::WatchCreated { watch: PREFIX, revision: None },
        Edge::Witness { member: 0, events: raw[..5].to_vec() },
        events(PREFIX, given(3..=5, "a/")),
        Edge::WatchProgress { watch: PREFIX, revision: Rev(5) },
        Edge::WatchRequested { watch: DELETIONS, request: deletions },
        Edge::WatchCreated { watch: DELETIONS, revision: Some(Rev(5)) },
        Edge::Witness { member: 1, events: raw.clone() },
        Edge::Witness { member: 0, events: raw[5..].to_vec() },
        events(PREFIX, given(6..=6, "a/")),
        Edge::WatchProgress { watch: PREFIX, revision: Rev(7) },
        events(PREFIX, given(8..=8, "a/")),
        events(DELETIONS, given(8..=8, "a/x").into_iter().map(bare).collect()),
        Edge::Quiesced { revision: Rev(8) },
        Edge::WatchEnded { watch: PREFIX, reason: "cancelled".to_owned() },
        Edge::WatchEnded { watch: DELETIONS, reason: "cancelled".to_owned() },
    ];
    History::of(edges.into_iter().zip(0..).map(|(edge, t)| Record { t: Nanos(t), edge }).collect())
}

/// Returns the violations of the changed history without repetitions.
fn broken(change: impl FnOnce(&mut Vec<Record>)) -> Vec<Rule> {
    let mut history = history();
    change(history.records_mut());
    let verdict = all(&history, &Limits::default());
    let mut rules: Vec<_> = verdict.violations().iter().map(|violation| violation.rule).collect();
    for violation in verdict.violations() {
        let lines = history.lines().count();
        assert!(!violation.lines.is_empty() && violation.lines.iter().all(|line| (1..=lines).contains(line)));
    }
    rules.sort();
    rules.dedup();
    rules
}

/// The events of the response at this place.
fn events(records: &mut [Record], place: usize) -> &mut Vec<Event> {
    match &mut records[place].edge {
        Edge::WatchEvents { events, .. } | Edge::Witness { events, .. } => events,
        other => panic!("{other:?} has no events"),
    }
}

/// Inserts a response.
fn give(records: &mut Vec<Record>, place: usize, watch: WatchId, events: Vec<Event>) {
    records.insert(place, Record { t: Nanos(0), edge: Edge::WatchEvents { watch, events } });
}

const FIRST: usize = 4;
const SECOND: usize = 10;
const THIRD: usize = 12;
const OF_DELETIONS: usize = 13;

#[test]
fn what_keeps_every_guarantee_is_clean() {
    assert_eq!(broken(|_| {}), []);
    let figures = all(&history(), &Limits::default()).figures();
    assert_eq!((figures.revisions, figures.watches, figures.events, figures.progress), (7, 2, 7, 2));
}

#[test]
fn how_late_a_watch_was_is_told_but_not_judged() {
    let mut history = history();
    // Revision 8 is witnessed at 8 and given at 12, later than it could be.
    history.records_mut()[THIRD].t = Nanos(5_000_000_012);
    let verdict = all(&history, &Limits::default());
    let latest = verdict.lags()[0];
    assert_eq!((latest.watch, latest.line, latest.nanos), (PREFIX, THIRD + 1, Nanos(5_000_000_004)));
    assert!(verdict.is_clean());
}

#[test]
fn a_change_outside_of_the_range_or_left_out_by_a_filter_is_caught() {
    assert_eq!(
        broken(|records| events(records, SECOND).push(put(7, "b", Some(3)))),
        [Rule::Filter, Rule::Reliable]
    );
    let filtered = broken(|records| {
        give(records, OF_DELETIONS, DELETIONS, vec![Event { prev: None, ..put(6, "a/x", None) }])
    });
    assert_eq!(filtered, [Rule::Filter, Rule::Resumable, Rule::Reliable]);
    let unasked =
        broken(|records| events(records, OF_DELETIONS)[0].prev = given(8..=8, "a/x")[0].prev.clone());
    assert_eq!(unasked, [Rule::Filter]);
}

#[test]
fn a_change_before_the_start_is_caught() {
    let early = broken(|records| events(records, FIRST).insert(0, put(2, "a/x", None)));
    assert!(early.contains(&Rule::Filter) && early.contains(&Rule::Resumable), "{early:?}");
}

#[test]
fn revisions_that_go_back_are_caught() {
    let back = broken(|records| events(records, FIRST).rotate_left(2));
    assert_eq!(back, [Rule::Ordered, Rule::Resumable]);
}

#[test]
fn another_order_within_a_revision_is_caught() {
    assert_eq!(broken(|records| events(records, THIRD).reverse()), [Rule::Reliable]);
}

#[test]
fn a_repeated_change_is_caught() {
    let twice = broken(|records| {
        let again = events(records, SECOND).clone();
        events(records, SECOND).extend(again);
    });
    assert_eq!(twice, [Rule::Unique]);
    let later = broken(|records| give(records, THIRD + 1, PREFIX, given(8..=8, "a/")));
    assert_eq!(later, [Rule::Unique]);
}

#[test]
fn a_revision_split_over_responses_is_caught() {
    let split = broken(|records| {
        let rest = events(records, THIRD).split_off(1);
        give(records, THIRD + 1, PREFIX, rest);
    });
    assert_eq!(split, [Rule::Atomic]);
}

#[test]
fn progress_that_is_too_early_is_caught() {
    // Said before the events up to it were given.
    assert_eq!(broken(|records| records.swap(THIRD, THIRD - 1)), [Rule::Bookmarkable]);
    // Said with the events never given.
    let never = broken(|records| {
        records.remove(SECOND);
    });
    assert_eq!(never, [Rule::Reliable]);
}

#[test]
fn progress_that_goes_back_is_caught() {
    let edge = Edge::WatchProgress { watch: PREFIX, revision: Rev(7) };
    let back = broken(|records| records.insert(THIRD + 1, Record { t: Nanos(0), edge }));
    assert_eq!(back, [Rule::Bookmarkable]);
}

#[test]
fn a_watch_from_now_that_gives_what_was_before_is_caught() {
    let before = Event { prev: None, ..delete(5, "a/x", 4) };
    let early = broken(|records| give(records, OF_DELETIONS, DELETIONS, vec![before]));
    assert!(early.contains(&Rule::Bookmarkable), "{early:?}");
}

#[test]
fn a_lost_first_change_is_caught() {
    let lost = broken(|records| drop(events(records, FIRST).remove(0)));
    assert_eq!(lost, [Rule::Resumable, Rule::Reliable]);
}

#[test]
fn a_lost_change_is_caught_wherever_it_was() {
    assert_eq!(broken(|records| drop(events(records, FIRST).pop())), [Rule::Reliable]);
    assert_eq!(broken(|records| drop(events(records, THIRD).pop())), [Rule::Reliable]);
    // The last one, which only the end of the load shows.
    assert_eq!(broken(|records| drop(records.remove(THIRD))), [Rule::Reliable]);
    assert_eq!(broken(|records| drop(records.remove(OF_DELETIONS))), [Rule::Resumable, Rule::Reliable]);
}

#[test]
fn a_watch_from_an_untold_now_misses_nothing_that_was_written_after_it_was_there() {
    // The deletion of revision 8 begins once the watch is there.
    let written = |records: &mut Vec<Record>, t| {
        records[7].edge = Edge::WatchCreated { watch: DELETIONS, revision: None };
        let actions = vec![Action::Delete { keys: Keys::prefix("a/") }];
        records.push(Record { t: Nanos(t), edge: Edge::Invoke { op: OpId(1), actions } });
        let edge = Edge::Ok { op: OpId(1), revision: Rev(8), changed: Some(true) };
        records.push(Record { t: Nanos(99), edge });
        records.remove(OF_DELETIONS);
    };
    assert_eq!(broken(|records| written(records, 9)), [Rule::Reliable]);
    assert_eq!(broken(|records| written(records, 6)), []);
}

#[test]
fn a_change_that_did_not_happen_so_is_caught() {
    let other = broken(|records| events(records, SECOND)[0].value = Value::of(b"other"));
    assert_eq!(other, [Rule::Reliable]);
    let nowhere = broken(|records| events(records, SECOND).push(put(7, "a/z", None)));
    assert_eq!(nowhere, [Rule::Reliable]);
}

#[test]
fn a_wrong_flag_of_creation_is_caught() {
    assert_eq!(broken(|records| events(records, FIRST)[0].is_create = true), [Rule::IsCreate]);
    assert_eq!(broken(|records| events(records, SECOND)[0].is_create = false), [Rule::IsCreate]);
}

#[test]
fn a_wrong_pair_before_is_caught() {
    let value = |value: &[u8]| Some(Previous { revision: Rev(2), value: Value::of(value) });
    assert_eq!(broken(|records| events(records, FIRST)[0].prev = value(b"other")), [Rule::PrevKv]);
    assert_eq!(broken(|records| events(records, SECOND)[0].prev = value(b"v2")), [Rule::PrevKv]);
    let revision = |records: &mut Vec<Record>| {
        events(records, FIRST)[0].prev = Some(Previous { revision: Rev(3), value: Value::of(b"v2") });
    };
    assert_eq!(broken(revision), [Rule::PrevKv]);
}

#[test]
fn a_missing_pair_before_is_caught_unless_history_was_compacted() {
    let missing = |records: &mut Vec<Record>| events(records, THIRD)[0].prev = None;
    assert_eq!(broken(missing), [Rule::PrevKv]);
    let compacted = |revision| {
        broken(|records| {
            missing(records);
            let actions = vec![Action::Compact { revision: Rev(revision) }];
            records.insert(1, Record { t: Nanos(0), edge: Edge::Invoke { op: OpId(1), actions } });
        })
    };
    assert_eq!(compacted(8), []);
    assert_eq!(compacted(7), [Rule::PrevKv]);
}

#[test]
fn what_comes_before_the_creation_or_after_the_end_is_caught() {
    assert_eq!(broken(|records| records.swap(2, FIRST)), [Rule::Ended]);
    assert_eq!(broken(|records| records.swap(OF_DELETIONS, 16)), [Rule::Ended]);
}

#[test]
fn witnesses_that_disagree_or_missed_something_are_named() {
    assert_eq!(broken(|records| events(records, 9)[0].value = Value::of(b"v1")), [Rule::Witness]);
    let missed = broken(|records| {
        events(records, 8).retain(|event| event.revision != Rev(7));
        events(records, 9).retain(|event| event.revision != Rev(7));
    });
    assert_eq!(missed, [Rule::Witness]);
    let beyond = broken(|records| {
        events(records, 8).truncate(7);
        events(records, 9).truncate(2);
    });
    assert!(beyond.contains(&Rule::Witness), "{beyond:?}");
}

/// The watch of the prefix may skip history, and goes from revision 5 to 8 at once.
fn resynced(records: &mut Vec<Record>, events: Vec<Event>) {
    if let Edge::WatchRequested { request, .. } = &mut records[1].edge {
        request.resync = true;
    }
    records.remove(THIRD);
    records.remove(THIRD - 1);
    records[SECOND].edge = Edge::WatchResynced { watch: PREFIX, revision: Rev(8), events };
}

#[test]
fn a_watch_that_skips_history_must_lead_to_the_present() {
    // After revision 5 there is only a/y, which is gone at 8.
    let right = || vec![Event { prev: None, ..delete(8, "a/y", 4) }];
    assert_eq!(broken(|records| resynced(records, right())), []);
    assert_eq!(broken(|records| resynced(records, Vec::new())), [Rule::Resynced]);
    let more = || [right(), vec![put(7, "a/x", None)]].concat();
    assert_eq!(broken(|records| resynced(records, more())), [Rule::Resynced]);
    let unasked = broken(|records| {
        resynced(records, right());
        if let Edge::WatchRequested { request, .. } = &mut records[1].edge {
            request.resync = false;
        }
    });
    assert_eq!(unasked, [Rule::Resynced]);
}
