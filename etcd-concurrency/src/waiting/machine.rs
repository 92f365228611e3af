//! How a contender waits for those ahead of it: pure decisions. Answers and events go in, what to do comes out.
//!
//! It watches its own key and the one contender that is directly ahead of it, or where several may hold at once all of its queue.
//! A deletion is the only thing that moves it: it asks once how it stands now, and then holds, or watches whoever is ahead now.
//! Each question is about the present, so that a contender who left is never waited for again.

use std::collections::BTreeMap;

use etcd_client_core::{Key, Revision};

/// A key in a queue, told from later keys of the same name by the revision that created it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contender {
    pub(crate) key: Key,
    pub(crate) create_revision: Revision,
}

/// How a contender stands at some revision of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The revision of the store.
    pub(crate) revision: Revision,
    /// The revision that created the contender's key; `None` when there is no such key.
    pub(crate) own: Option<Revision>,
    /// Who is ahead: all of them in [`Scope::Queue`], the last of them in [`Scope::Predecessor`].
    pub(crate) ahead: Vec<Contender>,
}

/// Whom a contender waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Until nobody is ahead; it is enough to know the last of those who are.
    Predecessor,
    /// Until at most so many are ahead.
    Queue { tolerated: usize },
}

/// What a watch is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The contender's own key.
    Own,
    /// The key of somebody ahead.
    Ahead(Key),
    /// All keys of the queue, the own one among them.
    Queue,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// The answer to [`Step::Confirm`].
    Standing(Standing),
    /// A key was put. Holders may change their values; that is nobody's turn.
    Put,
    /// A key was deleted at a revision.
    Deleted { key: Key, revision: Revision },
    /// A watch ended, or did not begin: compacted, or broken.
    WatchLost(Target),
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Watch deletions from this revision on.
    Watch { target: Target, from: Revision },
    /// Cancel the watch.
    Unwatch(Target),
    /// Ask in one linearizable read for the own key and for who is ahead.
    Confirm,
    /// It is the contender's turn. Nothing comes after it.
    Acquired,
    /// The contender's key is gone. Nothing comes after it.
    Gone,
}

/// A contender that waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    own: Contender,
    scope: Scope,
    state: State,
    watches_own: bool,
}

#[derive(Debug)]
enum State {
    /// Until one of these is deleted after `since`.
    Waiting {
        ahead: BTreeMap<Key, Revision>,
        since: Revision,
    },
    /// An answer is to come.
    Confirming,
    Over,
}

impl Waiter {
    /// A contender that stands so; `standing` is the answer to its entry into the queue.
    pub(crate) fn new(own: Contender, scope: Scope, standing: Standing) -> (Self, Vec<Step>) {
        let mut waiter = Self { own, scope, state: State::Confirming, watches_own: false };
        let steps = waiter.stand(standing);
        (waiter, steps)
    }

    /// A contender that does not know how it stands.
    pub(crate) fn unsure(own: Contender, scope: Scope) -> (Self, Vec<Step>) {
        let waiter = Self { own, scope, state: State::Confirming, watches_own: false };
        (waiter, vec![Step::Confirm])
    }

    /// What to do now that something happened.
    pub(crate) fn on(&mut self, input: Input) -> Vec<Step> {
        match input {
            Input::Standing(standing) if matches!(self.state, State::Confirming) => self.stand(standing),
            Input::Deleted { key, revision } => self.deleted(&key, revision),
            Input::WatchLost(target) => self.watch_lost(&target),
            Input::Standing(_) | Input::Put => Vec::new(),
        }
    }

    fn stand(&mut self, standing: Standing) -> Vec<Step> {
        if standing.own != Some(self.own.create_revision) {
            return self.end(Step::Gone);
        }
        let ahead = self.ahead_of(standing.ahead);
        if ahead.len() <= self.tolerated() {
            return self.end(Step::Acquired);
        }
        let from = standing.revision.next();
        let mut steps = Vec::new();
        if !self.watches_own {
            self.watches_own = true;
            steps.push(Step::Watch { target: self.own_target(), from });
        }
        if let (Scope::Predecessor, Some(last)) = (self.scope, ahead.keys().next()) {
            steps.push(Step::Watch { target: Target::Ahead(last.clone()), from });
        }
        self.state = State::Waiting { ahead, since: standing.revision };
        steps
    }

    /// Only who came before counts, whatever the answer holds; and of those only the last where all have to leave.
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
            let ours = revision > self.own.create_revision;
            return if ours { self.end(Step::Gone) } else { Vec::new() };
        }
        let tolerated = self.tolerated();
        let State::Waiting { ahead, since } = &mut self.state else { return Vec::new() };
        // A repeated event from before the answer says nothing about the present.
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
            // The answer that is to come leads to a new watch, from its revision on.
            State::Confirming | State::Over => Vec::new(),
        }
    }

    /// Asks how it stands; `watched` is the contender whose watch is of no more use.
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
