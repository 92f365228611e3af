//! Two contenders for one lock that take a lease for each entry, and revoke it to leave or when an outcome is unknown. One calls
//! `lock` or `try_lock` twice, the other `lock` once.
//!
//! The assumptions of [`locks`](crate::locks) about copies, faults and final states apply here as well.

mod state;
mod steps;

use std::collections::BTreeSet;

use state::{Faults, Phase, State};
use steps::{Next, Step};

use crate::explore::{Model, explore, full};

const TWO_HOLDERS: &str = "two holders";
const ENTRY_DESTROYED: &str = "place destroyed by its owner's late copy";
const GHOST: &str = "ghost";
const HELD_AND_OWNS: &str = "Held and owns";
const BLOCKED: &str = "blocked for life";

#[derive(Clone, Copy, Debug)]
struct Protocol {
    /// An unanswered grant is retried once, with the same id.
    grant_retries: bool,
    /// A rejected `try_lock` revokes its lease before it returns `Locked`.
    rejection_revokes: bool,
    /// A contender leaves by revoking its lease instead of deleting its key.
    exit_revokes: bool,
}

/// The protocol of the crate.
const LEASE_PER_ENTRY: Protocol =
    Protocol { grant_retries: false, rejection_revokes: true, exit_revokes: true };

struct LeaseClient {
    protocol: Protocol,
    faults: Faults,
}

impl Model for LeaseClient {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        State::new([2, 1], self.faults)
    }

    fn steps(&self, state: &State, then: &mut dyn FnMut(Step, State)) {
        let mut next = Next { state, then };
        for c in [0, 1] {
            self.contender_steps(&mut next, c);
        }
        self.world_steps(&mut next);
    }

    fn violations(&self, state: &State) -> Vec<&'static str> {
        let mut found = Vec::new();
        let holds = |c: usize| state.lives(c) && matches!(state.contenders[c].phase, Phase::Hold { .. });
        if holds(0) && holds(1) && !state.deleted {
            found.push(TWO_HOLDERS);
        }
        for c in [0, 1] {
            let contender = state.contenders[c];
            match contender.phase {
                Phase::Hold { fence } | Phase::Wait { fence }
                    if state.lives(c) && state.own(c) != fence && !state.deleted =>
                {
                    found.push(ENTRY_DESTROYED);
                }
                Phase::Idle if state.keys[c].iter().any(|&key| key != 0) => {
                    found.push(GHOST);
                    if contender.told_held && state.is_first(c) {
                        found.push(HELD_AND_OWNS);
                    }
                }
                _ => {}
            }
            if is_end(state) && !matches!(contender.phase, Phase::Idle | Phase::Dead) {
                found.push(BLOCKED);
            }
        }
        found
    }
}

/// Returns whether only faults can happen.
fn is_end(state: &State) -> bool {
    let at_rest = |c: usize| match state.contenders[c].phase {
        Phase::Idle => state.contenders[c].rounds == 0,
        Phase::Wait { fence } => state.own(c) == fence && !state.is_first(c),
        Phase::Dead => true,
        _ => false,
    };
    let expires = |c: usize| {
        let live = |(_, lease): &(usize, &state::Lease)| **lease == state::Lease::Lives;
        state.leases[c].iter().enumerate().filter(live).any(|(entry, _)| !state.is_renewed(c, entry))
    };
    let quiet = state.requests.is_empty() && state.answers.is_empty();
    quiet && [0, 1].into_iter().all(|c| at_rest(c) && !expires(c))
}

/// Copies are delayed and repeated.
const NONE: Faults =
    Faults { cancellations: 0, lost_answers: 0, lost_requests: 0, crashes: 0, expiries: 0, deletions: 0 };
const DELAYS: Faults = Faults { cancellations: 1, ..NONE };
const ANSWERS_LOST: Faults = Faults { lost_answers: 1, ..DELAYS };
const OPERATOR: Faults = Faults { deletions: 1, ..DELAYS };
const LEASES_EXPIRE: Faults = Faults { expiries: 1, ..ANSWERS_LOST };
const ALL: Faults = Faults { lost_requests: 1, crashes: 1, ..LEASES_EXPIRE };

/// Explores one protocol: `runs[0]` in each build, `runs[1]` with `ETCD_MODEL_FULL=1`.
fn explored(name: &str, protocol: Protocol, runs: [(Faults, usize); 2]) -> BTreeSet<&'static str> {
    let (faults, states) = runs[usize::from(full())];
    let explored = explore(&LeaseClient { protocol, faults }, states);
    eprintln!("{name}: {} states, violations {:?}", explored.states, explored.counts());
    explored.assert_states(states);
    explored.violations.into_keys().collect()
}

#[test]
fn lease_per_entry_is_safe() {
    let found = explored("lease per entry", LEASE_PER_ENTRY, [(ANSWERS_LOST, 166_557), (ALL, 1_693_756)]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn lease_per_entry_is_safe_when_leases_expire_and_keys_are_deleted() {
    let found = explored("lease per entry", LEASE_PER_ENTRY, [(OPERATOR, 145_258), (LEASES_EXPIRE, 395_366)]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn retried_grant_is_caught() {
    let broken = Protocol { grant_retries: true, ..LEASE_PER_ENTRY };
    let found = explored("grant retried", broken, [(NONE, 287_753), (DELAYS, 777_650)]);
    assert!(found.is_superset(&BTreeSet::from([GHOST, HELD_AND_OWNS])), "{found:?}");
}

#[test]
fn rejection_without_revocation_is_caught() {
    let broken = Protocol { rejection_revokes: false, ..LEASE_PER_ENTRY };
    let found = explored("Held without revocation", broken, [(DELAYS, 57_587), (ANSWERS_LOST, 168_776)]);
    assert!(found.is_superset(&BTreeSet::from([GHOST, HELD_AND_OWNS])), "{found:?}");
}

#[test]
fn exit_that_only_deletes_is_caught() {
    let broken = Protocol { exit_revokes: false, ..LEASE_PER_ENTRY };
    let found = explored("exit that only deletes", broken, [(NONE, 113_563), (DELAYS, 322_551)]);
    assert!(found.contains(GHOST), "{found:?}");
}
