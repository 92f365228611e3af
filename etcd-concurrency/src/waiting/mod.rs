//! Waiting in a queue.
//!
//! - [`wait_set`]: the keys that an entry waits for.
//! - [`machine`]: the decisions, as a pure state machine.
//! - [`driver`]: the reads and watches that the machine requests.

pub(crate) mod driver;
pub(crate) mod machine;
pub(crate) mod wait_set;

pub(crate) use driver::wait;
pub(crate) use wait_set::WaitSet;
