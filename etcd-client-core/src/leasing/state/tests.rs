//! The cache and the ownerships, with the time as an argument.

use std::time::{Duration, Instant};

use super::{AcquireEnd, Owner, Read, Release, State, WriteEnd, WriteTicket, targets::Span};
use crate::{
    kv::{Get, GetResponse},
    txn::{Compare, Txn},
    types::{Key, KeyValue, LeaseId, ResponseHeader, Revision},
};

const SECOND: Duration = Duration::from_secs(1);

/// A state with a session, and the clock.
struct Fixture {
    state: State,
    now: Instant,
    deadline: Instant,
}

fn lease(number: i64) -> LeaseId {
    LeaseId::new(number).expect("not zero")
}

fn header(revision: i64) -> ResponseHeader {
    ResponseHeader { revision: Revision::new(revision), ..ResponseHeader::default() }
}

fn pair(key: &str, value: &str, revision: i64) -> Option<KeyValue> {
    Some(KeyValue::new(key, value).with_revisions(revision, revision))
}

fn span(start: &str, end: &str) -> Span {
    Span { start: start.into(), end: Some(end.into()) }
}

fn ours(created: i64) -> Owner {
    Owner { created: Revision::new(created), lease: Some(lease(1)), revoked: false }
}

fn theirs(created: i64) -> Owner {
    Owner { lease: Some(lease(2)), ..ours(created) }
}

fn revoked(owner: Owner) -> Owner {
    Owner { revoked: true, ..owner }
}

impl Fixture {
    #[allow(clippy::disallowed_methods, reason = "a start for times that are arguments")]
    fn new() -> Self {
        let now = Instant::now();
        let mut state = State::new(100);
        state.start_session(lease(1));
        Self { state, now, deadline: now + 60 * SECOND }
    }

    fn begin(&mut self, key: &str) -> bool {
        self.state.begin_acquire(&key.into(), self.now, self.deadline).is_some()
    }

    fn finish(&mut self, key: &str, end: AcquireEnd) -> bool {
        self.state.finish_acquire(&key.into(), lease(1), end, self.now)
    }

    fn own(&mut self, key: &str, value: &str, created: i64) {
        assert!(self.begin(key));
        assert!(self.finish(key, AcquireEnd::Created(header(created), pair(key, value, 1))));
    }

    fn read_since(&self, key: &str, barrier: u64) -> Read {
        self.state.read(&Get::new(key), barrier, self.now, self.deadline)
    }

    fn read(&self, key: &str) -> Read {
        self.read_since(key, self.state.barrier())
    }

    fn value(&self, key: &str) -> String {
        let Read::Cached(response) = self.read(key) else { panic!("{key} is not cached") };
        response.first().map_or_else(String::new, |kv| kv.value_str().expect("text").to_owned())
    }

    fn write(&mut self, key: &str) -> WriteTicket {
        self.state.begin_write(&[key.into()], &[])
    }

    fn delete_range(&mut self, start: &str, end: &str) -> WriteTicket {
        self.state.begin_write(&[], &[span(start, end)])
    }

    fn applied(&mut self, ticket: WriteTicket, revision: i64, pairs: Vec<(Key, Option<KeyValue>)>) {
        let end = WriteEnd::Applied { header: header(revision), deleted: Vec::new(), pairs };
        self.state.finish_write(ticket, end, self.now);
    }

    fn put(&mut self, ticket: WriteTicket, key: &str, value: &str, revision: i64) {
        self.applied(ticket, revision, vec![(key.into(), pair(key, value, revision))]);
    }

    fn observe(&mut self, key: &str, owner: Owner) {
        self.state.observe_owner(&key.into(), owner, self.now);
    }

    fn released(&mut self) -> Vec<i64> {
        self.state.take_releases().into_iter().map(|Release { created, .. }| created.get()).collect()
    }
}

#[test]
fn owned_key_is_read_until_the_deadline() {
    let mut f = Fixture::new();
    assert_eq!(f.read("k"), Read::Missing);
    f.own("k", "v", 5);
    assert_eq!(f.value("k"), "v");
    f.now = f.deadline - Duration::from_nanos(1);
    assert_eq!(f.value("k"), "v");
    f.now = f.deadline;
    assert_eq!(f.read("k"), Read::Missing, "the lease may have expired");
    assert!(f.state.evaluate(&Txn::new().then(Get::new("k")), f.now, f.deadline).is_none());
    assert!(!f.begin("other"), "no key is acquired with such a lease");
}

#[test]
fn end_of_the_session_drops_everything() {
    let mut f = Fixture::new();
    f.own("k", "v", 5);
    assert!(f.begin("a"));
    f.state.end_session();
    assert_eq!(f.read("k"), Read::Missing);
    assert!(!f.begin("k"));
    f.state.start_session(lease(2));
    assert_eq!(f.read("k"), Read::Missing);
    // The response to an attempt of the earlier session.
    assert!(!f.finish("a", AcquireEnd::Created(header(9), None)));
    assert_eq!(f.read("a"), Read::Missing);
}

#[test]
fn only_one_attempt_acquires_a_key() {
    let mut f = Fixture::new();
    assert!(f.begin("k"));
    assert!(!f.begin("k"), "one is under way");
    assert!(f.finish("k", AcquireEnd::Created(header(5), None)));
    assert!(!f.begin("k"), "it is owned");
    assert_eq!(f.read("k"), Read::Cached(GetResponse::new(header(5), Vec::new())));
}

#[test]
fn number_of_keys_is_bounded() {
    let mut f = Fixture::new();
    f.state.max_keys = 3;
    f.own("a", "", 5);
    assert!(f.begin("b"));
    assert!(f.begin("c"));
    assert!(f.finish("c", AcquireEnd::Unknown));
    assert!(!f.begin("d"), "one is owned, one under way, one of unknown outcome");
}

#[test]
fn read_waits_for_writes_that_began_before_it() {
    let mut f = Fixture::new();
    f.own("k", "old", 5);
    let first = f.write("k");
    let barrier = f.state.barrier();
    let second = f.write("k");
    assert_eq!(f.read_since("k", barrier), Read::Wait);
    f.put(first, "k", "first", 6);
    assert!(matches!(f.read_since("k", barrier), Read::Cached(_)), "the second one began later");
    assert_eq!(f.read("k"), Read::Wait);
    f.put(second, "k", "second", 7);
    assert_eq!(f.value("k"), "second");
}

#[test]
fn responses_to_writes_may_arrive_in_any_order() {
    let mut f = Fixture::new();
    f.own("k", "old", 5);
    let (first, second) = (f.write("k"), f.write("k"));
    f.put(second, "k", "second", 7);
    f.put(first, "k", "first", 6);
    assert_eq!(f.value("k"), "second");
    let delete = f.write("k");
    f.applied(delete, 8, vec![("k".into(), None)]);
    assert_eq!(f.value("k"), "");
}

#[test]
fn write_that_was_not_applied_changes_nothing() {
    let mut f = Fixture::new();
    f.own("k", "v", 5);
    let ticket = f.write("k");
    f.state.finish_write(ticket, WriteEnd::NotApplied, f.now);
    assert_eq!(f.value("k"), "v");
    assert_eq!(f.released(), [0; 0]);
}

#[test]
fn unknown_outcome_evicts_and_releases() {
    let mut f = Fixture::new();
    f.own("k", "v", 5);
    f.own("ka", "v", 6);
    f.own("z", "v", 7);
    let ticket = f.state.begin_write(&["z".into()], &[span("k", "l")]);
    assert_eq!(ticket.owned, [(Key::from("z"), Revision::new(7))]);
    f.state.finish_write(ticket, WriteEnd::Unknown, f.now);
    for key in ["k", "ka", "z"] {
        assert_eq!(f.read(key), Read::Missing);
        assert!(!f.begin(key), "not for a while");
    }
    assert_eq!(f.released(), [7, 5, 6]);
    assert_eq!(f.released(), [0; 0], "once");
}

#[test]
fn unknown_outcome_spares_a_later_ownership() {
    let mut f = Fixture::new();
    f.own("k", "v", 5);
    let ticket = f.write("k");
    f.observe("k", revoked(ours(5)));
    f.now += 3 * SECOND;
    f.own("k", "w", 9);
    f.state.finish_write(ticket, WriteEnd::Unknown, f.now);
    assert_eq!(f.value("k"), "w", "the write requires the ownership 5");
}

#[test]
fn key_with_a_lease_is_released() {
    let mut f = Fixture::new();
    f.own("k", "v", 5);
    let ticket = f.write("k");
    let leased = KeyValue::new("k", "w").with_revisions(1, 6).with_lease(lease(9));
    f.applied(ticket, 6, vec![("k".into(), Some(leased))]);
    assert_eq!(f.read("k"), Read::Missing);
    assert_eq!(f.released(), [5]);
}

#[test]
fn deleted_range_empties_its_keys() {
    let mut f = Fixture::new();
    for (key, created) in [("a", 5), ("b", 6), ("c", 7)] {
        f.own(key, "v", created);
    }
    let ticket = f.delete_range("a", "c");
    assert_eq!((f.read("a"), f.read("b")), (Read::Wait, Read::Wait));
    assert_eq!(f.value("c"), "v");
    let end = WriteEnd::Applied { header: header(9), deleted: vec![span("a", "c")], pairs: Vec::new() };
    f.state.finish_write(ticket, end, f.now);
    assert_eq!((f.value("a"), f.value("b"), f.value("c")), (String::new(), String::new(), "v".to_owned()));
}

#[test]
fn range_of_the_other_branch_changes_nothing() {
    let mut f = Fixture::new();
    f.own("a", "v", 5);
    let ticket = f.delete_range("a", "c");
    f.applied(ticket, 9, Vec::new());
    assert_eq!(f.value("a"), "v");
}

#[test]
fn attempt_that_overlaps_a_range_write_is_not_cached() {
    let mut f = Fixture::new();
    assert!(f.begin("a"));
    let ticket = f.delete_range("a", "c");
    let end = WriteEnd::Applied { header: header(9), deleted: vec![span("a", "c")], pairs: Vec::new() };
    f.state.finish_write(ticket, end, f.now);
    // It read the key at revision 8, before the deletion.
    assert!(!f.finish("a", AcquireEnd::Created(header(8), pair("a", "v", 1))));
    assert_eq!(f.read("a"), Read::Missing);
    assert_eq!(f.released(), [8]);
}

#[test]
fn revoked_key_is_released_and_rests() {
    let mut f = Fixture::new();
    f.own("k", "v", 5);
    f.observe("k", ours(5));
    assert_eq!(f.value("k"), "v", "that is the creation");
    f.observe("k", revoked(ours(5)));
    assert_eq!(f.read("k"), Read::Missing);
    assert_eq!(f.released(), [5]);
    f.now += 2 * SECOND - Duration::from_nanos(1);
    assert!(!f.begin("k"));
    f.now += Duration::from_nanos(1);
    assert!(f.begin("k"));
}

#[test]
fn events_of_earlier_ownerships_are_ignored() {
    let mut f = Fixture::new();
    f.own("k", "v", 5);
    f.observe("k", revoked(ours(3)));
    f.observe("k", theirs(4));
    f.state.observe_absence(&"k".into(), Revision::new(4), f.now);
    assert_eq!(f.value("k"), "v");
}

#[test]
fn ended_ownership_is_evicted() {
    let ends: [fn(&mut Fixture); 4] = [
        |f| f.state.observe_absence(&"k".into(), Revision::new(6), f.now),
        |f| f.observe("k", theirs(7)),
        |f| f.observe("k", revoked(theirs(7))),
        |f| f.state.disown(&"k".into(), Revision::new(5), f.now),
    ];
    for end in ends {
        let mut f = Fixture::new();
        f.own("k", "v", 5);
        end(&mut f);
        assert_eq!(f.read("k"), Read::Missing);
        assert_eq!(f.released(), [0; 0], "it is not ours to delete");
    }
}

#[test]
fn ownership_of_unseen_creation_is_not_used() {
    let mut f = Fixture::new();
    assert!(f.begin("k"));
    assert!(!f.finish("k", AcquireEnd::Taken(ours(4))));
    assert_eq!(f.read("k"), Read::Missing);
    assert_eq!(f.released(), [4], "it is the rest of another attempt");
    assert!(f.begin("j"));
    assert!(!f.finish("j", AcquireEnd::Taken(theirs(4))));
    assert_eq!(f.released(), [0; 0]);
}

#[test]
fn attempt_of_unknown_outcome_is_cleaned_up() {
    let mut f = Fixture::new();
    assert!(f.begin("k"));
    assert!(f.finish("k", AcquireEnd::Unknown), "it is monitored");
    assert!(f.state.is_monitored(&"k".into()));
    f.observe("k", theirs(6));
    assert_eq!(f.released(), [0; 0]);
    f.observe("k", ours(7));
    assert_eq!(f.released(), [7], "the attempt was applied late");
    assert!(!f.state.is_monitored(&"k".into()));
}

#[test]
fn creation_seen_before_its_response_is_used() {
    let mut f = Fixture::new();
    assert!(f.begin("k"));
    f.observe("k", ours(7));
    assert!(f.finish("k", AcquireEnd::Created(header(7), None)));
    assert_eq!(f.released(), [0; 0]);
    assert_eq!(f.value("k"), "");
}

#[test]
fn late_copy_seen_during_an_attempt_is_released() {
    let mut f = Fixture::new();
    assert!(f.begin("k"));
    f.observe("k", ours(7));
    assert!(!f.finish("k", AcquireEnd::Taken(theirs(5))));
    assert_eq!(f.released(), [7]);
}

#[test]
fn ownership_given_up_before_its_response_is_not_used() {
    let mut f = Fixture::new();
    assert!(f.begin("k"));
    // A write found the ownership key before the response to the attempt arrived.
    f.observe("k", revoked(ours(7)));
    assert_eq!(f.released(), [7]);
    assert!(!f.finish("k", AcquireEnd::Created(header(7), None)));
    assert_eq!(f.read("k"), Read::Missing);
}

#[test]
fn transaction_reads_owned_keys_only() {
    let mut f = Fixture::new();
    f.own("a", "1", 5);
    f.own("b", "2", 6);
    let evaluate = |f: &Fixture, txn: Txn| f.state.evaluate(&txn, f.now, f.deadline);
    let both = || Txn::new().when(Compare::value("a").equal("1")).then((Get::new("a"), Get::new("b")));
    let response = evaluate(&f, both()).expect("both are owned");
    assert!(response.succeeded());
    assert_eq!(response.header.revision, 6, "the latest of both");
    assert_eq!(response.get(1).and_then(GetResponse::first).map(|kv| &kv.value[..]), Some(&b"2"[..]));
    assert_eq!(evaluate(&f, both().when(Compare::exists("c"))), None);
    assert_eq!(evaluate(&f, both().then(Get::new("c"))), None);
    assert_eq!(evaluate(&f, both().then(Get::new("a").prefix())), None);
    assert_eq!(evaluate(&f, both().then(Get::new("a").revision(3))), None);
    assert_eq!(evaluate(&f, both().when(Compare::exists("a").prefix())), None);
    assert_eq!(evaluate(&f, Txn::new()), None);
    let failed = Txn::new().when(Compare::missing("a")).then(Get::new("c")).or_else(Get::new("b"));
    assert!(!evaluate(&f, failed).expect("the other branch is owned").succeeded());
}

#[test]
fn transaction_is_not_evaluated_during_a_write() {
    let mut f = Fixture::new();
    f.own("a", "1", 5);
    f.own("b", "1", 6);
    let both = Txn::new().then((Get::new("a"), Get::new("b")));
    let ticket = f.state.begin_write(&["a".into(), "b".into()], &[]);
    let later = f.write("a");
    f.put(later, "a", "3", 8);
    // Key b has its pair of before revision 7, key a that of revision 8.
    assert_eq!(f.state.evaluate(&both, f.now, f.deadline), None);
    f.applied(ticket, 7, vec![("a".into(), pair("a", "2", 7)), ("b".into(), pair("b", "2", 7))]);
    assert!(f.state.evaluate(&both, f.now, f.deadline).is_some());
    assert_eq!((f.value("a"), f.value("b")), ("3".to_owned(), "2".to_owned()));
}

#[test]
fn conditions_hold_as_on_a_member() {
    let mut f = Fixture::new();
    let kv = KeyValue::new("k", "b").with_revisions(3, 5).with_version(2);
    assert!(f.begin("k"));
    f.finish("k", AcquireEnd::Created(header(6), Some(kv)));
    assert!(f.begin("none"));
    f.finish("none", AcquireEnd::Created(header(7), None));
    let holds = |compare: Compare| {
        let txn = Txn::new().when(compare);
        f.state.evaluate(&txn, f.now, f.deadline).expect("owned").succeeded()
    };
    let cases = [
        (Compare::value("k").equal("b"), true),
        (Compare::value("k").not_equal("b"), false),
        (Compare::value("k").greater("a"), true),
        (Compare::value("k").less("b"), false),
        (Compare::create_revision("k").equal(3), true),
        (Compare::create_revision("k").less(3), false),
        (Compare::mod_revision("k").greater(4), true),
        (Compare::version("k").equal(2), true),
        (Compare::version("k").greater(2), false),
        (Compare::lease("k").equal(None), true),
        (Compare::lease("k").less(lease(1)), true),
        (Compare::value("none").equal(""), false),
        (Compare::value("none").not_equal("x"), false),
        (Compare::missing("none"), true),
        (Compare::mod_revision("none").less(1), true),
    ];
    for (compare, expected) in cases {
        assert_eq!(holds(compare.clone()), expected, "{compare:?}");
    }
}

#[test]
fn options_of_a_get_apply_to_a_cached_pair() {
    let mut f = Fixture::new();
    let kv = KeyValue::new("k", "b").with_revisions(3, 5).with_version(2);
    assert!(f.begin("k"));
    f.finish("k", AcquireEnd::Created(header(6), Some(kv)));
    let get = |get: Get| match f.state.read(&get, f.state.barrier(), f.now, f.deadline) {
        Read::Cached(response) => {
            (response.kvs.len(), response.count, response.kvs.first().map(|kv| kv.value.len()))
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(get(Get::new("k").limit(1).serializable()), (1, 1, Some(1)));
    assert_eq!(get(Get::new("k").keys_only()), (1, 1, Some(0)));
    assert_eq!(get(Get::new("k").count_only()), (0, 1, None));
    assert_eq!(get(Get::new("k").min_create_revision(3).max_mod_revision(5)), (1, 1, Some(1)));
    for outside in [
        Get::new("k").min_create_revision(4),
        Get::new("k").max_create_revision(2),
        Get::new("k").min_mod_revision(6),
        Get::new("k").max_mod_revision(4),
    ] {
        assert_eq!(get(outside), (0, 1, None), "as in etcd, the count ignores the filters");
    }
}

#[test]
fn marks_of_released_keys_are_bounded() {
    let mut f = Fixture::new();
    f.state.max_keys = 2;
    for key in ["a", "b", "c"] {
        assert!(f.begin(key));
        f.finish(key, AcquireEnd::NotApplied);
    }
    assert_eq!(f.state.given_up.len(), 2);
    f.now += 2 * SECOND;
    assert!(f.begin("d"));
    f.finish("d", AcquireEnd::NotApplied);
    assert_eq!(f.state.given_up.len(), 1, "old marks make room");
}
