//! Tests of the queues for slots on one thread. `tests/loom` covers the races between threads, with its own atomics in
//! place of these, so the tests are not in the file itself.

use std::{
    future::Future as _,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Wake, Waker},
};

use futures_util::FutureExt as _;

use crate::transport::connection::{
    capacity::{Capacity, Demand, Slots, Waiter},
    connection_load::ConnectionLoad,
};

/// A call that needs a quorum, on any member.
const ANY: Demand = Demand { member: None, needs_quorum: true };
/// A call that needs no quorum, on any member.
const LOCAL: Demand = Demand { member: None, needs_quorum: false };

const fn pinned(member: usize) -> Demand {
    Demand { member: Some(member), needs_quorum: true }
}

#[derive(Clone, Debug)]
struct Link(Arc<State>);

#[derive(Debug)]
struct State {
    load: ConnectionLoad,
    member: usize,
    usable: AtomicBool,
    quorum: bool,
}

impl Link {
    fn of(member: usize, slots: usize, quorum: bool) -> Self {
        let (load, usable) = (ConnectionLoad::new(slots), AtomicBool::new(true));
        Self(Arc::new(State { load, member, usable, quorum }))
    }

    /// A connection to member 1 with this number of slots, all of them in use.
    fn full(slots: usize) -> Self {
        let link = Self::of(1, slots, true);
        assert!((0..slots).all(|_| link.0.load.enter()));
        link
    }

    fn set_usable(&self, usable: bool) {
        self.0.usable.store(usable, Ordering::Relaxed);
    }

    fn in_flight(&self) -> usize {
        self.0.load.in_flight()
    }
}

impl Slots for Link {
    fn load(&self) -> &ConnectionLoad {
        &self.0.load
    }

    fn member(&self) -> usize {
        self.0.member
    }

    fn is_usable(&self) -> bool {
        self.0.usable.load(Ordering::Relaxed)
    }

    fn has_quorum(&self) -> bool {
        self.0.quorum
    }
}

fn has_slot(waiter: &mut Waiter<'_, Link>) -> bool {
    waiter.given().now_or_never().is_some()
}

#[test]
fn released_slot_goes_to_the_longest_waiting_call() {
    let (capacity, link) = (Capacity::new(), Link::full(1));
    let mut waiters = [capacity.join(ANY), capacity.join(ANY), capacity.join(ANY)];
    for served in 0..3 {
        capacity.release(&link);
        let slots: Vec<bool> = waiters.iter_mut().map(has_slot).collect();
        let expected: Vec<bool> = (0..3).map(|waiter| waiter == served).collect();
        assert_eq!(slots, expected);
        assert_eq!(link.in_flight(), 1, "the slot is never free in between");
        assert!(!waiters[served].is_spent());
        assert!(waiters[served].take().is_some_and(|taken| Arc::ptr_eq(&taken.0, &link.0)));
        assert!(waiters[served].is_spent() && waiters[served].take().is_none());
        assert!(waiters[served].is_spent(), "it stays spent");
    }
    capacity.release(&link);
    assert_eq!(link.in_flight(), 0);
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn only_the_served_call_is_woken() {
    let (capacity, link) = (Capacity::new(), Link::full(1));
    let wakes: [Arc<Wakes>; 3] = Default::default();
    let mut waiters = [capacity.join(ANY), capacity.join(ANY)];
    let poll = |waiter: &mut Waiter<'_, Link>, wakes: &Arc<Wakes>| {
        let waker = Waker::from(Arc::clone(wakes));
        pin!(waiter.given()).poll(&mut Context::from_waker(&waker)).is_ready()
    };
    assert!(!poll(&mut waiters[0], &wakes[2]), "nothing is free");
    assert!(!poll(&mut waiters[0], &wakes[0]), "the last waker counts");
    assert!(!poll(&mut waiters[1], &wakes[1]));
    capacity.release(&link);
    assert_eq!(wakes.each_ref().map(|wakes| wakes.0.load(Ordering::Relaxed)), [1, 0, 0]);
    assert!(poll(&mut waiters[0], &wakes[0]));
}

#[test]
fn free_slots_are_handed_over_up_to_the_limit() {
    let (capacity, link) = (Capacity::new(), Link::of(1, 2, true));
    let mut waiters = [capacity.join(ANY), capacity.join(ANY), capacity.join(ANY)];
    capacity.serve(std::slice::from_ref(&link));
    assert_eq!(waiters.each_mut().map(has_slot), [true, true, false]);
    assert_eq!(link.in_flight(), 2);
    capacity.serve(std::slice::from_ref(&link));
    assert_eq!((has_slot(&mut waiters[2]), link.in_flight()), (false, 2), "a full connection has none");
    let another = Link::of(2, 5, true);
    capacity.serve(&[link, another.clone()]);
    assert!(has_slot(&mut waiters[2]));
    assert_eq!(another.in_flight(), 1, "no slot is taken without a call");
}

#[test]
fn new_calls_queue_behind_those_that_wait_for_the_same_connections() {
    let capacity = Capacity::<Link>::new();
    let contended = || [ANY, LOCAL, pinned(1), pinned(2)].map(|demand| capacity.is_contended(demand));
    assert_eq!(contended(), [false; 4]);
    let any = capacity.join(ANY);
    assert_eq!(any.demand(), ANY);
    assert_eq!(contended(), [true, false, true, true]);
    drop(any);
    assert_eq!(contended(), [false; 4]);
    let local = capacity.join(LOCAL);
    assert_eq!(contended(), [false, true, false, false]);
    drop(local);
    let one = capacity.join(pinned(1));
    assert_eq!(one.demand(), pinned(1));
    assert_eq!(contended(), [false, false, true, false]);
    drop(one);
    assert_eq!(contended(), [false; 4]);
}

#[test]
fn served_call_no_longer_counts_as_waiting() {
    for demand in [ANY, pinned(1)] {
        let (capacity, link) = (Capacity::new(), Link::of(1, 1, true));
        let mut waiter = capacity.join(demand);
        capacity.serve(std::slice::from_ref(&link));
        assert!(!capacity.is_contended(demand), "{demand:?}");
        assert!(has_slot(&mut waiter));
    }
}

#[test]
fn slots_of_an_unusable_connection_are_not_handed_over() {
    let (capacity, link) = (Capacity::new(), Link::full(2));
    let mut waiter = capacity.join(ANY);
    link.set_usable(false);
    capacity.release(&link);
    capacity.serve(std::slice::from_ref(&link));
    assert_eq!((has_slot(&mut waiter), link.in_flight()), (false, 1));
    link.set_usable(true);
    capacity.serve(std::slice::from_ref(&link));
    assert_eq!((has_slot(&mut waiter), link.in_flight()), (true, 2));
}

#[test]
fn slots_above_a_lowered_limit_are_not_handed_over() {
    let (capacity, link) = (Capacity::new(), Link::full(2));
    let mut waiter = capacity.join(ANY);
    link.0.load.allow(1);
    capacity.release(&link);
    assert_eq!((has_slot(&mut waiter), link.in_flight()), (false, 1));
    capacity.release(&link);
    assert_eq!((has_slot(&mut waiter), link.in_flight()), (true, 1));
}

#[test]
fn calls_that_cannot_use_the_connection_are_skipped() {
    let (capacity, learner) = (Capacity::new(), Link::of(1, 1, false));
    let mut waiters = [capacity.join(ANY), capacity.join(pinned(1)), capacity.join(LOCAL)];
    capacity.serve(std::slice::from_ref(&learner));
    assert_eq!(waiters.each_mut().map(has_slot), [false, false, true]);

    let (capacity, link) = (Capacity::new(), Link::of(1, 1, true));
    let mut elsewhere = capacity.join(pinned(2));
    capacity.serve(std::slice::from_ref(&link));
    assert_eq!((has_slot(&mut elsewhere), link.in_flight()), (false, 0));
    let mut any = capacity.join(ANY);
    capacity.serve(std::slice::from_ref(&link));
    assert!(has_slot(&mut any) && !has_slot(&mut elsewhere));
    drop(any.take());
    capacity.release(&link);
    assert_eq!((has_slot(&mut elsewhere), link.in_flight()), (false, 0));
}

#[test]
fn arrival_counts_across_lanes() {
    let queues = [LOCAL, pinned(1), ANY, Demand { needs_quorum: false, ..pinned(1) }];
    let (capacity, link) = (Capacity::new(), Link::full(1));
    let mut waiters = queues.map(|demand| capacity.join(demand));
    for (served, waiter) in waiters.iter_mut().enumerate() {
        capacity.release(&link);
        assert!(has_slot(waiter), "{served}");
        assert!(waiter.take().is_some());
    }
}

#[test]
fn dropped_place_passes_its_slot_on() {
    let (capacity, link) = (Capacity::new(), Link::full(1));
    let (mut first, mut second) = (capacity.join(ANY), capacity.join(ANY));
    capacity.release(&link);
    assert!(has_slot(&mut first) && !has_slot(&mut second));
    drop(first);
    assert!(has_slot(&mut second));
    assert_eq!(link.in_flight(), 1);
    drop(second);
    assert_eq!(link.in_flight(), 0);
}

#[test]
fn dropped_place_leaves_the_queue() {
    let (capacity, link) = (Capacity::new(), Link::full(1));
    let (first, mut second) = (capacity.join(ANY), capacity.join(ANY));
    drop(first);
    capacity.release(&link);
    assert!(has_slot(&mut second));
    assert!(!capacity.is_contended(ANY));
}

#[test]
fn dropped_place_keeps_a_slot_that_was_taken() {
    let (capacity, link) = (Capacity::new(), Link::full(1));
    let mut waiter = capacity.join(ANY);
    capacity.release(&link);
    assert!(waiter.take().is_some());
    drop(waiter);
    assert_eq!(link.in_flight(), 1, "the call releases it");
}
