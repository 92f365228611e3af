//! Three holders one after the other, and what each rule catches.

use std::time::Duration;

use super::super::{Limits, Rule, all};
use crate::history::{Change, Edge, Event, History, HoldId, LeaseId, Nanos, Record, Rev, Share, Value};

fn ms(t: u64) -> Nanos {
    Nanos(0).after(Duration::from_millis(t))
}

/// The first gives it back, the second loses it with its lease, the third still holds it.
fn history() -> History {
    let acquired = |hold: u64, fence| Edge::LockAcquired {
        hold: HoldId(hold),
        name: "job".to_owned(),
        fence: Rev(fence),
        lease: LeaseId(hold as i64),
        share: Share::Alone,
    };
    let granted = |lease| Edge::LeaseGranted { lease: LeaseId(lease), sent: ms(0), ttl_ms: 3000 };
    let edges = [
        (0, Edge::Run { schema: crate::history::SCHEMA, etcd: String::new(), seed: 0 }),
        (1, granted(1)),
        (2, granted(2)),
        (100, acquired(1, 10)),
        (200, Edge::Unlock { hold: HoldId(1) }),
        (250, acquired(2, 12)),
        (900, Edge::Unlock { hold: HoldId(1) }),
        (3000, Edge::LeaseLost { lease: LeaseId(1), reason: String::new() }),
        (3000, Edge::LeaseLost { lease: LeaseId(2), reason: String::new() }),
        (3001, Edge::LockLost { hold: HoldId(2), reason: String::new() }),
        (3200, acquired(3, 15)),
        (4000, Edge::Quiesced { revision: Rev(1) }),
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

#[test]
fn holders_one_after_the_other_break_nothing() {
    assert_eq!(broken(|_| {}), []);
    assert_eq!(all(&history(), &Limits::default()).figures().holds, 3);
}

#[test]
fn a_second_holder_before_the_first_gave_it_back_overlaps() {
    assert_eq!(broken(|records| records[5].t = ms(150)), [Rule::LockOverlap]);
}

#[test]
fn a_second_holder_beyond_the_lease_of_the_first_is_no_overlap_but_the_first_is_late() {
    let late = broken(|records| {
        records[9].t = ms(3500);
    });
    assert_eq!(late, [Rule::LockLate]);
    // The lease was renewed, as its holder knew, so the third hold started too early.
    let renewed = broken(|records| {
        records[9].t = ms(3500);
        records.remove(8);
        let edge = Edge::KeepaliveAcked { lease: LeaseId(2), sent: ms(2500), ttl_ms: 3000 };
        records.push(Record { t: ms(2510), edge });
    });
    assert_eq!(renewed, [Rule::LockOverlap]);
}

#[test]
fn a_later_holder_with_a_lower_or_the_same_fence_is_out_of_order() {
    let fence = |number| {
        broken(|records| {
            if let Edge::LockAcquired { fence, .. } = &mut records[5].edge {
                *fence = Rev(number);
            }
        })
    };
    assert_eq!(fence(9), [Rule::LockOrder]);
    assert_eq!(fence(10), [Rule::LockOrder]);
}

#[test]
fn what_was_not_acquired_cannot_end() {
    let edge = Edge::Unlock { hold: HoldId(9) };
    assert_eq!(broken(|records| records.push(Record { t: ms(3999), edge })), [Rule::LockOrder]);
}

/// The second holder's lease is ended by the store at 2 s, after a pause, and the third acquires at 2.2 s.
fn early_end(paused: bool) -> Vec<Rule> {
    broken(|records| {
        let key = |revision, change, lease| Event {
            revision: Rev(revision),
            change,
            key: "s/2".to_owned(),
            value: Value::of(b""),
            is_create: change == Change::Put,
            lease,
            prev: None,
        };
        let seen = |t, event| Record { t: ms(t), edge: Edge::Witness { member: 0, events: vec![event] } };
        let fault =
            |t, what: &str| Record { t: ms(t), edge: Edge::Fault { member: 0, what: what.to_owned() } };
        records.push(seen(50, key(2, Change::Put, Some(LeaseId(2)))));
        records.push(seen(2000, key(3, Change::Delete, None)));
        if paused {
            records.extend([fault(60, "pause"), fault(1990, "pause is over")]);
        }
        // Granted for so long that only the third pause can have made it expire.
        let Edge::LeaseGranted { ttl_ms, .. } = &mut records[2].edge else { panic!() };
        *ttl_ms = 1900;
        let renewed = Edge::KeepaliveAcked { lease: LeaseId(2), sent: ms(1500), ttl_ms: 1900 };
        records.push(Record { t: ms(1510), edge: renewed });
        records[10].t = ms(2200);
        (records[8].t, records[9].t) = (ms(2300), ms(2301));
    })
}

#[test]
fn a_hold_ends_where_a_thawed_member_revoked_its_lease() {
    assert_eq!(early_end(true), []);
    assert_eq!(early_end(false), [Rule::LeaseLate, Rule::LockOverlap]);
}

/// The three of the history, the second from 150 ms on, with these shares.
fn shared(shares: [Share; 3], order: [i64; 3]) -> Vec<Rule> {
    broken(|records| {
        records[5].t = ms(150);
        let (mut shares, mut order) = (shares.into_iter(), order.into_iter());
        for record in records.iter_mut() {
            if let Edge::LockAcquired { share, fence, .. } = &mut record.edge {
                (*share, *fence) = (shares.next().unwrap(), Rev(order.next().unwrap()));
            }
        }
    })
}

#[test]
fn readers_share_and_permits_are_counted() {
    use Share::{Alone, Anybody, Permits, Readers};
    let fences = [10, 12, 15];
    assert_eq!(shared([Readers, Readers, Alone], fences), []);
    assert_eq!(shared([Readers, Alone, Readers], fences), [Rule::LockOverlap]);
    assert_eq!(shared([Alone, Readers, Readers], fences), [Rule::LockOverlap]);
    assert_eq!(shared([Permits(2), Permits(2), Permits(2)], fences), []);
    assert_eq!(shared([Permits(1), Permits(1), Permits(1)], fences), [Rule::LockOverlap]);
    assert_eq!(shared([Anybody, Anybody, Anybody], fences), []);
    // Readers overtake each other. No client overtakes a writer, and a writer overtakes no client.
    assert_eq!(shared([Readers, Readers, Alone], [12, 10, 15]), []);
    assert_eq!(shared([Readers, Readers, Alone], [10, 15, 12]), [Rule::LockOrder]);
    assert_eq!(shared([Permits(2), Permits(2), Permits(2)], [10, 10, 12]), [Rule::LockOrder]);
}

#[test]
fn a_hold_on_a_lease_that_is_not_recorded_ends_with_its_key() {
    let unknown = |deleted: Option<u64>| {
        broken(|records| {
            records.remove(9);
            let key = |revision, change| Event {
                revision: Rev(revision),
                change,
                key: "job/9".to_owned(),
                value: Value::of(b""),
                is_create: change == Change::Put,
                lease: None,
                prev: None,
            };
            let seen = |t, event| Record { t: ms(t), edge: Edge::Witness { member: 0, events: vec![event] } };
            records.push(seen(240, key(12, Change::Put)));
            records.extend(deleted.map(|at| seen(at, key(13, Change::Delete))));
            if let Edge::LockAcquired { lease, .. } = &mut records[5].edge {
                *lease = LeaseId(9);
            }
        })
    };
    // The third acquires at 3.2 s, and a witness may be late by a second.
    assert_eq!(unknown(Some(4100)), []);
    assert_eq!(unknown(Some(4300)), [Rule::LockOverlap]);
    // The first holder releases at 200 ms. After that nothing can be held, because the key is gone at 245 ms.
    assert_eq!(unknown(Some(245)), []);
    assert_eq!(unknown(None), [Rule::LockOverlap]);
}
