//! All steps that can follow a state: actions of contenders, deliveries of the network, and faults.

use super::{
    Locks,
    protocol::Protocol,
    state::{Answer, Copied, Phase, Request, State},
};

/// No further copy is sent while this many are in flight.
const IN_FLIGHT: usize = 3;

/// One event.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "the fields are printed where a property is violated")]
pub(crate) enum Step {
    Calls { c: usize, attempt: bool },
    Retries { c: usize, request: Request },
    GivesUp { c: usize },
    SeesPlaceGone { c: usize },
    Acquires { c: usize },
    StopsWaiting { c: usize },
    Unlocks { c: usize },
    HearsEnd { c: usize },
    Crashes { c: usize },
    LeaseExpires { c: usize },
    OperatorDeletes { c: usize },
    Applied(Copied),
    AppliedWithoutAnswer(Copied),
    Lost(Copied),
    Hears { c: usize, answer: Answer },
}

/// Collects the states after each step.
pub(super) struct Next<'a> {
    pub(super) state: &'a State,
    pub(super) then: &'a mut dyn FnMut(Step, State),
}

impl Next<'_> {
    fn step(&mut self, step: Step, change: impl FnOnce(&mut State)) {
        let mut state = self.state.clone();
        change(&mut state);
        (self.then)(step, state.canonical());
    }

    fn begin(&mut self, step: Step, c: usize, phase: Phase) {
        self.step(step, |state| Protocol::begin(state, c, phase));
    }
}

impl Locks {
    pub(super) fn contender_steps(&self, next: &mut Next<'_>, c: usize) {
        let (state, contender) = (next.state, next.state.contenders[c]);
        match contender.phase {
            Phase::Dead => {
                if state.leases[c] {
                    next.step(Step::LeaseExpires { c }, |state| state.expire(c));
                }
                return;
            }
            Phase::Idle => self.calls(next, c),
            Phase::Enter { .. } => self.entry_steps(next, c),
            Phase::Wait { fence } => wait_steps(next, c, fence),
            Phase::Hold { fence } => next.begin(Step::Unlocks { c }, c, Phase::Leave { fence }),
            // Retried until it is answered.
            Phase::Leave { .. } | Phase::Sweep { .. } | Phase::Burn => {
                if !state.is_outstanding(c) || (contender.copies < 2 && state.requests.len() < IN_FLIGHT) {
                    retry(next, c);
                }
            }
        }
        fault_steps(next, c);
    }

    fn calls(&self, next: &mut Next<'_>, c: usize) {
        if next.state.contenders[c].rounds == 0 {
            return;
        }
        // The second contender only waits.
        for attempt in [false, true].into_iter().take(2 - c) {
            next.step(Step::Calls { c, attempt }, |state| {
                state.contenders[c].rounds -= 1;
                state.contenders[c].told_held = false;
                Protocol::begin(state, c, Phase::Enter { attempt });
            });
        }
    }

    fn entry_steps(&self, next: &mut Next<'_>, c: usize) {
        let state = next.state;
        if self.protocol.retries && state.contenders[c].copies < 2 && state.requests.len() < IN_FLIGHT {
            retry(next, c);
        }
        let outstanding = state.is_outstanding(c);
        if state.faults.cancellations > 0 || !outstanding {
            next.step(Step::GivesUp { c }, |state| {
                // If nothing can arrive any longer, this is a timeout and not a fault.
                state.faults.cancellations -= u8::from(outstanding);
                self.protocol.give_up(state, c);
            });
        }
    }

    pub(super) fn network_steps(&self, next: &mut Next<'_>) {
        let state = next.state;
        for (i, &copy) in state.requests.iter().enumerate() {
            if i > 0 && state.requests[i - 1] == copy {
                continue;
            }
            next.step(Step::Applied(copy), |state| {
                state.requests.remove(i);
                let answer = self.protocol.apply(state, copy);
                if copy.current {
                    state.answers.push((copy.from, answer));
                }
            });
            if copy.current && state.faults.lost_answers > 0 {
                next.step(Step::AppliedWithoutAnswer(copy), |state| {
                    state.faults.lost_answers -= 1;
                    state.requests.remove(i);
                    self.protocol.apply(state, copy);
                });
            }
            if state.faults.lost_requests > 0 {
                next.step(Step::Lost(copy), |state| {
                    state.faults.lost_requests -= 1;
                    state.requests.remove(i);
                });
            }
        }
        for (i, &(from, answer)) in state.answers.iter().enumerate() {
            let c = usize::from(from);
            next.step(Step::Hears { c, answer }, |state| {
                state.answers.remove(i);
                self.protocol.hear(state, c, answer);
            });
        }
    }
}

fn retry(next: &mut Next<'_>, c: usize) {
    let Some(request) = Protocol::request(next.state, c) else { return };
    next.step(Step::Retries { c, request }, |state| state.send(c, request));
}

/// The position is read immediately instead of watched.
fn wait_steps(next: &mut Next<'_>, c: usize, fence: u8) {
    let state = next.state;
    if state.keys[c] != fence {
        next.begin(Step::SeesPlaceGone { c }, c, Phase::Leave { fence });
    } else if state.is_first(c) {
        next.begin(Step::Acquires { c }, c, Phase::Hold { fence });
    }
    if state.faults.cancellations > 0 {
        next.step(Step::StopsWaiting { c }, |state| {
            state.faults.cancellations -= 1;
            Protocol::begin(state, c, Phase::Leave { fence });
        });
    }
}

fn fault_steps(next: &mut Next<'_>, c: usize) {
    let state = next.state;
    if !state.leases[c] {
        next.begin(Step::HearsEnd { c }, c, Phase::Dead);
    }
    if state.faults.crashes > 0 {
        next.step(Step::Crashes { c }, |state| {
            state.faults.crashes -= 1;
            Protocol::begin(state, c, Phase::Dead);
        });
    }
    if state.faults.expiries > 0 && state.leases[c] {
        next.step(Step::LeaseExpires { c }, |state| {
            state.faults.expiries -= 1;
            state.expire(c);
        });
    }
    if state.faults.deletions > 0 && state.keys[c] != 0 {
        next.step(Step::OperatorDeletes { c }, |state| {
            state.faults.deletions -= 1;
            state.deleted = true;
            state.revision += 1;
            state.keys[c] = 0;
        });
    }
}
