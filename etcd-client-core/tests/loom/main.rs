//! The parts of picking a connection and of waiting for one that threads share, in every order that threads can take.
//!
//! They are compiled here from their sources with loom's atomics in place of the standard library's.

mod transport;

use std::{
    pin::pin,
    task::{Context, Poll, Wake, Waker},
};

use loom::{
    sync::{
        Arc, Notify,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use transport::{
    balance::pick::{Choice, Standing, pick},
    connection::{
        capacity::{Capacity, Demand, Slots},
        connection_load::ConnectionLoad,
    },
};

/// A call that can use any connection.
const ANY: Demand = Demand { member: None, needs_quorum: true };

/// A connection as far as the picker sees it, and who uses it.
struct Connection {
    load: ConnectionLoad,
    users: AtomicUsize,
}

impl Connection {
    fn new(max: usize) -> Self {
        Self { load: ConnectionLoad::new(max), users: AtomicUsize::new(0) }
    }
}

impl Slots for Arc<Connection> {
    fn load(&self) -> &ConnectionLoad {
        &self.load
    }

    fn member(&self) -> usize {
        0
    }

    fn is_usable(&self) -> bool {
        true
    }

    fn has_quorum(&self) -> bool {
        true
    }
}

/// As the pool does it: rate, pick, enter, and once more where another call was faster.
fn acquire(connections: &[Connection], random: u64) -> Option<usize> {
    loop {
        let rate = |i: usize| Some((Standing::GOOD, connections[i].load.below_limit()? as u64));
        let picked = pick(connections.len(), rate, Choice::TwoRandom(random))?;
        if connections[picked].load.enter() {
            return Some(picked);
        }
        thread::yield_now();
    }
}

#[test]
fn no_connection_has_more_calls_than_its_peer_allows_and_none_is_counted_for_ever() {
    loom::model(|| {
        let connections = Arc::new([Connection::new(1), Connection::new(1)]);
        let calls: Vec<_> = (0..2)
            .map(|call| {
                let connections = Arc::clone(&connections);
                thread::spawn(move || {
                    let picked = acquire(&connections[..], call).expect("there is room for both");
                    let connection = &connections[picked];
                    assert_eq!(connection.users.fetch_add(1, Ordering::Relaxed), 0, "one too many");
                    connection.users.fetch_sub(1, Ordering::Relaxed);
                    connection.load.leave();
                })
            })
            .collect();
        for call in calls {
            call.join().expect("no panic");
        }
        assert!(connections.iter().all(|connection| connection.load.in_flight() == 0));
    });
}

/// A connection whose one slot is held, the room for those that wait for it.
fn full() -> (Arc<Connection>, Arc<Capacity<Arc<Connection>>>) {
    let connection = Arc::new(Connection::new(1));
    assert!(connection.load.enter());
    (connection, Arc::new(Capacity::new()))
}

/// As the pool does it: join, have free slots handed over, wait.
fn wait_for_slot(capacity: &Capacity<Arc<Connection>>, connection: &Arc<Connection>) {
    let mut waiter = capacity.join(ANY);
    capacity.serve(std::slice::from_ref(connection));
    block_on(waiter.given());
    let got = waiter.take().expect("given");
    assert_eq!(got.users.fetch_add(1, Ordering::Relaxed), 0, "one too many");
    got.users.fetch_sub(1, Ordering::Relaxed);
    capacity.release(&got);
}

fn waiter(capacity: &Arc<Capacity<Arc<Connection>>>, connection: &Arc<Connection>) -> thread::JoinHandle<()> {
    let (capacity, connection) = (Arc::clone(capacity), Arc::clone(connection));
    thread::spawn(move || wait_for_slot(&capacity, &connection))
}

/// loom reports a call that sleeps while the slot is free as a deadlock.
#[test]
fn waiting_call_gets_the_released_slot() {
    loom::model(|| {
        let (connection, capacity) = full();
        let waiting = waiter(&capacity, &connection);
        capacity.release(&connection);
        waiting.join().expect("no panic");
        assert_eq!(connection.load.in_flight(), 0);
    });
}

#[test]
fn two_waiting_calls_get_the_slot_one_after_the_other() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let (connection, capacity) = full();
        let waiting = [waiter(&capacity, &connection), waiter(&capacity, &connection)];
        capacity.release(&connection);
        for call in waiting {
            call.join().expect("no panic");
        }
        assert_eq!(connection.load.in_flight(), 0);
    });
}

#[test]
fn a_call_that_stops_waiting_passes_its_slot_on() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let (connection, capacity) = full();
        let dropped = thread::spawn({
            let (capacity, connection) = (Arc::clone(&capacity), Arc::clone(&connection));
            move || {
                let waiter = capacity.join(ANY);
                capacity.serve(std::slice::from_ref(&connection));
                drop(waiter);
            }
        });
        let waiting = waiter(&capacity, &connection);
        capacity.release(&connection);
        dropped.join().expect("no panic");
        waiting.join().expect("no panic");
        assert_eq!(connection.load.in_flight(), 0);
    });
}

#[test]
fn a_waiting_call_gets_a_slot_that_the_peer_allows_later() {
    loom::model(|| {
        let (connection, capacity) = (Arc::new(Connection::new(0)), Arc::new(Capacity::new()));
        let waiting = waiter(&capacity, &connection);
        assert!(connection.load.allow(1));
        capacity.serve(std::slice::from_ref(&connection));
        waiting.join().expect("no panic");
        assert_eq!(connection.load.in_flight(), 0);
    });
}

/// The second call joins after the first: it must not get the slot before it.
#[test]
fn a_slot_goes_to_the_call_that_came_first() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let (connection, capacity) = full();
        let released = thread::spawn({
            let (capacity, connection) = (Arc::clone(&capacity), Arc::clone(&connection));
            move || capacity.release(&connection)
        });
        let mut first = capacity.join(ANY);
        capacity.serve(std::slice::from_ref(&connection));
        let mut second = capacity.join(ANY);
        capacity.serve(std::slice::from_ref(&connection));
        block_on(first.given());
        let slot = first.take().expect("given");
        assert!(second.take().is_none(), "one too many");
        capacity.release(&slot);
        block_on(second.given());
        let slot = second.take().expect("given");
        capacity.release(&slot);
        released.join().expect("no panic");
        assert_eq!(connection.load.in_flight(), 0);
    });
}

/// Wakes a thread of the model.
struct Sleeper(Notify);

impl Wake for Sleeper {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let sleeper = std::sync::Arc::new(Sleeper(Notify::new()));
    let waker = Waker::from(std::sync::Arc::clone(&sleeper));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        sleeper.0.wait();
    }
}
