//! Who leads, from the contenders' keys and their changes: a pure function of what a watch of the queue tells.

use std::collections::BTreeMap;

use etcd_client_core::{Event, KeyValue, Revision};

/// Who leads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Leader {
    /// Nobody does.
    Nobody,
    /// The holder of this key, with what it proclaims as value.
    Elected(KeyValue),
}

impl Leader {
    /// What the leader proclaims; `None` when there is none.
    pub fn value(&self) -> Option<&[u8]> {
        if let Self::Elected(kv) = self { Some(&kv.value) } else { None }
    }
}

/// The contenders, and what was last said of them.
#[derive(Debug, Default)]
pub(super) struct Contenders {
    keys: BTreeMap<Vec<u8>, KeyValue>,
    shown: Option<Leader>,
    revision: Revision,
}

impl Contenders {
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Up to which revision they are known.
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// Starts again from all that are there at a revision.
    pub(super) fn listed(&mut self, kvs: Vec<KeyValue>, revision: Revision) -> Option<Leader> {
        self.keys = kvs.into_iter().map(|kv| (kv.key.to_vec(), kv.into_owned())).collect();
        self.revision = revision;
        self.changed()
    }

    /// Takes events in, revision by revision: what one transaction did is one change.
    pub(super) fn apply(&mut self, events: Vec<Event>) -> Vec<Leader> {
        let mut changes = Vec::new();
        let known = self.revision;
        let mut events = events.into_iter().filter(|event| event.revision() > known).peekable();
        while let Some(event) = events.next() {
            self.revision = event.revision();
            self.take(event);
            if events.peek().is_none_or(|next| next.revision() > self.revision) {
                changes.extend(self.changed());
            }
        }
        changes
    }

    fn take(&mut self, event: Event) {
        let key = event.kv.key.to_vec();
        if event.is_delete() {
            self.keys.remove(&key);
        } else {
            self.keys.insert(key, event.kv.into_owned());
        }
    }

    /// Who leads, if that is anything new.
    fn changed(&mut self) -> Option<Leader> {
        let first = self.keys.values().min_by_key(|kv| kv.create_revision);
        let leader = first.map_or(Leader::Nobody, |kv| Leader::Elected(kv.clone()));
        let new = self.shown.as_ref() != Some(&leader);
        self.shown = Some(leader.clone());
        new.then_some(leader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kv(name: &str, value: &str, created: i64, modified: i64) -> KeyValue {
        KeyValue::new(name, value).with_revisions(created, modified)
    }

    fn gone(name: &str, at: i64) -> Event {
        Event::delete(KeyValue::new(name, "").with_revisions(0, at))
    }

    fn told(contenders: &mut Contenders, events: Vec<Event>) -> Vec<Option<String>> {
        let value = |leader: Leader| leader.value().map(|value| String::from_utf8_lossy(value).into_owned());
        contenders.apply(events).into_iter().map(value).collect()
    }

    fn led_by_a() -> Contenders {
        let mut contenders = Contenders::default();
        let first = contenders.listed(vec![kv("b", "B", 12, 12), kv("a", "A", 10, 11)], 15.into());
        assert_eq!(first, Some(Leader::Elected(kv("a", "A", 10, 11))));
        contenders
    }

    #[test]
    fn nobody_is_news_once() {
        let mut contenders = Contenders::default();
        assert_eq!(contenders.listed(Vec::new(), 5.into()), Some(Leader::Nobody));
        assert_eq!(contenders.listed(Vec::new(), 7.into()), None);
    }

    #[test]
    fn who_was_first_leads_whoever_writes_later() {
        // etcd issue 18163: the first put that is seen need not be the leader's.
        let mut contenders = led_by_a();
        assert!(
            told(&mut contenders, vec![Event::put(kv("c", "C", 16, 16)), Event::put(kv("b", "B2", 12, 17))])
                .is_empty()
        );
        assert_eq!(told(&mut contenders, vec![gone("a", 18)]), [Some("B2".to_owned())]);
    }

    #[test]
    fn proclamations_are_changes() {
        let mut contenders = led_by_a();
        let twice = vec![Event::put(kv("a", "A2", 10, 16)), Event::put(kv("a", "A2", 10, 17))];
        assert_eq!(told(&mut contenders, twice), [Some("A2".to_owned()), Some("A2".to_owned())]);
    }

    #[test]
    fn the_last_departure_leaves_nobody() {
        let mut contenders = led_by_a();
        assert_eq!(told(&mut contenders, vec![gone("b", 16), gone("a", 17)]), [None]);
    }

    #[test]
    fn what_one_transaction_does_is_one_change() {
        let mut contenders = led_by_a();
        let together = vec![gone("a", 16), gone("b", 16), Event::put(kv("c", "C", 16, 16))];
        assert_eq!(told(&mut contenders, together), [Some("C".to_owned())]);
    }

    #[test]
    fn what_is_known_is_not_told_again() {
        let mut contenders = led_by_a();
        assert!(told(&mut contenders, vec![gone("a", 9), Event::put(kv("a", "A", 10, 11))]).is_empty());
        assert_eq!(contenders.revision(), 15);
        assert_eq!(contenders.listed(vec![kv("a", "A", 10, 11)], 30.into()), None);
    }
}
