//! The keys known to the reader of a watch, for comparison with a listing.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use crate::types::{Event, KeyValue, Revision};

/// The existing keys according to the delivered events, with the revision of the last change of each.
///
/// Memory use is the size of all keys of the range, plus about 50 bytes per key.
#[derive(Debug, Default)]
pub(crate) struct Known {
    keys: HashMap<Bytes, i64>,
    /// The keys that were deleted while the first listing was in progress. `None` once the listing has arrived.
    deleted: Option<HashSet<Bytes>>,
    listing: bool,
}

impl Known {
    /// Returns true on the first call, when the first listing has to be requested.
    pub(crate) fn begins(&mut self) -> bool {
        !std::mem::replace(&mut self.listing, true)
    }

    pub(crate) fn await_listing(&mut self) {
        self.deleted = Some(HashSet::new());
    }

    /// Returns true while the first listing is in progress.
    pub(crate) fn is_awaited(&self) -> bool {
        self.deleted.is_some()
    }

    pub(crate) fn learn(&mut self, event: &Event) {
        let key = &event.kv.key;
        if event.is_delete() {
            self.keys.remove(key);
            if let Some(deleted) = &mut self.deleted {
                deleted.insert(copy(key));
            }
        } else {
            self.keys.insert(copy(key), event.revision().get());
        }
    }

    /// Resets the revisions, because they belong to another history. The same number does not mean the same change
    /// there.
    pub(crate) fn distrust(&mut self) {
        self.keys.values_mut().for_each(|revision| *revision = 0);
    }

    /// Adds the keys that existed before the watch began. Events that arrived in the meantime are newer and take
    /// precedence.
    pub(crate) fn listed(&mut self, kvs: &[KeyValue]) {
        let deleted = self.deleted.take().unwrap_or_default();
        for kv in kvs.iter().filter(|kv| !deleted.contains(&kv.key)) {
            self.keys.entry(copy(&kv.key)).or_insert_with(|| kv.mod_revision.get());
        }
    }

    /// Returns the events that lead from the known keys to those that exist at `revision`, in revision order. The
    /// revision of a deletion is unknown: `revision` is its upper bound.
    pub(crate) fn differences(&mut self, kvs: Vec<KeyValue>, revision: i64) -> Vec<Event> {
        let mut gone = std::mem::take(&mut self.keys);
        let mut events = Vec::new();
        for kv in kvs {
            let before = gone.remove(&kv.key);
            self.keys.insert(copy(&kv.key), kv.mod_revision.get());
            if before != Some(kv.mod_revision.get()) {
                events.push(Event::put(kv));
            }
        }
        events.sort_by_key(Event::revision);
        let mut gone: Vec<Bytes> = gone.into_keys().collect();
        gone.sort_unstable();
        let deletion = |key: Bytes| {
            let mut kv = KeyValue { key, ..KeyValue::default() };
            kv.mod_revision = Revision::new(revision);
            Event::delete(kv)
        };
        // At the end: their revision is an upper bound, so no exact one may follow.
        events.extend(gone.into_iter().map(deletion));
        self.deleted = None;
        events
    }
}

/// Copies a key. A slice of the event would pin the whole message buffer.
fn copy(key: &Bytes) -> Bytes {
    Bytes::copy_from_slice(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kv(key: &'static str, revision: i64) -> KeyValue {
        KeyValue::new(key, "").with_revisions(1, revision)
    }

    fn short(events: &[Event]) -> Vec<(String, bool, i64)> {
        let short = |event: &Event| {
            (event.kv.key_str().expect("text").to_owned(), event.is_delete(), event.revision().get())
        };
        events.iter().map(short).collect()
    }

    #[test]
    fn deleted_keys_are_forgotten() {
        let mut known = Known::default();
        known.learn(&Event::put(kv("gone", 3)));
        known.learn(&Event::put(kv("back", 4)));
        known.learn(&Event::delete(kv("gone", 5)));
        known.learn(&Event::delete(kv("back", 6)));
        known.learn(&Event::put(kv("back", 7)));
        // The reader has seen both deletions: a second one of "gone" would be an event that never happened.
        assert_eq!(short(&known.differences(vec![kv("back", 7)], 20)), []);
        assert_eq!(short(&known.differences(vec![], 21)), [("back".into(), true, 21)]);
    }

    #[test]
    fn the_differences_lead_to_the_listing() {
        let mut known = Known::default();
        known.await_listing();
        known.learn(&Event::put(kv("new", 7)));
        known.learn(&Event::delete(kv("early", 8)));
        known.listed(&[kv("early", 2), kv("new", 3), kv("old", 4), kv("same", 5)]);
        let listing = vec![kv("came", 12), kv("new", 11), kv("same", 5)];
        let expected = [("new".into(), false, 11), ("came".into(), false, 12), ("old".into(), true, 20)];
        assert_eq!(short(&known.differences(listing.clone(), 20)), expected);
        assert_eq!(short(&known.differences(listing.clone(), 21)), []);
        known.distrust();
        let all = [("same".into(), false, 5), ("new".into(), false, 11), ("came".into(), false, 12)];
        assert_eq!(short(&known.differences(listing, 21)), all, "in another history nothing is the same");
    }
}
