//! The parts of a connection that threads share.

pub(crate) mod atomic {
    pub(crate) use loom::sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering, fence},
    };

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("no thread panicked")
    }
}

#[path = "../../../src/transport/connection/capacity.rs"]
#[allow(dead_code, unreachable_pub)]
pub(crate) mod capacity;

#[path = "../../../src/transport/connection/complaints.rs"]
#[allow(dead_code, unreachable_pub)]
pub(crate) mod complaints;

#[path = "../../../src/transport/connection/connection_load.rs"]
#[allow(dead_code, unreachable_pub)]
pub(crate) mod connection_load;

#[path = "../../../src/transport/connection/liveness/mod.rs"]
#[allow(dead_code, unreachable_pub)]
pub(crate) mod liveness;
