//! The limits and the waits of the state machine, with time and answers as arguments.

use std::time::Duration;

use etcd_errors::{Code, Error, ErrorKind, Outcome};

use crate::{
    types::{KeyValue, LeaseId, Revision},
    update::{
        conflict::Conflict,
        evidence::{Answer, mark},
        marker::Marker,
        response::Updated,
        state::{Bounds, Machine, Now, Step},
        write::Next,
    },
};

const BOUNDS: Bounds =
    Bounds { attempts: 3, timeout: Duration::from_secs(10), resolve: Duration::from_secs(20) };

fn at(seconds: u64) -> Now {
    Now { elapsed: Duration::from_secs(seconds), random: u64::MAX }
}

fn kv(value: &str, modified: i64) -> KeyValue {
    KeyValue::new("k", value).with_revisions(5, modified)
}

fn found(current: impl Into<Option<KeyValue>>, marker: impl Into<Option<KeyValue>>) -> Answer {
    Answer { succeeded: false, revision: 100.into(), current: current.into(), marker: marker.into() }
}

fn applied(revision: i64) -> Answer {
    Answer { succeeded: true, revision: revision.into(), ..Answer::default() }
}

fn lost() -> Error {
    Error::new(ErrorKind::Timeout, "lost").with_outcome(Outcome::Unknown)
}

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "no connection")
}

fn marker() -> Marker {
    Marker::new(&"m/".into(), LeaseId::new(7).expect("not zero"), 1)
}

/// Returns a machine whose first attempt expects revision 5 and is ready to be sent.
fn attempting() -> Machine {
    attempting_with(marker())
}

fn attempting_with(marker: Marker) -> Machine {
    let mut machine = Machine::new("k".into(), None, BOUNDS);
    assert_eq!(machine.step(), Step::Read);
    machine.read(Ok(found(kv("a", 5), None)), at(0));
    assert_eq!(machine.step(), Step::Decide);
    machine.decided("b".into());
    assert_eq!(machine.step(), Step::Draw);
    machine.drawn(Ok(marker), at(0));
    assert_eq!(machine.step(), Step::Attempt);
    machine
}

/// Returns a machine whose first attempt was sent and has an unknown outcome.
fn unresolved() -> Machine {
    let mut machine = attempting();
    machine.attempted(Err(lost()), at(1));
    assert_eq!(machine.step(), Step::Resolve);
    machine
}

fn ended(mut machine: Machine) -> Result<Updated, Error> {
    assert_eq!(machine.step(), Step::Done);
    machine.take_result().expect("a result")
}

#[test]
fn applied_attempt_returns_both_values() {
    let mut machine = attempting();
    machine.attempted(Ok(applied(9)), at(0));
    let updated = ended(machine).expect("applied");
    assert_eq!((updated.changed, updated.revision, updated.attempts), (true, Revision::new(9), 1));
    assert_eq!(updated.previous, Some(kv("a", 5)));
    assert_eq!(updated.current, Some(kv("b", 9).with_version(2)));
}

#[test]
fn first_conflict_is_retried_at_once_and_later_ones_after_a_pause() {
    let mut machine = attempting();
    machine.attempted(Ok(found(kv("c", 8), None)), at(0));
    assert_eq!(machine.step(), Step::Decide, "the answer has the current value");
    assert_eq!(machine.current(), Some(&kv("c", 8)));
    machine.decided("d".into());
    machine.attempted(Ok(found(kv("e", 9), None)), at(0));
    let Step::Wait(delay) = machine.step() else { panic!("{:?}", machine.step()) };
    assert!(delay > Duration::ZERO && delay < Duration::from_millis(250), "{delay:?}");
    machine.waited(at(0));
    assert_eq!(machine.step(), Step::Read, "the value is old after a pause");
}

#[test]
fn last_conflict_is_reported() {
    let mut machine = attempting();
    for revision in 8..10 {
        machine.attempted(Ok(found(kv("c", revision), None)), at(0));
        if let Step::Wait(_) = machine.step() {
            machine.waited(at(0));
            machine.read(Ok(found(kv("c", revision), None)), at(0));
        }
        machine.decided("d".into());
    }
    machine.attempted(Ok(found(kv("last", 10), None)), at(0));
    let error = ended(machine).expect_err("too many");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Conflict, Outcome::NotApplied));
    let conflict = Conflict::of(&error).expect("a conflict");
    assert_eq!((conflict.attempts(), conflict.current()), (3, Some(&kv("last", 10))));
    assert_eq!(error.to_string(), "update: other clients changed the key during each of 3 attempts");
}

#[test]
fn conflict_after_the_timeout_is_the_last() {
    let mut machine = attempting();
    machine.attempted(Ok(found(kv("c", 8), None)), at(10));
    assert_eq!(ended(machine).expect_err("late").kind(), ErrorKind::Conflict);
}

#[test]
fn conflict_is_reported_when_time_ends_during_a_pause() {
    let mut machine = attempting();
    machine.attempted(Ok(found(kv("c", 8), None)), at(0));
    machine.decided("d".into());
    machine.attempted(Ok(found(kv("e", 9), None)), at(9));
    machine.waited(at(10));
    assert_eq!(ended(machine).expect_err("late").kind(), ErrorKind::Conflict);
}

#[test]
fn lost_attempt_that_was_applied_is_found_by_its_marker() {
    let mut machine = unresolved();
    let marker = KeyValue::new("m/7/1", mark(1)).with_revisions(9, 9);
    // Another client has written the key since.
    machine.resolved(Ok(found(kv("other", 12), marker)), at(1));
    let updated = ended(machine).expect("applied");
    assert_eq!((updated.changed, updated.revision), (true, Revision::new(9)));
    assert_eq!(updated.current, Some(kv("b", 9).with_version(2)));
}

#[test]
fn lost_attempt_that_was_not_applied_is_retried() {
    let mut machine = unresolved();
    machine.resolved(Ok(Answer { current: Some(kv("a", 5)), ..applied(9) }), at(1));
    assert_eq!(machine.step(), Step::Decide);
    assert_eq!(machine.marker().expect("kept").known, Revision::new(9));
    machine.decided("b".into());
    assert_eq!(machine.attempt().expect("another").number, 2);
}

#[test]
fn resolution_continues_beyond_the_timeout() {
    let mut machine = unresolved();
    for second in [9, 11, 20, 29] {
        machine.resolved(Err(lost()), at(second));
        let Step::Wait(delay) = machine.step() else { panic!("{:?} at {second} s", machine.step()) };
        assert!(delay <= Duration::from_secs(30 - second), "{delay:?} at {second} s");
        machine.waited(at(second));
        assert_eq!(machine.step(), Step::Resolve);
    }
    machine.resolved(Err(unavailable()), at(30));
    let error = ended(machine).expect_err("nothing answers");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::Unknown));
}

#[test]
fn attempt_that_is_dead_after_the_timeout_is_reported_as_not_applied() {
    let mut machine = unresolved();
    machine.resolved(Ok(Answer { current: Some(kv("a", 5)), ..applied(9) }), at(12));
    let error = ended(machine).expect_err("late");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NotApplied));
}

#[test]
fn marker_is_read_when_it_cannot_be_written() {
    let mut machine = attempting_with(Marker { known: 4.into(), ..marker() });
    let unmoved = KeyValue::new("m/7/1", mark(77)).with_revisions(4, 4);
    machine.attempted(Err(lost()), at(1));
    machine.resolved(Err(Code::NoSpace.into()), at(1));
    assert_eq!(machine.step(), Step::Inspect);
    machine.inspected(Ok(found(kv("a", 5), unmoved.clone())), at(1));
    assert!(matches!(machine.step(), Step::Wait(_)), "a copy may still be applied: {:?}", machine.step());

    machine.waited(at(2));
    machine.resolved(Err(Code::NoSpace.into()), at(2));
    machine.inspected(Ok(found(kv("other", 6), unmoved)), at(2));
    assert_eq!(machine.step(), Step::Decide, "the attempt expected revision 5, which is gone for good");
}

#[test]
fn full_database_is_reported_at_once() {
    let mut machine = attempting();
    machine.attempted(Err(Code::NoSpace.into()), at(0));
    assert_eq!(machine.step(), Step::Inspect);
    machine.inspected(Ok(found(kv("a", 5), None)), at(0));
    let error = ended(machine).expect_err("full");
    assert!(error.is_no_space() && error.outcome() == Outcome::NotApplied, "{error:?}");

    let mut machine = attempting();
    machine.attempted(Err(Code::NoSpace.into()), at(0));
    machine.inspected(Ok(found(kv("b", 9), KeyValue::new("m/7/1", mark(1)).with_revisions(9, 9))), at(0));
    assert!(ended(machine).expect("the write that filled the database").changed);
}

#[test]
fn missing_marker_proves_nothing_without_its_lease() {
    let mut machine = unresolved();
    machine.resolved(Err(Code::NoSpace.into()), at(1));
    // The attempt may have written this value, and the marker may have been deleted with its lease.
    machine.inspected(Ok(found(kv("b", 6), None)), at(1));
    assert!(matches!(machine.step(), Step::Wait(_)), "{:?}", machine.step());
}

#[test]
fn deleted_marker_leaves_the_outcome_open_only_if_the_key_changed() {
    for (current, known) in [(kv("a", 5), true), (kv("other", 6), false)] {
        let mut machine = attempting_with(Marker { known: 4.into(), ..marker() });
        machine.attempted(Err(lost()), at(1));
        machine.resolved(Ok(found(current.clone(), None)), at(1));
        if known {
            assert_eq!((machine.step(), machine.marker()), (Step::Decide, None));
        } else {
            assert_eq!(ended(machine).expect_err("open").outcome(), Outcome::Unknown, "{current:?}");
        }
    }
}

#[test]
fn copies_of_an_attempt_on_a_missing_key_stay_possible_after_a_deletion() {
    let mut machine = Machine::assuming_missing("k".into(), None, BOUNDS);
    machine.decided("b".into());
    machine.drawn(Ok(marker()), at(0));
    machine.attempted(Err(lost()), at(0));
    machine.resolved(Err(Code::NoSpace.into()), at(1));
    machine.inspected(Ok(found(kv("other", 6), None)), at(1));
    assert!(matches!(machine.step(), Step::Wait(_)), "{:?}", machine.step());
}

#[test]
fn lost_lease_leaves_the_outcome_open_only_if_the_key_changed() {
    for (current, known) in [(Some(kv("a", 5)), true), (Some(kv("other", 6)), false), (None, false)] {
        let mut machine = unresolved();
        machine.resolved(Err(Code::LeaseNotFound.into()), at(1));
        machine.inspected(Ok(found(current.clone(), None)), at(1));
        if known {
            assert_eq!((machine.step(), machine.marker()), (Step::Decide, None));
        } else {
            assert_eq!(ended(machine).expect_err("open").outcome(), Outcome::Unknown, "{current:?}");
        }
    }
}

#[test]
fn unknown_lease_gets_one_other_marker() {
    let mut machine = attempting();
    machine.attempted(Err(Code::LeaseNotFound.into()), at(0));
    assert_eq!((machine.step(), machine.marker()), (Step::Draw, None));
    machine.drawn(Ok(marker()), at(0));
    // The lease of the key is unknown as well.
    machine.attempted(Err(Code::LeaseNotFound.into()), at(0));
    assert!(ended(machine).expect_err("unknown lease").is_lease_not_found());
}

#[test]
fn marker_moved_by_an_abandoned_update_is_adopted() {
    let mut machine = attempting();
    let moved = KeyValue::new("m/7/1", mark(77)).with_revisions(6, 8);
    machine.attempted(Ok(found(kv("a", 5), moved)), at(0));
    assert_eq!(machine.step(), Step::Decide);
    assert_eq!(machine.marker().expect("kept").known, Revision::new(8));
}

#[test]
fn deleted_marker_is_not_used_again() {
    let mut machine = Machine::new("k".into(), None, BOUNDS);
    machine.read(Ok(found(kv("a", 5), None)), at(0));
    machine.decided("b".into());
    machine.drawn(Ok(Marker { known: 4.into(), ..marker() }), at(0));
    machine.attempted(Ok(found(kv("a", 5), None)), at(0));
    machine.decided("b".into());
    assert_eq!((machine.step(), machine.marker()), (Step::Draw, None));
}

#[test]
fn transient_errors_are_retried_until_the_timeout() {
    let mut machine = Machine::new("k".into(), None, BOUNDS);
    machine.read(Err(unavailable()), at(1));
    assert!(matches!(machine.step(), Step::Wait(_)));
    machine.waited(at(2));
    assert_eq!(machine.step(), Step::Read);
    machine.read(Err(unavailable()), at(10));
    assert_eq!(ended(machine).expect_err("late").kind(), ErrorKind::Unavailable);

    let mut machine = attempting();
    machine.attempted(Err(Code::PermissionDenied.into()), at(0));
    assert!(ended(machine).expect_err("final").is_permission_denied());
}

#[test]
fn nothing_is_sent_for_a_key_that_stays() {
    for next in [Next::Keep, Next::Delete] {
        let mut machine = Machine::new("k".into(), None, BOUNDS);
        machine.read(Ok(found(None, None)), at(0));
        machine.decided(next);
        let updated = ended(machine).expect("unchanged");
        assert_eq!((updated.changed, updated.revision, updated.attempts), (false, Revision::new(100), 0));
    }
    let mut machine = Machine::new("k".into(), None, BOUNDS);
    machine.read(Ok(found(None, None)), at(0));
    machine.decided(Next::Abort(Error::new(ErrorKind::InvalidData, "not a number")));
    assert_eq!(ended(machine).expect_err("aborted").to_string(), "update: not a number");
}

#[test]
fn key_keeps_its_lease_unless_another_one_is_set() {
    let (kept, other) = (LeaseId::new(1), LeaseId::new(2));
    for (set, expected) in [(None, kept), (other, other)] {
        let mut machine = Machine::new("k".into(), set, BOUNDS);
        machine.read(Ok(found(kv("a", 5).with_lease(kept), None)), at(0));
        machine.decided("b".into());
        machine.drawn(Ok(marker()), at(0));
        machine.attempted(Ok(applied(9)), at(0));
        assert_eq!(ended(machine).expect("applied").current.expect("put").lease, expected);
    }
}
