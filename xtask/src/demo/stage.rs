//! Where the demo takes place: the client, the cluster, and what has to be removed at the end.

use std::{collections::hash_map::RandomState, hash::BuildHasher as _, process, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use etcd_client_core::{Client, Error, LeaseId};
use etcd_testkit::Cluster;
use tokio::time::sleep;

use super::{show, transcript::Transcript};

/// How long after a removal a write that was interrupted may still arrive.
const STRAGGLERS: Duration = Duration::from_millis(300);

/// Writes arrive for no longer than this many removals.
const REMOVALS: usize = 10;

/// What every section has at hand.
pub(super) struct Stage {
    pub(super) client: Client,
    pub(super) endpoints: Vec<String>,
    /// The demo's own cluster; `None` on one of the reader's.
    pub(super) cluster: Option<Cluster>,
    pub(super) transcript: Transcript,
    prefix: String,
    leases: Vec<LeaseId>,
    /// Whether anything may have been written.
    reached: bool,
}

impl Stage {
    /// Makes the client.
    ///
    /// # Errors
    ///
    /// When an endpoint cannot be read; the report is printed.
    pub(super) fn set(
        endpoints: Option<Vec<String>>,
        cluster: Option<Cluster>,
        mut transcript: Transcript,
    ) -> Result<Self> {
        let given = endpoints.or_else(|| cluster.as_ref().map(Cluster::endpoints)).unwrap_or_default();
        let endpoints: Vec<String> = given.iter().map(|endpoint| endpoint.trim().to_owned()).collect();
        let prefix = format!("etcd-client-demo/{:08x}/", random() >> 32);
        let client = Client::builder(&endpoints).build().map_err(|error| {
            transcript.result(error.report());
            anyhow!("--endpoints cannot be used, see above")
        })?;
        transcript.note(&format!("Every key starts with {prefix}, which the lines below leave out."));
        Ok(Self { client, endpoints, cluster, transcript, prefix, leases: Vec::new(), reached: false })
    }

    /// The whole key.
    pub(super) fn key(&self, short: &str) -> String {
        format!("{}{short}", self.prefix)
    }

    /// The key as the lines show it.
    pub(super) fn short(&self, key: &[u8]) -> String {
        let key = String::from_utf8_lossy(key);
        key.strip_prefix(&self.prefix).unwrap_or(&key).to_owned()
    }

    /// The demo's own cluster.
    ///
    /// # Errors
    ///
    /// When it runs on the reader's, where sections that need this are skipped.
    pub(super) fn own_cluster(&self) -> Result<&Cluster> {
        self.cluster.as_ref().context("this needs a cluster of the demo's own")
    }

    /// Says that the cluster answers, so that there is something to remove.
    pub(super) fn reached(&mut self) {
        self.reached = true;
    }

    /// A lease id that the demo revokes at the end, chosen before the lease is granted: an interruption in between
    /// leaves no lease behind.
    pub(super) fn choose_lease(&mut self) -> LeaseId {
        let number = i64::try_from(random() >> 1).unwrap_or(i64::MAX).max(1);
        let id = LeaseId::new(number).expect("at least one");
        self.leases.push(id);
        id
    }

    /// Prints the report of an error of the client, or the text of another one.
    pub(super) fn explain(&mut self, error: &anyhow::Error) {
        match error.downcast_ref::<Error>() {
            Some(error) => self.transcript.result(error.report()),
            None => self.transcript.result(format!("{error:#}")),
        }
    }

    /// What is left behind when it is not removed.
    pub(super) fn remains(&self) -> String {
        match self.cluster {
            Some(_) => "nothing is left behind, the cluster ends with this process".to_owned(),
            None => format!("keys may be left: `etcdctl del --prefix {}` removes them", self.prefix),
        }
    }

    /// Removes what the demo made: its cluster, or its keys and leases on the reader's.
    ///
    /// # Errors
    ///
    /// When something may be left; the error says what.
    pub(super) async fn leave(&mut self) -> Result<()> {
        if !self.reached && self.cluster.is_none() {
            return Ok(());
        }
        self.transcript.heading("Clean up");
        let left = match self.cluster.take() {
            Some(cluster) => self.stop(cluster).await,
            None => self.remove().await,
        };
        if let Err(error) = &left {
            self.transcript.result(format!("{error:#}"));
        }
        self.client.close().await;
        left
    }

    async fn stop(&mut self, cluster: Cluster) -> Result<()> {
        self.transcript.code("cluster.stop().await?");
        let dir = cluster.dir().to_owned();
        self.transcript.during("stopping", cluster.stop()).await?;
        self.transcript.result("the three members have ended");
        self.transcript.holds("their files are gone", !dir.exists());
        Ok(())
    }

    async fn remove(&mut self) -> Result<()> {
        self.transcript.code(&format!("client.delete({:?}).prefix().await?", self.prefix));
        let removed = self.remove_all().await;
        if let Err(error) = &removed {
            self.transcript.result(error.report());
        }
        let removed = removed.map_err(|_printed| anyhow!(self.remains()))?;
        let counted = self.client.get(&self.prefix).prefix().count_only().await;
        let left = counted.with_context(|| self.remains())?.count;
        self.transcript.result(format!("{} keys removed", show::count(removed)));
        self.transcript.check("nothing is left under the prefix", left, 0);
        Ok(())
    }

    /// A write that was dropped by an interruption may still be under way: it ends when a removal finds nothing.
    async fn remove_all(&mut self) -> Result<u64, Error> {
        let mut removed = 0;
        for round in 0..REMOVALS {
            let deleted = self.client.delete(&self.prefix).prefix().await?.deleted;
            removed += deleted;
            if round > 0 && deleted == 0 {
                break;
            }
            sleep(STRAGGLERS).await;
        }
        for id in self.leases.drain(..) {
            match self.client.lease().revoke(id).await {
                Err(error) if !error.is_lease_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(removed)
    }
}

/// The seed of a hash map is random, which spares a dependency.
fn random() -> u64 {
    RandomState::new().hash_one(process::id())
}
