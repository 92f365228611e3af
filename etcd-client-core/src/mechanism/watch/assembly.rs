//! Fragments of responses, until a revision is whole.

use super::rules::{Rule, Rules};
use crate::model::Event;

/// The events of one watch that wait for the rest of their revision.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    events: Vec<Event>,
}

impl Assembly {
    /// Takes the events of one message in and gives those whose revision is whole: all after the last fragment, and before it
    /// all but the latest revision, so that one revision is the most that is held.
    pub(crate) fn push(&mut self, events: Vec<Event>, more: bool, rules: Rules) -> Vec<Event> {
        let mut all = std::mem::take(&mut self.events);
        if all.is_empty() {
            all = events
        } else {
            all.extend(events)
        }
        // Servers send them in order. One that does not must not have the later ones outrun the earlier.
        if !all.is_sorted_by_key(Event::revision) {
            all.sort_by_key(Event::revision);
        }
        if more && rules.hold(Rule::WholeRevisions) {
            let latest = all.last().map(Event::revision);
            let whole = all.partition_point(|event| Some(event.revision()) < latest);
            self.events = all.split_off(whole);
        }
        all
    }

    /// Whether a revision is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Forgets what the end of a stream left incomplete.
    pub(crate) fn clear(&mut self) {
        self.events = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::KeyValue;

    fn events(revisions: &[i64]) -> Vec<Event> {
        let event = |revision: &i64| Event::put(KeyValue::new("k", "v").with_revisions(1, *revision));
        revisions.iter().map(event).collect()
    }

    #[test]
    fn only_whole_revisions_come_out() {
        let mut assembly = Assembly::default();
        let rules = Rules::default();
        assert_eq!(assembly.push(events(&[3, 4, 4]), true, rules), events(&[3]));
        assert_eq!(assembly.push(events(&[4, 5]), true, rules), events(&[4, 4, 4]));
        assert_eq!(assembly.push(events(&[]), true, rules), events(&[]));
        assert!(!assembly.is_empty());
        assert_eq!(assembly.push(events(&[5, 6]), false, rules), events(&[5, 5, 6]));
        assert!(assembly.is_empty());
    }

    #[test]
    fn a_server_without_order_loses_nothing() {
        let rules = Rules::default();
        assert_eq!(Assembly::default().push(events(&[4, 3, 5]), false, rules), events(&[3, 4, 5]));
    }
}
