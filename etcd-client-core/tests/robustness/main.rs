//! What a client saw of a cluster under random faults, judged against what really happened.
//!
//! Three members behind fault proxies, writers, readers, and a schedule of faults that is drawn from a seed; everything goes into a
//! history that `etcd_testkit::check` judges, and `cargo xtask robustness check` judges again.
//! How long, from which seed and what is kept: `etcd_testkit::run::Settings`.

mod edges;
mod follow;
mod goals;
mod leases;
mod specs;
mod visitors;
mod watches;
mod writers;
