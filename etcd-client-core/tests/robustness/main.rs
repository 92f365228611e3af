//! What a client saw of a cluster under random faults, judged against what really happened.
//!
//! Three members behind fault proxies, writers, readers, and a schedule of faults that is drawn from a seed; everything goes into a
//! history that `etcd_testkit::check` judges, and `cargo xtask robustness check` judges again.
//!
//! | variable | what it does |
//! |---|---|
//! | `ETCD_ROBUSTNESS_SECONDS` | how long faults happen; 20 by default |
//! | `ETCD_ROBUSTNESS_SEED` | what faults and load are drawn from; a new one by default |
//! | `ETCD_ROBUSTNESS_KEEP` | `1` keeps the history of a run that found nothing too |

mod edges;
mod follow;
mod goals;
mod rig;
mod settings;
mod specs;
mod visitors;
mod watches;
mod writers;
