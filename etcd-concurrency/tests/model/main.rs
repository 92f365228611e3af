//! Exhaustive exploration of the recipes' protocols while copies of requests are delayed without bound, lost and repeated.
//!
//! These models describe the protocols, not the code. Before a protocol in `src/token/`, `src/queue_entry/` or
//! `src/double_barrier/` changes, its model has to change. Each run has an exact number of states, so that a model that explores
//! less, or does not end, fails. `ETCD_MODEL_FULL=1` explores the full fault budgets, which needs `--release` and 3 GB.

mod double_barrier;
mod explore;
mod leases;
mod locks;
mod queue;
