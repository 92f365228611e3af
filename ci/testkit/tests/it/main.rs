//! The testkit against real etcd.

mod binaries;
mod fronts;
mod leftovers;
mod links;
mod members;
mod proxied;
mod security;
