//! The testkit against real etcd.

mod binaries;
mod leftovers;
mod links;
mod members;
mod proxied;
mod security;
