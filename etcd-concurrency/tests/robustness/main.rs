//! Locks under random faults, judged against who held them when.
//!
//! How long, from which seed and what is kept: `etcd_testkit::run::Settings`.

mod locks;
mod sessions;
