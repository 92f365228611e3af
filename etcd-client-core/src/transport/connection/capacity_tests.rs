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
    capacity::{Capacity, Lane, Place, Slots},
    connection_load::ConnectionLoad,
};

/// A call that needs a quorum, on any member.
const ANY: Lane = Lane { member: None, needs_quorum: true };
/// A call that needs no quorum, on any member.
const LOCAL: Lane = Lane { member: None, needs_quorum: false };

const fn pinned(member: usize) -> Lane {
    Lane { member: Some(member), needs_quorum: true }
}

#[derive(Clone, Debug)]
struct Link(Arc<State>);

#[derive(Debug)]
struct State {
    gauge: ConnectionLoad,
    member: usize,
    usable: AtomicBool,
    quorum: bool,
}

impl Link {
    fn of(member: usize, slots: usize, quorum: bool) -> Self {
        let (gauge, usable) = (ConnectionLoad::new(slots), AtomicBool::new(true));
        Self(Arc::new(State { gauge, member, usable, quorum }))
    }

    /// A connection to member 1 with this number of slots, all of them in use.
    fn full(slots: usize) -> Self {
        let link = Self::of(1, slots, true);
        assert!((0..slots).all(|_| link.0.gauge.enter()));
        link
    }

    fn set_usable(&self, usable: bool) {
        self.0.usable.store(usable, Ordering::Relaxed);
    }

    fn in_flight(&self) -> usize {
        self.0.gauge.in_flight()
    }
}

impl Slots for Link {
    fn gauge(&self) -> &ConnectionLoad {
        &self.0.gauge
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

fn has_slot(place: &mut Place<'_, Link>) -> bool {
    place.given().now_or_never().is_some()
}

#[test]
fn released_slot_goes_to_the_longest_waiting_call() {
    let (room, link) = (Capacity::new(), Link::full(1));
    let mut places = [room.join(ANY), room.join(ANY), room.join(ANY)];
    for served in 0..3 {
        room.release(&link);
        let slots: Vec<bool> = places.iter_mut().map(has_slot).collect();
        let expected: Vec<bool> = (0..3).map(|place| place == served).collect();
        assert_eq!(slots, expected);
        assert_eq!(link.in_flight(), 1, "the slot is never free in between");
        assert!(!places[served].is_spent());
        assert!(places[served].take().is_some_and(|taken| Arc::ptr_eq(&taken.0, &link.0)));
        assert!(places[served].is_spent() && places[served].take().is_none());
        assert!(places[served].is_spent(), "it stays spent");
    }
    room.release(&link);
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
    let (room, link) = (Capacity::new(), Link::full(1));
    let wakes: [Arc<Wakes>; 3] = Default::default();
    let mut places = [room.join(ANY), room.join(ANY)];
    let poll = |place: &mut Place<'_, Link>, wakes: &Arc<Wakes>| {
        let waker = Waker::from(Arc::clone(wakes));
        pin!(place.given()).poll(&mut Context::from_waker(&waker)).is_ready()
    };
    assert!(!poll(&mut places[0], &wakes[2]), "nothing is free");
    assert!(!poll(&mut places[0], &wakes[0]), "the last waker counts");
    assert!(!poll(&mut places[1], &wakes[1]));
    room.release(&link);
    assert_eq!(wakes.each_ref().map(|wakes| wakes.0.load(Ordering::Relaxed)), [1, 0, 0]);
    assert!(poll(&mut places[0], &wakes[0]));
}

#[test]
fn free_slots_are_handed_over_up_to_the_limit() {
    let (room, link) = (Capacity::new(), Link::of(1, 2, true));
    let mut places = [room.join(ANY), room.join(ANY), room.join(ANY)];
    room.serve(std::slice::from_ref(&link));
    assert_eq!(places.each_mut().map(has_slot), [true, true, false]);
    assert_eq!(link.in_flight(), 2);
    room.serve(std::slice::from_ref(&link));
    assert_eq!((has_slot(&mut places[2]), link.in_flight()), (false, 2), "a full connection has none");
    let another = Link::of(2, 5, true);
    room.serve(&[link, another.clone()]);
    assert!(has_slot(&mut places[2]));
    assert_eq!(another.in_flight(), 1, "no slot is taken without a call");
}

#[test]
fn new_calls_queue_behind_those_that_wait_for_the_same_connections() {
    let room = Capacity::<Link>::new();
    let contended = || [ANY, LOCAL, pinned(1), pinned(2)].map(|lane| room.is_contended(lane));
    assert_eq!(contended(), [false; 4]);
    let any = room.join(ANY);
    assert_eq!(any.lane(), ANY);
    assert_eq!(contended(), [true, false, true, true]);
    drop(any);
    assert_eq!(contended(), [false; 4]);
    let local = room.join(LOCAL);
    assert_eq!(contended(), [false, true, false, false]);
    drop(local);
    let one = room.join(pinned(1));
    assert_eq!(one.lane(), pinned(1));
    assert_eq!(contended(), [false, false, true, false]);
    drop(one);
    assert_eq!(contended(), [false; 4]);
}

#[test]
fn served_call_no_longer_counts_as_waiting() {
    for lane in [ANY, pinned(1)] {
        let (room, link) = (Capacity::new(), Link::of(1, 1, true));
        let mut place = room.join(lane);
        room.serve(std::slice::from_ref(&link));
        assert!(!room.is_contended(lane), "{lane:?}");
        assert!(has_slot(&mut place));
    }
}

#[test]
fn slots_of_an_unusable_connection_are_not_handed_over() {
    let (room, link) = (Capacity::new(), Link::full(2));
    let mut place = room.join(ANY);
    link.set_usable(false);
    room.release(&link);
    room.serve(std::slice::from_ref(&link));
    assert_eq!((has_slot(&mut place), link.in_flight()), (false, 1));
    link.set_usable(true);
    room.serve(std::slice::from_ref(&link));
    assert_eq!((has_slot(&mut place), link.in_flight()), (true, 2));
}

#[test]
fn slots_above_a_lowered_limit_are_not_handed_over() {
    let (room, link) = (Capacity::new(), Link::full(2));
    let mut place = room.join(ANY);
    link.0.gauge.allow(1);
    room.release(&link);
    assert_eq!((has_slot(&mut place), link.in_flight()), (false, 1));
    room.release(&link);
    assert_eq!((has_slot(&mut place), link.in_flight()), (true, 1));
}

#[test]
fn calls_that_cannot_use_the_connection_are_skipped() {
    let (room, learner) = (Capacity::new(), Link::of(1, 1, false));
    let mut places = [room.join(ANY), room.join(pinned(1)), room.join(LOCAL)];
    room.serve(std::slice::from_ref(&learner));
    assert_eq!(places.each_mut().map(has_slot), [false, false, true]);

    let (room, link) = (Capacity::new(), Link::of(1, 1, true));
    let mut elsewhere = room.join(pinned(2));
    room.serve(std::slice::from_ref(&link));
    assert_eq!((has_slot(&mut elsewhere), link.in_flight()), (false, 0));
    let mut any = room.join(ANY);
    room.serve(std::slice::from_ref(&link));
    assert!(has_slot(&mut any) && !has_slot(&mut elsewhere));
    drop(any.take());
    room.release(&link);
    assert_eq!((has_slot(&mut elsewhere), link.in_flight()), (false, 0));
}

#[test]
fn arrival_counts_across_lanes() {
    let lanes = [LOCAL, pinned(1), ANY, Lane { needs_quorum: false, ..pinned(1) }];
    let (room, link) = (Capacity::new(), Link::full(1));
    let mut places = lanes.map(|lane| room.join(lane));
    for (served, place) in places.iter_mut().enumerate() {
        room.release(&link);
        assert!(has_slot(place), "{served}");
        assert!(place.take().is_some());
    }
}

#[test]
fn dropped_place_passes_its_slot_on() {
    let (room, link) = (Capacity::new(), Link::full(1));
    let (mut first, mut second) = (room.join(ANY), room.join(ANY));
    room.release(&link);
    assert!(has_slot(&mut first) && !has_slot(&mut second));
    drop(first);
    assert!(has_slot(&mut second));
    assert_eq!(link.in_flight(), 1);
    drop(second);
    assert_eq!(link.in_flight(), 0);
}

#[test]
fn dropped_place_leaves_the_queue() {
    let (room, link) = (Capacity::new(), Link::full(1));
    let (first, mut second) = (room.join(ANY), room.join(ANY));
    drop(first);
    room.release(&link);
    assert!(has_slot(&mut second));
    assert!(!room.is_contended(ANY));
}

#[test]
fn dropped_place_keeps_a_slot_that_was_taken() {
    let (room, link) = (Capacity::new(), Link::full(1));
    let mut place = room.join(ANY);
    room.release(&link);
    assert!(place.take().is_some());
    drop(place);
    assert_eq!(link.in_flight(), 1, "the call releases it");
}
