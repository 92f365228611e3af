//! Recipes under random faults and late copies of their requests, checked against the history of holds.
//!
//! `etcd_testkit::run::Settings` has the duration, the seed and the artifacts of a run, [`late_copies`] the number of its runs.

mod late_copies;
mod load;
mod locks;
mod others;
mod recipes;
mod sessions;
mod settle;
mod whole;
