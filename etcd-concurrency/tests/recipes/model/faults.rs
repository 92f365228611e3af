//! What goes wrong on the way to the model and back.

use std::{collections::VecDeque, time::Duration};

/// What happens to a transaction that writes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It arrives and is answered.
    None,
    /// It never arrives, and the caller cannot know.
    RequestLost,
    /// It is applied, and the answer does not arrive.
    AnswerLost,
    /// It is applied after this time, which the caller does not wait for: the answer is lost at once.
    AppliedLater(Duration),
    /// It is applied after this time, and the answer never comes.
    Hangs(Duration),
    /// It arrives and is answered, after somebody deleted all tokens.
    AfterDeletingTokens,
}

type Act = Box<dyn FnOnce(&super::Model) + Send>;

/// The faults of the next writes, and what is done before the next creation of a watch.
#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) writes: VecDeque<Fault>,
    pub(crate) before_watch: VecDeque<Act>,
    /// Nobody answers at all.
    pub(crate) outage: bool,
    /// Nothing can be put: the alarm for a full store is raised.
    pub(crate) full: bool,
    /// Nothing can be written.
    pub(crate) denied: bool,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults").field("writes", &self.writes).finish_non_exhaustive()
    }
}

impl super::Model {
    /// The next writes go so, in this order; later ones well.
    pub(crate) fn next_writes(&self, faults: impl IntoIterator<Item = Fault>) {
        self.inner().faults.writes.extend(faults);
    }

    /// Does something when the next watch is about to be created, after whoever did so for earlier ones.
    pub(crate) fn before_next_watch(&self, act: impl FnOnce(&Self) + Send + 'static) {
        self.inner().faults.before_watch.push_back(Box::new(act));
    }

    /// Raises or clears the alarm for a full store.
    pub(crate) fn set_full(&self, full: bool) {
        self.inner().faults.full = full;
    }

    /// Takes the permission to write, or gives it back.
    pub(crate) fn deny(&self, denied: bool) {
        self.inner().faults.denied = denied;
    }

    /// Nobody answers, or everybody does again.
    pub(crate) fn set_outage(&self, outage: bool) {
        self.inner().faults.outage = outage;
    }
}
