//! Answers that no etcd gives: each ends in a typed error that names the endpoint, and the next call works.

mod at_most_once;
mod connections;
mod frames;
mod heads;
mod identity;
mod leases;
mod maintenance;
mod memory;
mod messages;
mod move_leader;
mod options;
mod pages;
mod peers;
mod random;
pub(crate) mod rig;
mod streams;
mod txns;
