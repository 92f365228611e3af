//! Recipes on a model of etcd, on virtual time: what is asked, who is woken, and what is left behind.

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
mod shared;
mod stm;
