//! Tests of the copy against a model: random histories, read back at each revision.
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    cache::replica::window::{OutOfWindow, Window},
    types::KeyRange,
};

type Model = BTreeMap<Vec<u8>, KeyValue>;

/// The change of one revision: keys with their new values, or `None` for a deletion.
type Change = Vec<(u8, Option<u8>)>;

fn key(number: u8) -> Vec<u8> {
    format!("k/{number:02}").into_bytes()
}

fn history() -> impl Strategy<Value = Vec<Change>> {
    let change = prop::collection::btree_map(0..12_u8, prop::option::of(any::<u8>()), 1..4);
    prop::collection::vec(change.prop_map(|change| change.into_iter().collect()), 0..40)
}

/// Returns the events of each revision, starting with revision 1, and the model after it.
fn play(history: &[Change]) -> (Vec<Vec<Event>>, Vec<Model>) {
    let (mut events, mut models) = (Vec::new(), vec![Model::new()]);
    for (revision, change) in (1..).zip(history) {
        let mut model = models.last().cloned().unwrap_or_default();
        let mut made = Vec::new();
        for (number, value) in change {
            match value {
                Some(value) => {
                    let created = model.get(&key(*number)).map_or(revision, |kv| kv.create_revision.get());
                    let kv = KeyValue::new(key(*number), [*value]).with_revisions(created, revision);
                    model.insert(key(*number), kv.clone());
                    made.push(Event::put(kv));
                }
                None => {
                    model.remove(&key(*number));
                    made.push(Event::delete(KeyValue::new(key(*number), "").with_revisions(0, revision)));
                }
            }
        }
        events.push(made);
        models.push(model);
    }
    (events, models)
}

fn same(pairs: &Pairs, model: &Model) -> bool {
    pairs.len() == model.len() && pairs.iter().eq(model.values())
}

fn all() -> Span {
    Span::of(&KeyRange::all())
}

fn revision(number: usize) -> Revision {
    Revision::new(i64::try_from(number).expect("small"))
}

proptest! {
    #[test]
    fn each_revision_in_the_window_is_the_models(
        history in history(),
        batch in 1..6_usize,
        capacity in 1..12_usize,
        from in 0..12_u8,
        to in 0..12_u8,
    ) {
        let (events, models) = play(&history);
        let mut window = Window::new(Revision::ZERO, Pairs::default(), capacity);
        // Each batch repeats an earlier revision, as a resumed watch may.
        for batch in events.windows(batch.min(events.len()).max(1)) {
            let made: Vec<Step> = steps(window.latest(), window.revision(), &all(), batch.concat()).collect();
            for step in made {
                window.push(step.revision, step.pairs);
            }
        }
        prop_assert_eq!(window.revision(), revision(events.len()));
        let span = Span::of(&KeyRange::between(key(from), key(to)));
        for (number, model) in models.iter().enumerate() {
            match window.at(revision(number)) {
                Ok(pairs) => {
                    prop_assert!(same(&pairs, model), "at {}", number);
                    let expected = model.values().filter(|kv| span.has(&kv.key));
                    prop_assert!(pairs.range(span.clone()).eq(expected));
                    for number in 0..12 {
                        prop_assert_eq!(pairs.get(&key(number)), model.get(&key(number)));
                    }
                }
                Err(out) => {
                    prop_assert_eq!(out, OutOfWindow::Before);
                    prop_assert!(number + capacity <= events.len(), "{} is kept", number);
                }
            }
        }
        prop_assert_eq!(window.at(revision(events.len() + 1)).err(), Some(OutOfWindow::After));
    }

    #[test]
    fn a_difference_leads_from_one_copy_to_the_other(history in history(), from in 0..40_usize) {
        let (_, models) = play(&history);
        let copy = |model: &Model| {
            let mut pairs = Pairs::default();
            model.values().for_each(|kv| drop(pairs.insert(kv.clone())));
            pairs
        };
        let (from, to) = (copy(&models[from.min(history.len())]), copy(&models[history.len()]));
        let at = revision(history.len() + 1);
        let events = difference(&from, &to, at);
        let mut led = from.clone();
        for event in events.clone() {
            let seen = event.prev_kv.clone();
            prop_assert_eq!(led.apply(event).prev_kv, seen, "the pair before");
        }
        prop_assert!(led.iter().eq(to.iter()));
        prop_assert!(events.is_sorted_by_key(|event| event.kv.key.clone()));
        prop_assert!(events.iter().all(|event| !event.is_delete() || event.revision() == at));
    }
}

#[test]
fn a_revision_is_applied_whole_and_in_order() {
    let put = |name: &str, at: i64| Event::put(KeyValue::new(name, "").with_revisions(at, at));
    let delete = |name: &str, at: i64| Event::delete(KeyValue::new(name, "").with_revisions(0, at));
    let events = vec![
        put("old", 4),
        put("a", 5),
        put("b", 5),
        put("x/", 6),
        delete("a", 7),
        put("late", 6),
        put("c", 8),
    ];
    let span = Span::of(&KeyRange::between("a", "x"));
    let made: Vec<Step> = steps(Pairs::default(), Revision::new(4), &span, events).collect();
    let seen: Vec<_> =
        made.iter().map(|step| (step.revision.get(), step.events.len(), step.pairs.len())).collect();
    assert_eq!(seen, [(5, 2, 2), (7, 1, 1), (8, 1, 2)], "neither repetitions nor foreign keys");
    assert_eq!(made[1].events[0].prev_kv.as_ref().expect("it was there").key, "a");
    assert!(made[0].events[0].prev_kv.is_none());
}

#[test]
fn progress_is_no_state() {
    let mut window = Window::new(Revision::new(5), Pairs::default(), 2);
    window.advance(Revision::new(9));
    window.advance(Revision::new(7));
    assert_eq!(window.revision(), 9);
    assert!(window.at(Revision::new(9)).is_ok() && window.at(Revision::new(5)).is_ok());
    assert_eq!(window.at(Revision::new(4)).err(), Some(OutOfWindow::Before), "listed at 5");
    for revision in [10, 9, 12] {
        window.push(Revision::new(revision), Pairs::default());
    }
    assert_eq!(window.revision(), 12);
    assert_eq!(window.at(Revision::new(9)).err(), Some(OutOfWindow::Before), "two states are kept");
    assert!(window.at(Revision::new(11)).is_ok());
}

#[test]
fn an_inverted_range_is_empty() {
    let mut pairs = Pairs::default();
    pairs.insert(KeyValue::new("k", ""));
    for range in [KeyRange::between("z", "a"), KeyRange::between("k", "k")] {
        assert_eq!(pairs.range(Span::of(&range)).count(), 0);
    }
    assert_eq!(pairs.range(Span::of(&KeyRange::one("k"))).count(), 1);
}

#[test]
fn the_same_revision_of_another_history_is_a_change() {
    let copy = |value: &'static str| {
        let mut pairs = Pairs::default();
        pairs.insert(KeyValue::new("k", value).with_revisions(3, 5));
        pairs.insert(KeyValue::new("same", "s").with_revisions(2, 2));
        pairs
    };
    let events = difference(&copy("lost"), &copy("kept"), revision(9));
    let seen: Vec<_> = events.iter().map(|event| (event.kv.key_str(), event.kv.value_str())).collect();
    assert_eq!(seen, [(Ok("k"), Ok("kept"))]);
    assert!(difference(&copy("kept"), &copy("kept"), revision(9)).is_empty());
}
