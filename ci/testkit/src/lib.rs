//! Real etcd for the tests of this workspace: obtains the binaries, runs members and clusters, and removes them.
//!
//! ```no_run
//! # async fn demo() -> anyhow::Result<()> {
//! let Some(cluster) = etcd_testkit::Cluster::builder().members(3).start_or_skip().await else { return Ok(()) };
//! cluster.etcdctl(["put", "k", "v"]).await?;
//! cluster.member(0).kill()?;
//! cluster.member(0).restart().await?;
//! cluster.stop().await
//! # }
//! ```
//!
//! | variable | what it does |
//! |---|---|
//! | `ETCD_LINE` | the line the tests run on: `3.4`, `3.5`, `3.6` or `3.7`; unset means any, and 3.7 where one must be built |
//! | `ETCD_BIN` | an etcd to use, if it is of the wanted line; etcdctl is taken from beside it |
//! | `ETCDCTL_BIN` | the etcdctl that goes with `ETCD_BIN` |
//! | `ETCD_ROBUSTNESS_SECONDS` | how long faults happen in a [`run`]; 20 by default |
//! | `ETCD_ROBUSTNESS_SEED` | what a run is drawn from; another number each time by default |
//! | `ETCD_ROBUSTNESS_KEEP` | `1`: the history of a clean run stays too |
//! | `ETCD_REQUIRED` | `1`: a test that finds no etcd fails; otherwise it is skipped with a line on stderr |

#![allow(clippy::disallowed_methods, reason = "real processes are watched on the real clock")]

pub mod check;
mod cluster;
pub mod history;
mod line;
mod obtain;
mod progress;
mod proxy;
mod relay;
mod require;
mod rpc;
pub mod run;
pub mod schedule;
pub mod scripted;
mod witness;
mod workspace;

pub use cluster::{Backup, Builder, Certificates, Cluster, Front, Identity, Member, Proxied, Snapshot};
pub use line::{Line, Version};
pub use obtain::{Binaries, Source, obtain, obtain_contender, obtain_leasing_contender};
pub use progress::{Progress, Silent, StderrProgress};
pub use proxy::{Accept, Connection, Counts, Direction, Fault, Flow, Proxy, Traffic};
pub use require::{SKIPPED, require, require_line};
pub use witness::Witnesses;
