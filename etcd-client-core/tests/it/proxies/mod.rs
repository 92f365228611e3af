//! Behind what stands between clients and members: etcd's gRPC proxy, its gateway, and a TCP load balancer.
//!
//! `docs/proxies.md` says what is supported behind which of them.

mod conformance;
mod failover;
mod foreign;
mod leases;
mod members;
mod watches;
