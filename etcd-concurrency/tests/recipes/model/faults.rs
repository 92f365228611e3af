//! Faults on the way to the model and back.

use std::{collections::VecDeque, time::Duration};

use etcd_client_core::LeaseId;

/// A fault of a transaction that writes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It arrives and is answered.
    None,
    /// It never arrives, and the outcome is unknown to the caller.
    RequestLost,
    /// It is applied, and its response is lost.
    AnswerLost,
    /// It is applied after this time. The caller does not wait: the response is lost immediately.
    AppliedLater(Duration),
    /// It is applied after this time, and its response is lost.
    Hangs(Duration),
    /// This copy is applied after this time, and the client retries if it may.
    Delayed(Duration),
    /// It is applied after this time, and the client waits for the response until its timeout.
    TimesOut(Duration),
    /// It is rejected, and not applied.
    Rejected,
    /// It arrives and is answered, after another client deleted all tokens.
    AfterDeletingTokens,
    /// It arrives and is answered, after this lease was revoked.
    AfterRevoking(LeaseId),
}

type Act = Box<dyn FnOnce(&super::Model) + Send>;

/// Faults that are drawn for each write.
#[derive(Clone, Debug)]
pub(crate) struct Chaos {
    pub(crate) rng: fastrand::Rng,
    /// The percentage of writes that are subject to a fault.
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
            _ => Fault::Rejected,
        }
    }
}

/// The faults of the next writes, and the actions before the next creation of a watch.
#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) writes: VecDeque<Fault>,
    pub(crate) before_watch: VecDeque<Act>,
    chaos: Option<Chaos>,
    /// No member responds.
    pub(crate) outage: bool,
    /// Every put is rejected: the alarm for a full store is raised.
    pub(crate) full: bool,
    /// Every write is denied.
    pub(crate) denied: bool,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults").field("writes", &self.writes).finish_non_exhaustive()
    }
}

impl super::Model {
    /// Sets the faults of the next writes, in this order. Later writes succeed.
    pub(crate) fn next_writes(&self, faults: impl IntoIterator<Item = Fault>) {
        self.inner().faults.writes.extend(faults);
    }

    /// Starts or stops drawing a fault for each write.
    pub(crate) fn set_chaos(&self, chaos: Option<Chaos>) {
        self.inner().faults.chaos = chaos;
    }

    /// Returns the fault of the next write.
    pub(super) fn next_fault(&self) -> Fault {
        let faults = &mut self.inner().faults;
        let drawn = || faults.chaos.as_mut().map_or(Fault::None, Chaos::draw);
        faults.writes.pop_front().unwrap_or_else(drawn)
    }

    /// Runs an action before the next watch is created, after earlier actions.
    pub(crate) fn before_next_watch(&self, act: impl FnOnce(&Self) + Send + 'static) {
        self.inner().faults.before_watch.push_back(Box::new(act));
    }

    /// Raises or clears the alarm for a full store.
    pub(crate) fn set_full(&self, full: bool) {
        self.inner().faults.full = full;
    }

    /// Revokes the permission to write, or grants it again.
    pub(crate) fn deny(&self, denied: bool) {
        self.inner().faults.denied = denied;
    }

    /// Starts or ends an outage of all members.
    pub(crate) fn set_outage(&self, outage: bool) {
        self.inner().faults.outage = outage;
    }
}
