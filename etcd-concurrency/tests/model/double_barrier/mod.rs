//! Three rounds of a double barrier of two, with ideal entries and late copies of the put of `ready`.

mod state;

use state::{Copied, Participant, Phase, State};

use crate::explore::{Model, explore};

/// The condition of a put of `ready`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Nothing,
    /// The participant's own key.
    OwnKey,
    /// The participant's own key, and the known mod revision of `ready`, as in the crate.
    OwnKeyAndReady,
}

/// No further copy is sent while this many are in flight.
const IN_FLIGHT: usize = 3;

const ROUNDS: u8 = 3;

#[derive(Clone, Copy)]
struct Barrier {
    condition: Condition,
}

#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "the fields are printed where a property is violated")]
enum Step {
    Comes { c: usize },
    Retries { c: usize },
    GivesUp { c: usize },
    SeesReady { c: usize },
    DeletesKey { c: usize },
    TakesBarrierDown { c: usize },
    SeesOtherGone { c: usize },
    Applied(Copied),
    AppliedWithoutAnswer(Copied),
}

type Then<'a> = &'a mut dyn FnMut(Step, State);

impl Barrier {
    fn participant_steps(self, state: &State, c: usize, then: Then<'_>) {
        let (own, other) = (state.keys[c], state.keys[1 - c]);
        let me = state.participants[c];
        let is_first = other == 0 || own < other;
        match me.phase {
            Phase::Outside if me.round < ROUNDS && may_come(state, c) => {
                step(state, then, Step::Comes { c }, |state| self.come(state, c));
            }
            Phase::PutsReady => self.putting(state, c, then),
            Phase::Waits if me.saw_ready => step(state, then, Step::SeesReady { c }, |state| {
                state.participants[c].phase = Phase::Inside;
            }),
            Phase::Inside if !is_first => {
                step(state, then, Step::DeletesKey { c }, |state| state.delete_key(c, Phase::Leaves));
            }
            Phase::Inside if other == 0 => step(state, then, Step::TakesBarrierDown { c }, |state| {
                state.delete_key(c, Phase::Outside);
                state.ready = 0;
            }),
            Phase::Leaves if other == 0 || other > me.fence => {
                step(state, then, Step::SeesOtherGone { c }, |state| {
                    state.participants[c].phase = Phase::Outside;
                });
            }
            _ => {}
        }
    }

    fn come(self, state: &mut State, c: usize) {
        let fence = state.next_revision();
        state.keys[c] = fence;
        let known = if self.condition == Condition::OwnKeyAndReady { state.ready } else { 0 };
        let is_last = state.keys[1 - c] != 0;
        let phase = if is_last { Phase::PutsReady } else { Phase::Waits };
        let round = state.participants[c].round + 1;
        state.participants[c] = Participant { round, phase, fence, known, saw_ready: false, sent: 0 };
        if is_last {
            state.send(c);
        }
    }

    fn putting(self, state: &State, c: usize, then: Then<'_>) {
        let outstanding = state.copies.iter().any(|copy| usize::from(copy.from) == c && copy.current);
        if !outstanding || (state.participants[c].sent < 2 && state.copies.len() < IN_FLIGHT) {
            step(state, then, Step::Retries { c }, |state| state.send(c));
        }
        if state.cancellations > 0 {
            step(state, then, Step::GivesUp { c }, |state| {
                state.cancellations -= 1;
                state.end_call(c);
                state.delete_key(c, Phase::GaveUp);
            });
        }
    }

    /// Applies a copy, and returns whether its conditions held.
    fn apply(self, state: &mut State, copy: Copied) -> bool {
        let own = state.keys[usize::from(copy.from)] == copy.fence;
        let holds = match self.condition {
            Condition::Nothing => true,
            Condition::OwnKey => own,
            Condition::OwnKeyAndReady => own && state.ready == copy.known,
        };
        if holds {
            state.ready = state.next_revision();
            for participant in state.participants.iter_mut().filter(|one| one.phase == Phase::Waits) {
                participant.saw_ready = true;
            }
        }
        holds
    }

    fn hear(self, state: &mut State, c: usize, put: bool) {
        state.end_call(c);
        let me = &mut state.participants[c];
        // Another put of `ready` since it arrived admits it as well.
        if put || self.condition != Condition::OwnKeyAndReady || state.ready > me.fence {
            me.phase = Phase::Inside;
            return;
        }
        (me.known, me.sent) = (state.ready, 0);
        state.send(c);
    }
}

/// A participant arrives for the next round when the last one is over; the crate rejects it before.
fn may_come(state: &State, c: usize) -> bool {
    let other = state.participants[1 - c];
    let leaving = matches!(other.phase, Phase::Inside | Phase::Leaves | Phase::GaveUp);
    !(state.keys[1 - c] != 0 && other.round == state.participants[c].round && leaving)
}

fn step(state: &State, then: Then<'_>, step: Step, change: impl FnOnce(&mut State)) {
    let mut state = state.clone();
    change(&mut state);
    then(step, state.canonical());
}

impl Model for Barrier {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        let participant =
            Participant { round: 0, phase: Phase::Outside, fence: 0, known: 0, saw_ready: false, sent: 0 };
        State {
            revision: 0,
            keys: [0; 2],
            ready: 0,
            participants: [participant; 2],
            copies: Vec::new(),
            cancellations: 2,
        }
    }

    fn steps(&self, state: &State, then: Then<'_>) {
        for c in [0, 1] {
            self.participant_steps(state, c, then);
        }
        for (i, &copy) in state.copies.iter().enumerate() {
            step(state, then, Step::AppliedWithoutAnswer(copy), |state| {
                state.copies.remove(i);
                self.apply(state, copy);
            });
            if copy.current {
                step(state, then, Step::Applied(copy), |state| {
                    state.copies.remove(i);
                    let put = self.apply(state, copy);
                    self.hear(state, usize::from(copy.from), put);
                });
            }
        }
    }

    fn violations(&self, state: &State) -> Vec<&'static str> {
        let [one, two] = &state.participants;
        let alone =
            |one: &Participant, two: &Participant| one.phase == Phase::Inside && two.round < one.round;
        let mut found = Vec::new();
        if alone(one, two) || alone(two, one) {
            found.push(ALONE);
        }
        let at_rest = |one: &Participant| one.phase == Phase::Outside;
        // After one participant gave up, the other waits for a participant that never arrives.
        let gave_up = state.participants.iter().any(|one| one.phase == Phase::GaveUp);
        let mut moves = false;
        self.steps(state, &mut |_, _| moves = true);
        let done = gave_up || (at_rest(one) && at_rest(two));
        if !moves && !done {
            found.push(STUCK);
        }
        found
    }
}

const ALONE: &str = "entered alone";
const STUCK: &str = "waits for ever";

#[track_caller]
fn assert_found(condition: Condition, states: usize, expected: &[&str]) {
    let explored = explore(&Barrier { condition }, states);
    let found: Vec<_> = explored.violations.keys().copied().collect();
    explored.assert_states(states);
    assert_eq!(found, expected, "{:#?}", explored.violations);
}

#[test]
fn ready_without_a_condition_is_caught() {
    assert_found(Condition::Nothing, 1_535, &[ALONE, STUCK]);
}

#[test]
fn ready_under_the_own_key_is_safe() {
    assert_found(Condition::OwnKey, 891, &[]);
}

#[test]
fn ready_under_the_own_key_and_its_revision_is_safe() {
    assert_found(Condition::OwnKeyAndReady, 891, &[]);
}
