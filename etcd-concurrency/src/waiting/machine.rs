//! The decisions of an entry that waits in a queue, as a pure state machine: responses and events go in, steps come out.
//!
//! An entry watches its own key and the one directly ahead. Where several may hold at once, it watches the whole queue instead.
//! When the key ahead is deleted, the entry reads its position once. It then either holds or watches the key that is ahead now.
//! Each read returns the current state, so an entry never waits for a key that has already left.

use std::collections::BTreeMap;

use etcd_client_core::{Key, Revision};

/// A key in a queue. The create revision distinguishes it from later keys of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contender {
    pub(crate) key: Key,
    pub(crate) create_revision: Revision,
}

/// The position of an entry at one revision of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueuePosition {
    /// The revision of the store.
    pub(crate) revision: Revision,
    /// The revision that created the entry's key; `None` if the key does not exist.
    pub(crate) own: Option<Revision>,
    /// The keys ahead: all of them in [`Scope::Queue`], the last of them in [`Scope::Predecessor`].
    pub(crate) ahead: Vec<Contender>,
}

/// The condition that an entry waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Waits until no key is ahead. Only the last key ahead needs to be known.
    Predecessor,
    /// At most `tolerated` keys are ahead.
    Queue { tolerated: usize },
}

/// The key or keys that a watch covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The entry's own key.
    Own,
    /// The key directly ahead.
    Ahead(Key),
    /// All keys of the queue, including the entry's own.
    Queue,
}

/// An input of the machine.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// The response to [`Step::Confirm`].
    Position(QueuePosition),
    /// A key was put. Holders may change their values, which changes no position.
    Put,
    /// A key was deleted at a revision.
    Deleted { key: Key, revision: Revision },
    /// A watch ended or could not be created: its start revision was compacted, or its stream broke.
    WatchLost(Target),
}

/// A step for the driver to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Watch deletions, starting at this revision.
    Watch { target: Target, from: Revision },
    /// Cancel the watch.
    Unwatch(Target),
    /// Read the own key and the keys ahead in one linearizable request.
    Confirm,
    /// It is the entry's turn. This is the last step.
    Acquired,
    /// The entry's key is gone. This is the last step.
    Gone,
}

/// An entry that waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    own: Contender,
    scope: Scope,
    state: State,
    watches_own: bool,
}

#[derive(Debug)]
enum State {
    /// Waiting for one of these keys to be deleted after `since`.
    Waiting {
        ahead: BTreeMap<Key, Revision>,
        since: Revision,
    },
    /// Waiting for the response to [`Step::Confirm`].
    Confirming,
    Over,
}

impl Waiter {
    /// Creates a waiter at the position that was read when the entry was created.
    pub(crate) fn new(own: Contender, scope: Scope, position: QueuePosition) -> (Self, Vec<Step>) {
        let mut waiter = Self { own, scope, state: State::Confirming, watches_own: false };
        let steps = waiter.reposition(position);
        (waiter, steps)
    }

    /// Creates a waiter at an unknown position.
    pub(crate) fn unconfirmed(own: Contender, scope: Scope) -> (Self, Vec<Step>) {
        let waiter = Self { own, scope, state: State::Confirming, watches_own: false };
        (waiter, vec![Step::Confirm])
    }

    /// Handles an input, and returns the steps that follow from it.
    pub(crate) fn on(&mut self, input: Input) -> Vec<Step> {
        match input {
            Input::Position(position) if matches!(self.state, State::Confirming) => self.reposition(position),
            Input::Deleted { key, revision } => self.deleted(&key, revision),
            Input::WatchLost(target) => self.watch_lost(&target),
            Input::Position(_) | Input::Put => Vec::new(),
        }
    }

    fn reposition(&mut self, position: QueuePosition) -> Vec<Step> {
        if position.own != Some(self.own.create_revision) {
            return self.end(Step::Gone);
        }
        let ahead = self.ahead_of(position.ahead);
        if ahead.len() <= self.tolerated() {
            return self.end(Step::Acquired);
        }
        // The watches start right after the read, so that no departure between the two is missed.
        let from = position.revision.next();
        let mut steps = Vec::new();
        if !self.watches_own {
            self.watches_own = true;
            steps.push(Step::Watch { target: self.own_target(), from });
        }
        if let (Scope::Predecessor, Some(last)) = (self.scope, ahead.keys().next()) {
            steps.push(Step::Watch { target: Target::Ahead(last.clone()), from });
        }
        self.state = State::Waiting { ahead, since: position.revision };
        steps
    }

    /// Keeps the keys that were created before the own key. Where all have to leave, only the last of them is kept.
    fn ahead_of(&self, others: Vec<Contender>) -> BTreeMap<Key, Revision> {
        let mut ahead = others;
        ahead.retain(|other| other.create_revision < self.own.create_revision);
        if self.scope == Scope::Predecessor {
            ahead.sort_by_key(|other| other.create_revision);
            ahead.drain(..ahead.len().saturating_sub(1));
        }
        ahead.into_iter().map(|other| (other.key, other.create_revision)).collect()
    }

    fn deleted(&mut self, key: &Key, revision: Revision) -> Vec<Step> {
        if matches!(self.state, State::Over) {
            return Vec::new();
        }
        if *key == self.own.key {
            // A deletion at or before the creation is of an earlier key with the same name.
            let ours = revision > self.own.create_revision;
            return if ours { self.end(Step::Gone) } else { Vec::new() };
        }
        let tolerated = self.tolerated();
        let State::Waiting { ahead, since } = &mut self.state else { return Vec::new() };
        // A watch may repeat events after it resumes. Those from before the last read are part of its result.
        if revision <= *since || ahead.remove(key).is_none() || ahead.len() > tolerated {
            return Vec::new();
        }
        self.confirm(Some(key))
    }

    fn watch_lost(&mut self, target: &Target) -> Vec<Step> {
        if matches!(self.state, State::Over) {
            return Vec::new();
        }
        if *target != self.own_target() {
            let State::Waiting { ahead, .. } = &self.state else { return Vec::new() };
            let current = matches!(target, Target::Ahead(key) if ahead.contains_key(key));
            return if current { self.confirm(None) } else { Vec::new() };
        }
        self.watches_own = false;
        match &self.state {
            State::Waiting { ahead, .. } => {
                let watched =
                    (self.scope == Scope::Predecessor).then(|| ahead.keys().next().cloned()).flatten();
                self.confirm(watched.as_ref())
            }
            // The response to the pending read leads to a new watch, starting after the revision of the read.
            State::Confirming | State::Over => Vec::new(),
        }
    }

    /// Requests the position. `watched` is the key ahead whose watch is no longer needed.
    fn confirm(&mut self, watched: Option<&Key>) -> Vec<Step> {
        self.state = State::Confirming;
        let unwatch = watched.filter(|_| self.scope == Scope::Predecessor);
        unwatch
            .map(|key| Step::Unwatch(Target::Ahead(key.clone())))
            .into_iter()
            .chain([Step::Confirm])
            .collect()
    }

    fn end(&mut self, last: Step) -> Vec<Step> {
        let mut steps = Vec::new();
        if let (Scope::Predecessor, State::Waiting { ahead, .. }) = (self.scope, &self.state) {
            steps.extend(ahead.keys().next().map(|key| Step::Unwatch(Target::Ahead(key.clone()))));
        }
        if self.watches_own {
            steps.push(Step::Unwatch(self.own_target()));
        }
        self.state = State::Over;
        steps.push(last);
        steps
    }

    fn own_target(&self) -> Target {
        match self.scope {
            Scope::Predecessor => Target::Own,
            Scope::Queue { .. } => Target::Queue,
        }
    }

    fn tolerated(&self) -> usize {
        match self.scope {
            Scope::Predecessor => 0,
            Scope::Queue { tolerated } => tolerated,
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
