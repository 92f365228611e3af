//! The modules that the picker uses, under the names that they have in the crate.

pub(crate) mod atomic {
    pub(crate) use loom::sync::atomic::{AtomicU8, AtomicUsize, Ordering, fence};
}

#[path = "../../src/mechanism/liveness.rs"]
#[allow(dead_code, unreachable_pub)]
pub(crate) mod liveness;

#[path = "../../src/mechanism/pick.rs"]
#[allow(dead_code, unreachable_pub)]
pub(crate) mod pick;

#[path = "../../src/mechanism/waiters.rs"]
#[allow(dead_code, unreachable_pub)]
pub(crate) mod waiters;
