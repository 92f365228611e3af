//! Recipes on a model of etcd with virtual time: the number of requests, the order of wake-ups, and the remaining keys.

mod cleanup;
mod contest;
mod ended;
mod handoff;
mod leases;
mod meeting;
mod missed;
#[allow(dead_code, unused_imports, reason = "shared with tests/replay, which use the rest of it")]
mod model;
mod mutex;
mod observing;
mod polling;
mod queues;
mod running;
mod shared;
mod stm;
