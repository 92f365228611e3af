//! Schedules of faults for a cluster under load. A seed determines a schedule, and every fault is healed at the end.
//!
//! ```no_run
//! # async fn demo(cluster: etcd_testkit::Cluster) -> anyhow::Result<()> {
//! use std::time::Duration;
//!
//! use etcd_testkit::{Witnesses, history::Recorder, schedule::{Plan, Site}};
//!
//! let recorder = Recorder::create("target/robustness/history.jsonl", "3.6", 7)?;
//! let (proxied, witnesses) = (cluster.proxied()?, Witnesses::start(&cluster, &recorder)?);
//! let site = Site { cluster: &cluster, proxied: &proxied, witnesses: &witnesses, recorder: &recorder };
//! site.run(&Plan::random(7, 3, Duration::from_secs(20)), std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod leadership;
mod plan;
mod site;
#[cfg(test)]
mod tests;

pub use plan::{Plan, Step, Verb};
pub use site::Site;
