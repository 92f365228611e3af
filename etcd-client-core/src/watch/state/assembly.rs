//! Assembly of fragmented responses into whole revisions.

use crate::{
    types::Event,
    watch::state::rules::{Rule, Rules},
};

/// The events of one watch that wait for the rest of their revision.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    events: Vec<Event>,
}

impl Assembly {
    /// Adds the events of one message. Returns those whose revision is complete: all of them after the last fragment,
    /// and all but those of the latest revision before it. At most one revision is held back.
    pub(crate) fn push(&mut self, events: Vec<Event>, more: bool, rules: Rules) -> Vec<Event> {
        let mut all = std::mem::take(&mut self.events);
        if all.is_empty() {
            all = events
        } else {
            all.extend(events)
        }
        // Servers send events in order. If one does not, sorting keeps later events from being delivered
        // before earlier ones, which would then be dropped as repetitions.
        if !all.is_sorted_by_key(Event::revision) {
            all.sort_by_key(Event::revision);
        }
        // Events are sorted, so only the latest revision can continue in the next fragment.
        if more && rules.hold(Rule::WholeRevisions) {
            let latest = all.last().map(Event::revision);
            let whole = all.partition_point(|event| Some(event.revision()) < latest);
            self.events = all.split_off(whole);
        }
        all
    }

    /// Returns true if no revision is incomplete.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Discards the incomplete revision when a stream ends.
    pub(crate) fn clear(&mut self) {
        self.events = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::KeyValue;

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
