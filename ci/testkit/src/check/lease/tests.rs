//! A lease that is kept, one that is lost in time, and what each rule catches.

use std::time::Duration;

use super::super::{Limits, Rule, all};
use crate::history::{Action, Change, Edge, Event, History, Keys, LeaseId, Nanos, OpId, Record, Rev, Value};

const LEASE: LeaseId = LeaseId(7);

fn ms(t: u64) -> Nanos {
    Nanos(0).after(Duration::from_millis(t))
}

/// Granted for 3 s at 0, renewed at 1 s and 2 s; the renewal of 3 s is never answered, so that it is over at 5 s.
fn history() -> History {
    let key = |revision, change, lease| Event {
        revision: Rev(revision),
        change,
        key: "k".to_owned(),
        value: Value::of(if change == Change::Put { b"v" } else { b"" }),
        is_create: change == Change::Put,
        lease,
        prev: None,
    };
    let sent = Edge::KeepaliveSent { lease: LEASE };
    let acked = |sent| Edge::KeepaliveAcked { lease: LEASE, sent, ttl_ms: 3000 };
    let put = Action::Put { key: "k".to_owned(), value: Value::of(b"v"), lease: Some(LEASE) };
    let put_seen = key(2, Change::Put, Some(LEASE));
    let edges = [
        (0, Edge::Run { schema: crate::history::SCHEMA, etcd: String::new(), seed: 0 }),
        (10, Edge::LeaseGranted { lease: LEASE, sent: ms(0), ttl_ms: 3000 }),
        (20, Edge::Invoke { op: OpId(1), actions: vec![put] }),
        (30, Edge::Ok { op: OpId(1), revision: Rev(2), changed: Some(true) }),
        (31, Edge::Witness { member: 0, events: vec![put_seen] }),
        (1000, sent.clone()),
        (1010, acked(ms(1000))),
        (2000, sent.clone()),
        (2010, acked(ms(2000))),
        (3000, sent),
        (4990, Edge::LeaseLost { lease: LEASE, reason: "its deadline".to_owned() }),
        (5300, Edge::Witness { member: 0, events: vec![key(3, Change::Delete, None)] }),
    ];
    History::of(edges.map(|(t, edge)| Record { t: ms(t), edge }).to_vec())
}

/// Returns the violations of the changed history.
fn broken(change: impl FnOnce(&mut Vec<Record>)) -> Vec<Rule> {
    let mut history = history();
    change(history.records_mut());
    history.records_mut().sort_by_key(|record| record.t);
    let verdict = all(&history, &Limits::default());
    verdict.violations().iter().map(|violation| violation.rule).collect()
}

/// The place of the line that says that it is lost.
fn lost(records: &[Record]) -> usize {
    records.iter().position(|record| matches!(record.edge, Edge::LeaseLost { .. })).unwrap()
}

#[test]
fn a_lease_that_is_called_lost_in_time_breaks_nothing() {
    assert_eq!(broken(|_| {}), []);
    let figures = all(&history(), &Limits::default()).figures();
    assert_eq!((figures.leases, figures.renewals), (1, 2));
}

#[test]
fn a_loss_after_the_server_ended_it_is_late_twice() {
    let late = broken(|records| {
        let lost = lost(records);
        records[lost].t = ms(5400);
    });
    assert_eq!(late, [Rule::LeaseLate, Rule::LeaseLate]);
}

#[test]
fn a_loss_that_is_never_told_is_late() {
    let never = broken(|records| drop(records.remove(lost(records))));
    assert_eq!(never, [Rule::LeaseLate, Rule::LeaseLate]);
}

#[test]
fn a_deadline_counts_from_the_sending_of_the_renewal() {
    let late = broken(|records| {
        // The renewal of 2 s is answered at 4 s. Counting from the response would trust the lease until 7 s.
        records[8].t = ms(4000);
        let lost = lost(records);
        records[lost].t = ms(6990);
        records.last_mut().unwrap().t = ms(7300);
    });
    assert_eq!(late, [Rule::LeaseLate]);
}

#[test]
fn a_loss_while_renewals_are_answered_is_early_unless_the_server_said_so() {
    let early = |records: &mut Vec<Record>| {
        let lost = lost(records);
        records[lost].t = ms(4000);
    };
    assert_eq!(broken(early), [Rule::LeaseEarly]);
    let unknown = |records: &mut Vec<Record>| {
        early(records);
        let edge = Edge::KeepaliveAcked { lease: LEASE, sent: ms(3000), ttl_ms: 0 };
        records.push(Record { t: ms(3900), edge });
    };
    assert_eq!(broken(unknown), []);
}

#[test]
fn a_lost_lease_is_not_renewed_and_not_lost_again() {
    let renewed = |records: &mut Vec<Record>| {
        records.push(Record { t: ms(5100), edge: Edge::KeepaliveSent { lease: LEASE } });
    };
    assert_eq!(broken(renewed), [Rule::LeaseAfterLoss]);
    let again = |records: &mut Vec<Record>| {
        records.push(Record { t: ms(5100), edge: records[lost(records)].edge.clone() });
    };
    assert_eq!(broken(again), [Rule::LeaseAfterLoss]);
}

#[test]
fn a_key_that_somebody_deleted_is_no_witness_of_an_expiry() {
    let deleted = |op, outcome| {
        move |records: &mut Vec<Record>| {
            // The deletion is seen while the lease lives on.
            let witness = records.last_mut().unwrap();
            witness.t = ms(4000);
            let actions = vec![Action::Delete { keys: Keys::one("k") }];
            records.push(Record { t: ms(3950), edge: Edge::Invoke { op, actions } });
            records.push(Record { t: ms(4050), edge: outcome });
        }
    };
    let op = OpId(2);
    let unknown = Edge::Unknown { op, reason: String::new() };
    assert_eq!(broken(deleted(op, unknown)), []);
    assert_eq!(broken(deleted(op, Edge::Ok { op, revision: Rev(3), changed: Some(true) })), []);
    let before = Edge::Ok { op, revision: Rev(2), changed: Some(false) };
    assert_eq!(broken(deleted(op, before)), [Rule::LeaseLate]);
    let refused = Edge::NotApplied { op, reason: String::new() };
    assert_eq!(broken(deleted(op, refused)), [Rule::LeaseLate]);
}

/// The lease is renewed until 4 s and ended by the store at `ended`, after a member was paused; its holder hears of it
/// at 4.3 s.
fn revoked_after_a_pause(paused: u64, resumed: u64, ended: u64) -> Vec<Rule> {
    broken(|records| {
        let fault = |what: &str| Edge::Fault { member: 1, what: what.to_owned() };
        records.push(Record { t: ms(paused), edge: fault("pause") });
        records.push(Record { t: ms(resumed), edge: fault("pause is over") });
        let lost = lost(records);
        records[lost].t = ms(4300);
        records[lost + 1].t = ms(ended);
        let gone = Edge::KeepaliveAcked { lease: LEASE, sent: ms(4200), ttl_ms: 0 };
        records.push(Record { t: ms(4290), edge: gone });
    })
}

#[test]
fn a_thawed_member_may_revoke_what_expired_before_it_was_paused_and_no_other_may() {
    // It was paused after the grant, which is over at 3 s by what it knows.
    assert_eq!(revoked_after_a_pause(500, 3900, 4000), []);
    // The pause was too short to expire it, or was not over.
    assert_eq!(revoked_after_a_pause(500, 1500, 4000), [Rule::LeaseLate]);
    assert_eq!(revoked_after_a_pause(500, 4100, 4000), [Rule::LeaseLate]);
    // It knew of the renewal of 2 s, so that the lease lives until 5 s.
    assert_eq!(revoked_after_a_pause(2500, 3900, 4000), [Rule::LeaseLate]);
    let late = |limits: Limits| {
        let mut history = history();
        let fault =
            |t, what: &str| Record { t: ms(t), edge: Edge::Fault { member: 0, what: what.to_owned() } };
        history.records_mut().extend([fault(500, "pause"), fault(2500, "pause is over")]);
        let lost = lost(history.records_mut());
        history.records_mut()[lost].t = ms(4300);
        history.records_mut()[lost + 1].t = ms(4000);
        history.records_mut().sort_by_key(|record| record.t);
        let verdict = all(&history, &limits);
        (verdict.figures().thawed, verdict.violations().len())
    };
    assert_eq!(late(Limits::default()), (1, 0));
    assert_eq!(late(Limits { thaw: Duration::from_secs(1), ..Limits::default() }), (0, 1));
}
