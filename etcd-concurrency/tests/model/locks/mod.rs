//! Two contenders for one lock: one calls `lock` or `try_lock` twice, the other `lock` once.
//!
//! Any copy may be delayed without bound and overtaken. A budget limits the faults of a run. Each path ends, so that a
//! contender that waits behind an ownerless key in its final state waits until that session ends.

mod contender;
mod protocol;
mod protocols;
mod state;
mod steps;
mod store;

use protocol::Protocol;
use state::{Faults, Phase, State};
use steps::{Next, Step};

use crate::explore::Model;

/// Both contenders hold the lock with valid leases.
const TWO_HOLDERS: &str = "two holders";
/// A key that a contender waits or holds with was deleted, and not by an operator.
const ENTRY_DESTROYED: &str = "place destroyed by its owner's late copy";
/// A key that its owner does not know of.
const GHOST: &str = "ghost for a moment";
const GHOST_FOR_LIFE: &str = "ghost for life";
const HELD_AND_OWNS: &str = "Held and owns for a moment";
const HELD_AND_OWNS_FOR_LIFE: &str = "Held and owns for life";
const BLOCKED: &str = "blocked for life";

struct Locks {
    protocol: Protocol,
    faults: Faults,
    /// The first contender takes over a lease that already has the key.
    takeover: bool,
}

impl Model for Locks {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        let mut start = State::new([2, 1], self.faults);
        if self.takeover {
            start.inherit_key();
        }
        start
    }

    fn steps(&self, state: &State, then: &mut dyn FnMut(Step, State)) {
        let mut next = Next { state, then };
        for c in [0, 1] {
            self.contender_steps(&mut next, c);
        }
        self.network_steps(&mut next);
    }

    fn violations(&self, state: &State) -> Vec<&'static str> {
        let mut found = Vec::new();
        let at_end = is_end(state);
        let holds = |c: usize| state.leases[c] && matches!(state.contenders[c].phase, Phase::Hold { .. });
        if holds(0) && holds(1) && !state.deleted {
            found.push(TWO_HOLDERS);
        }
        for c in [0, 1].into_iter().filter(|&c| state.leases[c]) {
            of_contender(state, c, at_end, &mut found);
        }
        found
    }
}

fn of_contender(state: &State, c: usize, at_end: bool, found: &mut Vec<&'static str>) {
    let contender = state.contenders[c];
    match contender.phase {
        Phase::Hold { fence } | Phase::Wait { fence } if state.keys[c] != fence && !state.deleted => {
            found.push(ENTRY_DESTROYED);
        }
        // A key from before the takeover stays until a call takes it.
        Phase::Idle if state.keys[c] != 0 && state.keys[c] != state.inherited => {
            let owns = contender.told_held && state.is_first(c);
            found.extend([Some(GHOST), owns.then_some(HELD_AND_OWNS)].into_iter().flatten());
            if at_end {
                found.extend(
                    [Some(GHOST_FOR_LIFE), owns.then_some(HELD_AND_OWNS_FOR_LIFE)].into_iter().flatten(),
                );
            }
        }
        _ => {}
    }
    let behind_inherited = state.inherited != 0 && state.keys[0] == state.inherited;
    if at_end && !behind_inherited && !matches!(contender.phase, Phase::Idle | Phase::Dead) {
        found.push(BLOCKED);
    }
}

/// Returns whether only faults can happen.
fn is_end(state: &State) -> bool {
    let at_rest = |c: usize| match state.contenders[c].phase {
        Phase::Idle => state.leases[c] && state.contenders[c].rounds == 0,
        Phase::Wait { fence } => state.leases[c] && state.keys[c] == fence && !state.is_first(c),
        Phase::Dead => !state.leases[c],
        _ => false,
    };
    state.requests.is_empty() && state.answers.is_empty() && at_rest(0) && at_rest(1)
}
