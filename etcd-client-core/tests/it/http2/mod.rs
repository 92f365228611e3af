//! The limits of HTTP/2 and of the peers that speak it: none of them costs a call that has nothing to do with it.

mod complaints;
mod dropped;
mod durations;
mod graceful;
pub(crate) mod link;
mod panics;
mod settings;
mod unread;
mod waiting;
