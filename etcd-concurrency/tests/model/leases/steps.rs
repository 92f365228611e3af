//! All steps that can follow a state: actions of contenders, deliveries of the network, and faults.

use super::{
    LeaseClient,
    state::{Answer, Copied, ENTRIES, Lease, Phase, State},
};

/// No further copy is sent while this many are in flight.
const IN_FLIGHT: usize = 3;

/// One event.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "the fields are printed where a property is violated")]
pub(crate) enum Step {
    Calls { c: usize, attempt: bool },
    Retries { c: usize },
    GivesUp { c: usize },
    SeesPlaceGone { c: usize },
    Acquires { c: usize },
    StopsWaiting { c: usize },
    Unlocks { c: usize },
    Crashes { c: usize },
    LeaseExpires { c: usize, entry: usize },
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
}

impl LeaseClient {
    pub(super) fn contender_steps(&self, next: &mut Next<'_>, c: usize) {
        let (state, contender) = (next.state, next.state.contenders[c]);
        let more = contender.copies < 2 && state.requests.len() < IN_FLIGHT;
        let may_cancel = state.faults.cancellations > 0;
        match contender.phase {
            Phase::Dead => return,
            Phase::Idle => calls(next, c),
            Phase::Grant { .. } | Phase::Enter { .. } => {
                let is_grant = matches!(contender.phase, Phase::Grant { .. });
                if more && (self.protocol.grant_retries || !is_grant) {
                    next.step(Step::Retries { c }, |state| state.send(c));
                }
                let outstanding = state.is_outstanding(c);
                if may_cancel || !outstanding {
                    // Without an entry, the lease is left to expire.
                    let phase = if is_grant { Phase::Idle } else { Phase::Revoke };
                    next.step(Step::GivesUp { c }, |state| {
                        // If nothing can arrive any longer, this is a timeout and not a fault.
                        state.faults.cancellations -= u8::from(outstanding);
                        state.begin(c, phase);
                    });
                }
            }
            Phase::Wait { fence } => {
                if state.own(c) != fence {
                    next.step(Step::SeesPlaceGone { c }, |state| state.begin(c, Phase::Revoke));
                } else if state.is_first(c) {
                    next.step(Step::Acquires { c }, |state| state.begin(c, Phase::Hold { fence }));
                }
                if may_cancel {
                    next.step(Step::StopsWaiting { c }, |state| {
                        state.faults.cancellations -= 1;
                        state.begin(c, self.exit(fence));
                    });
                }
            }
            Phase::Hold { fence } => next.step(Step::Unlocks { c }, |state| state.begin(c, self.exit(fence))),
            // Retried until it is answered.
            Phase::Revoke | Phase::Delete { .. } => {
                if !state.is_outstanding(c) || more {
                    next.step(Step::Retries { c }, |state| state.send(c));
                }
            }
        }
        fault_steps(next, c);
    }

    fn exit(&self, fence: u8) -> Phase {
        if self.protocol.exit_revokes { Phase::Revoke } else { Phase::Delete { fence } }
    }

    pub(super) fn world_steps(&self, next: &mut Next<'_>) {
        let state = next.state;
        for (c, entry) in [0, 1].into_iter().flat_map(|c| (0..ENTRIES).map(move |entry| (c, entry))) {
            if state.leases[c][entry] == Lease::Lives && !state.is_renewed(c, entry) {
                next.step(Step::LeaseExpires { c, entry }, |state| state.end(c, entry));
            }
        }
        for (i, &copy) in state.requests.iter().enumerate() {
            if i > 0 && state.requests[i - 1] == copy {
                continue;
            }
            next.step(Step::Applied(copy), |state| {
                state.requests.remove(i);
                let answer = state.apply(copy);
                if copy.current {
                    state.answers.push((copy.from, answer));
                }
            });
            if copy.current && state.faults.lost_answers > 0 {
                next.step(Step::AppliedWithoutAnswer(copy), |state| {
                    state.faults.lost_answers -= 1;
                    state.requests.remove(i);
                    state.apply(copy);
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
                self.hear(state, c, answer);
            });
        }
    }

    /// Handles a response to the current request.
    fn hear(&self, state: &mut State, c: usize, answer: Answer) {
        let next = match (state.contenders[c].phase, answer) {
            (Phase::Grant { attempt }, Answer::Done) => Phase::Enter { attempt },
            (Phase::Enter { attempt: true }, Answer::Entered { fence }) => Phase::Hold { fence },
            (Phase::Enter { attempt: false }, Answer::Entered { fence }) => Phase::Wait { fence },
            // The lease belongs to this entry alone: an earlier copy of it created the key.
            (Phase::Enter { attempt: true }, Answer::Refused { own, first: true }) => {
                Phase::Hold { fence: own }
            }
            (Phase::Enter { attempt: false }, Answer::Refused { own, .. }) if own != 0 => {
                Phase::Wait { fence: own }
            }
            (Phase::Enter { attempt: true }, Answer::Refused { .. }) => {
                state.contenders[c].told_held = true;
                if self.protocol.rejection_revokes { Phase::Revoke } else { Phase::Idle }
            }
            (Phase::Enter { .. }, _) => Phase::Revoke,
            (Phase::Revoke | Phase::Delete { .. }, Answer::Done | Answer::LeaseNotFound) => Phase::Idle,
            other => unreachable!("{other:?}"),
        };
        state.begin(c, next);
    }
}

fn calls(next: &mut Next<'_>, c: usize) {
    if next.state.contenders[c].rounds == 0 {
        return;
    }
    // The second contender only waits.
    for attempt in [false, true].into_iter().take(2 - c) {
        next.step(Step::Calls { c, attempt }, |state| {
            let contender = &mut state.contenders[c];
            contender.rounds -= 1;
            contender.entry = contender.rounds;
            contender.told_held = false;
            state.begin(c, Phase::Grant { attempt });
        });
    }
}

fn fault_steps(next: &mut Next<'_>, c: usize) {
    let state = next.state;
    let entry = usize::from(state.contenders[c].entry);
    // The lease is known to be gone, or may have expired.
    if matches!(state.contenders[c].phase, Phase::Hold { .. }) && !state.lives(c) {
        next.step(Step::SeesPlaceGone { c }, |state| state.begin(c, Phase::Revoke));
    }
    if state.faults.crashes > 0 {
        next.step(Step::Crashes { c }, |state| {
            state.faults.crashes -= 1;
            state.begin(c, Phase::Dead);
        });
    }
    if state.faults.expiries > 0 && state.lives(c) && state.is_renewed(c, entry) {
        next.step(Step::LeaseExpires { c, entry }, |state| {
            state.faults.expiries -= 1;
            state.end(c, entry);
        });
    }
    if state.faults.deletions > 0 && state.own(c) != 0 {
        next.step(Step::OperatorDeletes { c }, |state| {
            state.faults.deletions -= 1;
            state.deleted = true;
            state.keys[c][entry] = 0;
        });
    }
}
