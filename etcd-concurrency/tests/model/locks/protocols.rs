//! The safe protocols, and the violations that each of the others shows.

use std::collections::BTreeSet;

use super::{
    ENTRY_DESTROYED, GHOST_FOR_LIFE, HELD_AND_OWNS_FOR_LIFE, Locks, TWO_HOLDERS,
    protocol::{
        Protocol, Rejection, SWEEP_BY_LEASE, SWEEP_WITHOUT_RETRIES, TOKEN, TOKEN_NESTED,
        TOKEN_REJECTIONS_BURN, Unknown,
    },
    state::Faults,
};
use crate::explore::{explore, full};

/// Copies are delayed and repeated, and one call is cancelled.
const DELAYS: Faults =
    Faults { cancellations: 1, lost_answers: 0, lost_requests: 0, crashes: 0, expiries: 0, deletions: 0 };
const ANSWERS_LOST: Faults = Faults { lost_answers: 1, ..DELAYS };
const LEASES_EXPIRE: Faults = Faults { expiries: 1, ..DELAYS };
const OPERATOR: Faults = Faults { deletions: 1, ..DELAYS };
const OPERATOR_TOO: Faults = Faults { lost_answers: 1, ..OPERATOR };
const REQUESTS_LOST: Faults = Faults { lost_requests: 1, ..ANSWERS_LOST };
const ALL: Faults = Faults { crashes: 1, expiries: 1, ..REQUESTS_LOST };

/// A fault budget and the exact number of states that it leads to.
type Run = (Faults, usize);

/// Explores one protocol and returns the violations.
///
/// The first run is used in each build, the second with `ETCD_MODEL_FULL=1`.
fn explored(name: &str, protocol: Protocol, takeover: bool, runs: [Run; 2]) -> BTreeSet<&'static str> {
    let (faults, states) = runs[usize::from(full())];
    let explored = explore(&Locks { protocol, faults, takeover }, states);
    eprintln!("{name}: {} states, violations {:?}", explored.states, explored.counts());
    explored.assert_states(states);
    explored.violations.into_keys().collect()
}

fn assert_safe(name: &str, protocol: Protocol, takeover: bool, runs: [Run; 2]) {
    let found = explored(name, protocol, takeover, runs);
    assert!(found.is_empty(), "{name}: {found:?}");
}

fn assert_caught(name: &str, protocol: Protocol, takeover: bool, kinds: &[&'static str], runs: [Run; 2]) {
    let found = explored(name, protocol, takeover, runs);
    assert!(found.is_superset(&kinds.iter().copied().collect()), "{name}: only {found:?}");
}

#[test]
fn token_rejections_burn_is_safe() {
    assert_safe(
        "token_rejections_burn",
        TOKEN_REJECTIONS_BURN,
        false,
        [(LEASES_EXPIRE, 205_925), (ALL, 4_311_914)],
    );
}

#[test]
fn token_rejections_burn_is_safe_when_responses_are_lost() {
    assert_safe(
        "token_rejections_burn",
        TOKEN_REJECTIONS_BURN,
        false,
        [(ANSWERS_LOST, 171_020), (REQUESTS_LOST, 555_057)],
    );
}

#[test]
fn token_rejections_burn_is_safe_when_keys_are_deleted() {
    assert_safe(
        "token_rejections_burn",
        TOKEN_REJECTIONS_BURN,
        false,
        [(OPERATOR, 151_982), (OPERATOR_TOO, 590_406)],
    );
}

#[test]
fn token_rejections_burn_is_safe_after_a_takeover() {
    assert_safe(
        "token_rejections_burn",
        TOKEN_REJECTIONS_BURN,
        true,
        [(ANSWERS_LOST, 170_701), (ALL, 4_258_154)],
    );
}

#[test]
fn token_is_safe() {
    assert_safe("token", TOKEN, false, [(ANSWERS_LOST, 229_278), (ALL, 5_796_549)]);
}

#[test]
fn token_nested_is_safe() {
    assert_safe("token_nested", TOKEN_NESTED, false, [(ANSWERS_LOST, 171_020), (ALL, 4_311_914)]);
}

/// Taking over an existing key leaves the token of a rejected `lock` unspent, so a late copy creates the key after the exit.
///
/// Without a takeover no `lock` finds a key of its lease, and `token_nested` has the states of `token_rejections_burn`.
#[test]
fn token_without_burns_of_all_rejections_is_caught_after_a_takeover() {
    let kinds = &[GHOST_FOR_LIFE];
    assert_caught("token", TOKEN, true, kinds, [(DELAYS, 55_765), (ANSWERS_LOST, 202_535)]);
    assert_caught("token_nested", TOKEN_NESTED, true, kinds, [(DELAYS, 50_681), (ANSWERS_LOST, 198_462)]);
}

#[test]
fn sweep_by_lease_is_caught() {
    let kinds = &[TWO_HOLDERS, ENTRY_DESTROYED, GHOST_FOR_LIFE, HELD_AND_OWNS_FOR_LIFE];
    assert_caught("sweep_by_lease", SWEEP_BY_LEASE, false, kinds, [(DELAYS, 74_730), (ALL, 3_248_120)]);
}

#[test]
fn sweep_by_lease_without_retries_is_caught() {
    let kinds = &[TWO_HOLDERS, ENTRY_DESTROYED, GHOST_FOR_LIFE, HELD_AND_OWNS_FOR_LIFE];
    assert_caught(
        "sweep_without_retries",
        SWEEP_WITHOUT_RETRIES,
        false,
        kinds,
        [(DELAYS, 8_574), (ALL, 536_029)],
    );
}

#[test]
fn rejection_without_burn_is_caught() {
    let broken = Protocol { rejection: Rejection::KeepsToken, ..TOKEN_REJECTIONS_BURN };
    let kinds = &[GHOST_FOR_LIFE, HELD_AND_OWNS_FOR_LIFE];
    assert_caught("rejection without burn", broken, false, kinds, [(DELAYS, 46_798), (ALL, 4_581_030)]);
}

#[test]
fn entry_that_keeps_its_token_is_caught() {
    let broken = Protocol { spends: false, ..TOKEN };
    let runs = [(DELAYS, 108_062), (REQUESTS_LOST, 1_181_422)];
    assert_caught("entry keeps token", broken, false, &[GHOST_FOR_LIFE, HELD_AND_OWNS_FOR_LIFE], runs);
    let broken = Protocol { spends: false, ..TOKEN_REJECTIONS_BURN };
    let runs = [(DELAYS, 288_792), (ANSWERS_LOST, 1_003_344)];
    assert_caught("entry keeps token, rejection burn", broken, false, &[GHOST_FOR_LIFE], runs);
}

#[test]
fn deletion_by_lease_is_caught() {
    let kinds = &[TWO_HOLDERS, ENTRY_DESTROYED, GHOST_FOR_LIFE];
    let broken = Protocol { unknown: Unknown::Sweep(1), ..TOKEN_REJECTIONS_BURN };
    assert_caught("deletion by lease", broken, false, kinds, [(DELAYS, 49_664), (REQUESTS_LOST, 554_066)]);
}

#[test]
fn burn_without_compare_is_caught() {
    let broken = Protocol { burn_compares: false, ..TOKEN_REJECTIONS_BURN };
    let runs = [(DELAYS, 68_034), (ANSWERS_LOST, 312_509)];
    assert_caught("burn without compare", broken, false, &[GHOST_FOR_LIFE], runs);
}

#[test]
fn exit_without_compare_is_caught() {
    let broken = Protocol { exit_compares: false, ..TOKEN_REJECTIONS_BURN };
    let runs = [(DELAYS, 57_493), (ANSWERS_LOST, 223_237)];
    assert_caught("exit without compare", broken, false, &[TWO_HOLDERS, ENTRY_DESTROYED], runs);
}
