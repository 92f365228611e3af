//! The lock-free parts of picking a connection, in every order that threads can take.
//!
//! They are compiled here from their sources with loom's atomics in place of the standard library's.

#[path = "../../src/transport/gauge.rs"]
#[allow(dead_code, unreachable_pub)]
mod gauge;

mod mechanism;

use gauge::Gauge;
use loom::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use mechanism::{
    pick::{Choice, Standing, pick},
    waiters::Waiters,
};

/// A connection as far as the picker sees it, and who uses it.
struct Connection {
    gauge: Gauge,
    users: AtomicUsize,
}

impl Connection {
    fn new(max: usize) -> Self {
        Self { gauge: Gauge::new(max), users: AtomicUsize::new(0) }
    }
}

/// As the pool does it: rate, pick, enter, and once more where another call was faster.
fn acquire(connections: &[Connection], random: u64) -> Option<usize> {
    loop {
        let rate = |i: usize| Some((Standing::GOOD, connections[i].gauge.room()? as u64));
        let picked = pick(connections.len(), rate, Choice::TwoRandom(random))?;
        if connections[picked].gauge.enter() {
            return Some(picked);
        }
        connections[picked].gauge.leave();
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
                    connection.gauge.leave();
                })
            })
            .collect();
        for call in calls {
            call.join().expect("no panic");
        }
        assert!(connections.iter().all(|connection| connection.gauge.in_flight() == 0));
    });
}

/// Who was refused waits for a word: whoever leaves after that has to give it.
#[test]
fn who_was_refused_is_told_of_the_room() {
    loom::model(|| {
        let gauge = Arc::new(Gauge::new(1));
        let waiting = Arc::new(Waiters::none());
        assert!(gauge.enter());
        let refused = thread::spawn({
            let (gauge, waiters) = (Arc::clone(&gauge), Arc::clone(&waiting));
            move || {
                waiters.enter();
                gauge.room().is_some()
            }
        });
        gauge.leave();
        let told = waiting.any();
        let found_room = refused.join().expect("no panic");
        assert!(found_room || told, "it sleeps, and nobody tells it that there is room");
        assert_eq!(gauge.in_flight(), 0);
    });
}
