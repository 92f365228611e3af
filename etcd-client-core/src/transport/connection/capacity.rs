//! Queues for slots on connections, in the order of arrival.
//!
//! A slot is one of the concurrent requests that a peer allows on a connection. A released slot goes to the call that
//! has waited longest among those that can use it, and wakes only that call. A later call takes no slot while others
//! wait for it.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    task::{Context, Poll, Waker},
};

use crate::transport::connection::{
    atomic::{AtomicUsize, Mutex, MutexGuard, Ordering, fence, lock},
    connection_load::ConnectionLoad,
};

/// The connections that a call can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Demand {
    /// The connections of one member, or any.
    pub(crate) member: Option<usize>,
    /// Only connections to members that serve calls with a quorum.
    pub(crate) needs_quorum: bool,
}

/// The view of a connection that its slots need. Clones refer to the same connection.
pub(crate) trait Slots: Clone {
    fn load(&self) -> &ConnectionLoad;

    /// Returns the id of the member.
    fn member(&self) -> usize;

    /// Returns `true` if new calls may use the connection.
    fn is_usable(&self) -> bool;

    /// Returns `true` if the connection serves calls that need a quorum.
    fn has_quorum(&self) -> bool;
}

/// The queue for slots on the connections of one purpose.
#[derive(Debug)]
pub(crate) struct Capacity<C> {
    /// The number of waiting calls. A copy from `queue`, readable without the lock.
    waiting: AtomicUsize,
    /// The number of waiting calls that can use any member, by whether they need a quorum.
    unpinned: [AtomicUsize; 2],
    queue: Mutex<Queue<C>>,
}

#[derive(Debug)]
struct Queue<C> {
    next: u64,
    queues: BTreeMap<Demand, BTreeMap<u64, Option<Waker>>>,
    /// Slots that were handed over and not yet taken.
    given: BTreeMap<u64, C>,
}

/// The place of a call in the queue. Dropping it leaves the queue, and releases a slot that was handed over.
#[derive(Debug)]
pub(crate) struct Waiter<'a, C: Slots> {
    capacity: &'a Capacity<C>,
    demand: Demand,
    number: u64,
    taken: bool,
}

impl<C: Slots> Capacity<C> {
    pub(crate) fn new() -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            unpinned: [AtomicUsize::new(0), AtomicUsize::new(0)],
            queue: Mutex::new(Queue { next: 0, queues: BTreeMap::new(), given: BTreeMap::new() }),
        }
    }

    /// Returns `true` if a new call must queue, because others wait for the same connections.
    pub(crate) fn is_contended(&self, demand: Demand) -> bool {
        // The locked lookup is needed only for calls to a single member, which are rare.
        self.unpinned[usize::from(demand.needs_quorum)].load(Ordering::Relaxed) > 0
            || (demand.member.is_some()
                && self.waiting.load(Ordering::Relaxed) > 0
                && self.queue().queues.contains_key(&demand))
    }

    /// Joins the queue.
    ///
    /// [`serve`](Self::serve) must be called after this and before the first wait. Either it sees a slot that another
    /// call releases, or that call sees the new place.
    pub(crate) fn join(&self, demand: Demand) -> Waiter<'_, C> {
        let number = {
            let mut queue = self.queue();
            let number = queue.next;
            queue.next += 1;
            queue.queues.entry(demand).or_default().insert(number, None);
            self.waiting.fetch_add(1, Ordering::SeqCst);
            if demand.member.is_none() {
                self.unpinned[usize::from(demand.needs_quorum)].fetch_add(1, Ordering::SeqCst);
            }
            number
        };
        // Pairs with the fence in `release`. Here the place is written before the slots are read; there the
        // slot is freed before the places are read. So one of the two sees the other, and no slot is left
        // free while a call waits.
        fence(Ordering::SeqCst);
        Waiter { capacity: self, demand, number, taken: false }
    }

    /// Hands the free slots of these connections to waiting calls.
    pub(crate) fn serve(&self, connections: &[C]) {
        // Orders the change that freed the slots before the look for waiting calls.
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

    /// Releases the slot of a call.
    pub(crate) fn release(&self, connection: &C) {
        // Handed over without being free in between, so that a later call cannot take the slot.
        if self.waits()
            && connection.is_usable()
            && !connection.load().is_over()
            && self.hand_over(connection)
        {
            return;
        }
        loop {
            connection.load().leave();
            fence(Ordering::SeqCst);
            // If another call has taken the slot since, that call will release it in turn.
            if !self.is_wanted(connection) || !take(connection) || self.hand_over(connection) {
                return;
            }
        }
    }

    fn waits(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Returns `true` if a waiting call can use this connection.
    fn is_wanted(&self, connection: &C) -> bool {
        self.waits() && self.queue().first(connection).is_some()
    }

    /// Hands a slot that is already counted to the first call that can use it.
    fn hand_over(&self, connection: &C) -> bool {
        let waker = {
            let mut queue = self.queue();
            let Some((demand, number)) = queue.first(connection) else { return false };
            let waker = queue.remove(demand, number).flatten();
            queue.given.insert(number, connection.clone());
            self.count_out(demand);
            waker
        };
        // Woken outside the lock, which the woken call takes first.
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    fn count_out(&self, demand: Demand) {
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        if demand.member.is_none() {
            self.unpinned[usize::from(demand.needs_quorum)].fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<C>> {
        lock(&self.queue)
    }
}

/// Takes a free slot, if new calls may use the connection.
fn take<C: Slots>(connection: &C) -> bool {
    connection.is_usable() && connection.load().enter()
}

impl<C: Slots> Queue<C> {
    /// Returns the call that has waited longest among those that can use this connection.
    fn first(&self, connection: &C) -> Option<(Demand, u64)> {
        let member = Some(connection.member());
        let needs: &[bool] = if connection.has_quorum() { &[true, false] } else { &[false] };
        let queues = needs
            .iter()
            .flat_map(|&needs_quorum| [None, member].map(|member| Demand { member, needs_quorum }));
        let head = |demand: Demand| Some((demand, *self.queues.get(&demand)?.first_key_value()?.0));
        queues.filter_map(head).min_by_key(|&(_, number)| number)
    }

    fn remove(&mut self, demand: Demand, number: u64) -> Option<Option<Waker>> {
        let waiters = self.queues.get_mut(&demand)?;
        let waker = waiters.remove(&number);
        if waiters.is_empty() {
            self.queues.remove(&demand);
        }
        waker
    }
}

impl<C: Slots> Waiter<'_, C> {
    /// Returns the connections that the call can use.
    pub(crate) fn demand(&self) -> Demand {
        self.demand
    }

    /// Returns `true` if the slot was taken. The place receives no other.
    pub(crate) fn is_spent(&self) -> bool {
        self.taken
    }

    /// Takes the slot that was handed over, if any. It is counted as in use.
    pub(crate) fn take(&mut self) -> Option<C> {
        let given = self.capacity.queue().given.remove(&self.number);
        self.taken |= given.is_some();
        given
    }

    /// Waits until a slot is handed over.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe: the slot stays with the place.
    pub(crate) async fn given(&mut self) {
        poll_fn(|cx| self.poll_given(cx)).await;
    }

    fn poll_given(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Checked and registered under the lock that `hand_over` takes, so that a slot given in between wakes the
        // call.
        let mut queue = self.capacity.queue();
        if queue.given.contains_key(&self.number) {
            return Poll::Ready(());
        }
        if let Some(waker) =
            queue.queues.get_mut(&self.demand).and_then(|waiters| waiters.get_mut(&self.number))
        {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl<C: Slots> Drop for Waiter<'_, C> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let given = {
            let mut queue = self.capacity.queue();
            // Under one lock: until the entry is removed, a slot can still be handed over to it.
            if queue.remove(self.demand, self.number).is_some() {
                self.capacity.count_out(self.demand);
            }
            queue.given.remove(&self.number)
        };
        if let Some(connection) = given {
            self.capacity.release(&connection);
        }
    }
}
