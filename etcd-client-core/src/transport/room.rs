//! The calls that wait for a slot on a connection, and the hand-over of slots to them, first come, first served.
//!
//! A slot is one of the requests that a peer allows at a time on a connection. One that becomes free goes to the call that
//! has waited longest of those that can use it, and wakes that call alone. A call that comes later takes none while others
//! wait for it.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    task::{Context, Poll, Waker},
};

use super::gauge::Gauge;
use crate::mechanism::atomic::{AtomicUsize, Mutex, MutexGuard, Ordering, fence, lock};

/// Which connections a call can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lane {
    /// Those of one member, or any.
    pub(crate) member: Option<usize>,
    /// Only those of members that can answer for a quorum.
    pub(crate) needs_quorum: bool,
}

/// A connection, as far as its slots are concerned. Clones are the same connection.
pub(crate) trait Slots: Clone {
    fn gauge(&self) -> &Gauge;

    /// The member at its other end.
    fn member(&self) -> usize;

    /// Whether new calls may use it.
    fn is_usable(&self) -> bool;

    /// Whether it serves calls that need a quorum.
    fn has_quorum(&self) -> bool;
}

/// Where calls wait for a slot on the connections of one purpose.
#[derive(Debug)]
pub(crate) struct Room<C> {
    /// The calls that wait, a copy out of `queue`.
    waiting: AtomicUsize,
    /// Those of them that can use any member, by whether they need a quorum.
    unpinned: [AtomicUsize; 2],
    queue: Mutex<Queue<C>>,
}

#[derive(Debug)]
struct Queue<C> {
    next: u64,
    lanes: BTreeMap<Lane, BTreeMap<u64, Option<Waker>>>,
    /// Slots that were handed over and not taken yet.
    given: BTreeMap<u64, C>,
}

/// A call's place in the queue. Dropping it gives the place up, and the slot where it was given one.
#[derive(Debug)]
pub(crate) struct Place<'a, C: Slots> {
    room: &'a Room<C>,
    lane: Lane,
    number: u64,
    taken: bool,
}

impl<C: Slots> Room<C> {
    pub(crate) fn new() -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            unpinned: [AtomicUsize::new(0), AtomicUsize::new(0)],
            queue: Mutex::new(Queue { next: 0, lanes: BTreeMap::new(), given: BTreeMap::new() }),
        }
    }

    /// Whether a call has to queue because others wait for the same connections.
    pub(crate) fn is_contended(&self, lane: Lane) -> bool {
        self.unpinned[usize::from(lane.needs_quorum)].load(Ordering::Relaxed) > 0
            || (lane.member.is_some()
                && self.waiting.load(Ordering::Relaxed) > 0
                && self.queue().lanes.contains_key(&lane))
    }

    /// Joins the queue. [`serve`](Self::serve) has to be called after this and before the first wait: either it sees the
    /// slot that another call gives up, or that call sees the place.
    pub(crate) fn join(&self, lane: Lane) -> Place<'_, C> {
        let number = {
            let mut queue = self.queue();
            let number = queue.next;
            queue.next += 1;
            queue.lanes.entry(lane).or_default().insert(number, None);
            self.waiting.fetch_add(1, Ordering::SeqCst);
            if lane.member.is_none() {
                self.unpinned[usize::from(lane.needs_quorum)].fetch_add(1, Ordering::SeqCst);
            }
            number
        };
        fence(Ordering::SeqCst);
        Place { room: self, lane, number, taken: false }
    }

    /// Hands the free slots of these connections to the calls that wait.
    pub(crate) fn serve(&self, connections: &[C]) {
        // What made the slots free comes before the look for calls that wait.
        fence(Ordering::SeqCst);
        for connection in connections {
            while self.is_wanted(connection) && take(connection) {
                if !self.hand_over(connection) {
                    self.release(connection);
                    break;
                }
            }
        }
    }

    /// Gives up a slot that a call held.
    pub(crate) fn release(&self, connection: &C) {
        // Handed over without being free in between, a slot cannot be taken by a call that came later.
        if self.waits()
            && connection.is_usable()
            && !connection.gauge().is_over()
            && self.hand_over(connection)
        {
            return;
        }
        loop {
            connection.gauge().leave();
            fence(Ordering::SeqCst);
            // Where another call has the slot meanwhile, that call gives it up in its turn.
            if !self.is_wanted(connection) || !take(connection) || self.hand_over(connection) {
                return;
            }
        }
    }

    fn waits(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Whether a call waits that can use this connection.
    fn is_wanted(&self, connection: &C) -> bool {
        self.waits() && self.queue().first(connection).is_some()
    }

    /// Gives a slot that is counted already to the first call that can use it.
    fn hand_over(&self, connection: &C) -> bool {
        let waker = {
            let mut queue = self.queue();
            let Some((lane, number)) = queue.first(connection) else { return false };
            let waker = queue.remove(lane, number).flatten();
            queue.given.insert(number, connection.clone());
            self.count_out(lane);
            waker
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    fn count_out(&self, lane: Lane) {
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        if lane.member.is_none() {
            self.unpinned[usize::from(lane.needs_quorum)].fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<C>> {
        lock(&self.queue)
    }
}

/// Takes a free slot, where new calls may use the connection.
fn take<C: Slots>(connection: &C) -> bool {
    connection.is_usable() && connection.gauge().enter()
}

impl<C: Slots> Queue<C> {
    /// The call that has waited longest of those that can use this connection.
    fn first(&self, connection: &C) -> Option<(Lane, u64)> {
        let member = Some(connection.member());
        let needs: &[bool] = if connection.has_quorum() { &[true, false] } else { &[false] };
        let lanes =
            needs.iter().flat_map(|&needs_quorum| [None, member].map(|member| Lane { member, needs_quorum }));
        let head = |lane: Lane| Some((lane, *self.lanes.get(&lane)?.first_key_value()?.0));
        lanes.filter_map(head).min_by_key(|&(_, number)| number)
    }

    fn remove(&mut self, lane: Lane, number: u64) -> Option<Option<Waker>> {
        let places = self.lanes.get_mut(&lane)?;
        let waker = places.remove(&number);
        if places.is_empty() {
            self.lanes.remove(&lane);
        }
        waker
    }
}

impl<C: Slots> Place<'_, C> {
    /// Which connections the call can use.
    pub(crate) fn lane(&self) -> Lane {
        self.lane
    }

    /// Whether its slot was taken: it will be given no other.
    pub(crate) fn is_spent(&self) -> bool {
        self.taken
    }

    /// The slot, where one was given. It is counted as held.
    pub(crate) fn take(&mut self) -> Option<C> {
        let given = self.room.queue().given.remove(&self.number);
        self.taken |= given.is_some();
        given
    }

    /// Waits until a slot was given.
    ///
    /// Cancel safe: the slot stays with the place.
    pub(crate) async fn given(&mut self) {
        poll_fn(|cx| self.poll_given(cx)).await;
    }

    fn poll_given(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.room.queue();
        if queue.given.contains_key(&self.number) {
            return Poll::Ready(());
        }
        if let Some(waker) = queue.lanes.get_mut(&self.lane).and_then(|places| places.get_mut(&self.number)) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl<C: Slots> Drop for Place<'_, C> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let given = {
            let mut queue = self.room.queue();
            if queue.remove(self.lane, self.number).is_some() {
                self.room.count_out(self.lane);
            }
            queue.given.remove(&self.number)
        };
        if let Some(connection) = given {
            self.room.release(&connection);
        }
    }
}
