//! The atomics of what is checked in every order that threads can take: `tests/loom` puts others in their place.

pub(crate) use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering, fence};
