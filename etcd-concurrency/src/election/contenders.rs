//! The leader of an election, computed from the contenders' keys and their changes. Pure.

use std::collections::BTreeMap;

use etcd_client_core::{Event, KeyValue, Revision};

/// The leader of an election, as an [`Observer`](super::Observer) reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Leader {
    /// There is no leader.
    Vacant,
    /// The key of the leader. Its value is the proclaimed one.
    Elected(KeyValue),
}

impl Leader {
    /// Returns the proclaimed value, or `None` if there is no leader.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_concurrency::election::Leader;
    ///
    /// assert_eq!(Leader::Vacant.value(), None);
    /// ```
    pub fn value(&self) -> Option<&[u8]> {
        if let Self::Elected(kv) = self { Some(&kv.value) } else { None }
    }
}

/// The contenders, and the leader that was reported last.
#[derive(Debug, Default)]
pub(super) struct Contenders {
    keys: BTreeMap<Vec<u8>, KeyValue>,
    reported: Option<Leader>,
    revision: Revision,
}

impl Contenders {
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the revision up to which the contenders are known.
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// Replaces the contenders by those of a listing. Returns the leader if it changed.
    pub(super) fn replace(&mut self, kvs: Vec<KeyValue>, revision: Revision) -> Option<Leader> {
        self.keys = kvs.into_iter().map(|kv| (kv.key.to_vec(), kv.into_owned())).collect();
        self.revision = revision;
        self.changed()
    }

    /// Applies events and returns the changes of the leader. All events of one revision are one change, because a transaction may
    /// delete one contender and create another.
    pub(super) fn apply(&mut self, events: Vec<Event>) -> Vec<Leader> {
        let mut changes = Vec::new();
        let known = self.revision;
        let mut events = events.into_iter().filter(|event| event.revision() > known).peekable();
        while let Some(event) = events.next() {
            self.revision = event.revision();
            self.apply_event(event);
            if events.peek().is_none_or(|next| next.revision() > self.revision) {
                changes.extend(self.changed());
            }
        }
        changes
    }

    fn apply_event(&mut self, event: Event) {
        let key = event.kv.key.to_vec();
        if event.is_delete() {
            self.keys.remove(&key);
        } else {
            self.keys.insert(key, event.kv.into_owned());
        }
    }

    /// Returns the leader if it differs from the one that was reported last.
    fn changed(&mut self) -> Option<Leader> {
        // The rule of all queues: the key that was created first holds, whichever was put last.
        let first = self.keys.values().min_by_key(|kv| kv.create_revision);
        let leader = first.map_or(Leader::Vacant, |kv| Leader::Elected(kv.clone()));
        let new = self.reported.as_ref() != Some(&leader);
        self.reported = Some(leader.clone());
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

    fn changes(contenders: &mut Contenders, events: Vec<Event>) -> Vec<Option<String>> {
        let value = |leader: Leader| leader.value().map(|value| String::from_utf8_lossy(value).into_owned());
        contenders.apply(events).into_iter().map(value).collect()
    }

    fn led_by_a() -> Contenders {
        let mut contenders = Contenders::default();
        let first = contenders.replace(vec![kv("b", "B", 12, 12), kv("a", "A", 10, 11)], 15.into());
        assert_eq!(first, Some(Leader::Elected(kv("a", "A", 10, 11))));
        contenders
    }

    #[test]
    fn vacancy_is_reported_once() {
        let mut contenders = Contenders::default();
        assert_eq!(contenders.replace(Vec::new(), 5.into()), Some(Leader::Vacant));
        assert_eq!(contenders.replace(Vec::new(), 7.into()), None);
    }

    #[test]
    fn first_contender_leads_despite_later_writes() {
        // etcd issue 18163: the first put that arrives need not be the leader's.
        let mut contenders = led_by_a();
        assert!(
            changes(
                &mut contenders,
                vec![Event::put(kv("c", "C", 16, 16)), Event::put(kv("b", "B2", 12, 17))]
            )
            .is_empty()
        );
        assert_eq!(changes(&mut contenders, vec![gone("a", 18)]), [Some("B2".to_owned())]);
    }

    #[test]
    fn proclamations_are_changes() {
        let mut contenders = led_by_a();
        let twice = vec![Event::put(kv("a", "A2", 10, 16)), Event::put(kv("a", "A2", 10, 17))];
        assert_eq!(changes(&mut contenders, twice), [Some("A2".to_owned()), Some("A2".to_owned())]);
    }

    #[test]
    fn last_departure_leaves_a_vacancy() {
        let mut contenders = led_by_a();
        assert_eq!(changes(&mut contenders, vec![gone("b", 16), gone("a", 17)]), [None]);
    }

    #[test]
    fn one_transaction_is_one_change() {
        let mut contenders = led_by_a();
        let together = vec![gone("a", 16), gone("b", 16), Event::put(kv("c", "C", 16, 16))];
        assert_eq!(changes(&mut contenders, together), [Some("C".to_owned())]);
    }

    #[test]
    fn known_revisions_are_not_reported_again() {
        let mut contenders = led_by_a();
        assert!(changes(&mut contenders, vec![gone("a", 9), Event::put(kv("a", "A", 10, 11))]).is_empty());
        assert_eq!(contenders.revision(), 15);
        assert_eq!(contenders.replace(vec![kv("a", "A", 10, 11)], 30.into()), None);
    }
}
