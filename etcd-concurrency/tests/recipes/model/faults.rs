//! What goes wrong on the way to the model and back.

use std::{collections::VecDeque, time::Duration};

use etcd_client_core::LeaseId;

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
    /// This copy is applied after this time, and the client sends another one if it may.
    Delayed(Duration),
    /// It is applied after this time, and the client waits for the answer for as long as it does.
    TimesOut(Duration),
    /// It is refused, and not applied.
    Refused,
    /// It arrives and is answered, after somebody deleted all tokens.
    AfterDeletingTokens,
    /// It arrives and is answered, after this lease was revoked.
    AfterRevoking(LeaseId),
}

type Act = Box<dyn FnOnce(&super::Model) + Send>;

/// Faults that are drawn for each write.
#[derive(Clone, Debug)]
pub(crate) struct Chaos {
    pub(crate) rng: fastrand::Rng,
    /// So many writes of a hundred meet a fault.
    pub(crate) percent: u8,
}

impl Chaos {
    fn draw(&mut self) -> Fault {
        if self.rng.u8(0..100) >= self.percent {
            return Fault::None;
        }
        let most = [1_000, 20_000, 10_000_000][self.rng.usize(0..3)];
        let late = Duration::from_micros(self.rng.u64(0..most));
        match self.rng.u8(0..6) {
            0 => Fault::RequestLost,
            1 => Fault::AnswerLost,
            2 => Fault::AppliedLater(late),
            3 => Fault::Delayed(late),
            4 => Fault::TimesOut(late),
            _ => Fault::Refused,
        }
    }
}

/// The faults of the next writes, and what is done before the next creation of a watch.
#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) writes: VecDeque<Fault>,
    pub(crate) before_watch: VecDeque<Act>,
    chaos: Option<Chaos>,
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

    /// Draws a fault for each write from now on, or does so no more.
    pub(crate) fn set_chaos(&self, chaos: Option<Chaos>) {
        self.inner().faults.chaos = chaos;
    }

    /// The fault that the next write meets.
    pub(super) fn next_fault(&self) -> Fault {
        let faults = &mut self.inner().faults;
        let drawn = || faults.chaos.as_mut().map_or(Fault::None, Chaos::draw);
        faults.writes.pop_front().unwrap_or_else(drawn)
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
