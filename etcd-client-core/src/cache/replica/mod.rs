//! A copy of a key range: the effect of events on it, its state at earlier revisions, and the difference between two
//! copies.

pub(crate) mod covered_range;

pub(crate) mod pairs;
#[cfg(test)]
mod tests;
pub(crate) mod window;

pub(crate) use crate::cache::replica::{covered_range::Span, pairs::Pairs};
use crate::types::{Event, EventType, KeyValue, Revision};

/// The effect of one revision.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) revision: Revision,
    /// The events, with the previous pairs even if the watch did not send them.
    pub(crate) events: Vec<Event>,
    /// The copy after this revision.
    pub(crate) pairs: Pairs,
}

/// Applies `events` to `pairs`, revision by revision. Events at or below `at`, the revision of `pairs`, are already
/// included in it and are skipped, as are events outside of `span`.
///
/// The iterator is lazy, so that the caller can pause between two revisions.
pub(crate) fn steps(
    pairs: Pairs,
    at: Revision,
    span: &Span,
    events: Vec<Event>,
) -> impl Iterator<Item = Step> + Send {
    let mut events = events.into_iter().filter(|event| span.has(&event.kv.key));
    let (mut pairs, mut last, mut ahead) = (pairs, at, None);
    std::iter::from_fn(move || {
        // Revisions only grow. An event that goes back is a repetition.
        let first = ahead.take().or_else(|| events.find(|event| event.revision() > last))?;
        last = first.revision();
        let mut applied = vec![pairs.apply(first)];
        for event in events.by_ref() {
            if event.revision() > last {
                ahead = Some(event);
                break;
            }
            if event.revision() == last {
                applied.push(pairs.apply(event));
            }
        }
        Some(Step { revision: last, events: applied, pairs: pairs.clone() })
    })
}

/// Returns the events that lead from one copy to another, in key order. `revision` is an upper bound for the revision
/// of the deletions.
pub(crate) fn difference(from: &Pairs, to: &Pairs, revision: Revision) -> Vec<Event> {
    let (mut from, mut to) = (from.iter().peekable(), to.iter().peekable());
    let mut events = Vec::new();
    loop {
        match (from.peek(), to.peek()) {
            (None, None) => return events,
            (Some(&old), Some(&new)) if old.key == new.key => {
                if !is_same(old, new) {
                    events.push(Event::put(new.clone()).with_prev_kv(old.clone()));
                }
                from.next();
                to.next();
            }
            (Some(&old), new) if new.is_none_or(|new| old.key < new.key) => {
                events.push(deletion(old, revision));
                from.next();
            }
            _ => events.extend(to.next().map(|new| Event::put(new.clone()))),
        }
    }
}

/// Returns true if the pairs are the same. Equal revisions do not suffice, because the copies may belong to two
/// histories.
fn is_same(old: &KeyValue, new: &KeyValue) -> bool {
    let shared = old.value.as_ptr() == new.value.as_ptr() && old.value.len() == new.value.len();
    old.mod_revision == new.mod_revision && ((shared && !new.value.is_empty()) || old == new)
}

fn deletion(old: &KeyValue, revision: Revision) -> Event {
    let kv = KeyValue { key: old.key.clone(), mod_revision: revision, ..KeyValue::default() };
    Event::delete(kv).with_prev_kv(old.clone())
}

impl Pairs {
    /// Applies the event. Returns it with the previous pair.
    fn apply(&mut self, event: Event) -> Event {
        match event.event_type {
            EventType::Put => {
                let kv = event.kv.into_owned();
                let before = self.insert(kv.clone());
                Event::put(kv).with_prev_kv(before)
            }
            EventType::Delete => {
                let kv = event.kv.into_owned();
                let before = self.remove(&kv.key);
                Event::delete(kv).with_prev_kv(before)
            }
        }
    }
}
