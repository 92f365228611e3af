//! The state that the sections share: the client, the cluster, and the keys and leases to remove at the end.

use std::{collections::hash_map::RandomState, hash::BuildHasher as _, process, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use etcd_client_core::{Client, Error, LeaseId};
use etcd_testkit::Cluster;
use tokio::time::sleep;

use super::{show, transcript::Transcript};

/// The time after a removal in which an interrupted write may still arrive.
const STRAGGLERS: Duration = Duration::from_millis(300);

/// The largest number of removals.
const REMOVALS: usize = 10;

/// The state that every section uses.
pub(super) struct Stage {
    pub(super) client: Client,
    pub(super) endpoints: Vec<String>,
    /// The cluster that the demo started. `None` if it runs on a cluster of the user.
    pub(super) cluster: Option<Cluster>,
    pub(super) transcript: Transcript,
    prefix: String,
    leases: Vec<LeaseId>,
    /// Set once keys may have been written.
    reached: bool,
}

impl Stage {
    /// Builds the client.
    ///
    /// # Errors
    ///
    /// Returns an error if an endpoint is invalid. The report is printed.
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
            anyhow!("--endpoints is invalid, see above")
        })?;
        transcript.note(&format!("Every key starts with {prefix}, which the lines below omit."));
        Ok(Self { client, endpoints, cluster, transcript, prefix, leases: Vec::new(), reached: false })
    }

    /// Returns the key with the prefix of the demo.
    pub(super) fn key(&self, short: &str) -> String {
        format!("{}{short}", self.prefix)
    }

    /// Returns the key without the prefix of the demo, as shown in the output.
    pub(super) fn short(&self, key: &[u8]) -> String {
        let key = String::from_utf8_lossy(key);
        key.strip_prefix(&self.prefix).unwrap_or(&key).to_owned()
    }

    /// Returns the cluster that the demo started.
    ///
    /// # Errors
    ///
    /// Returns an error on a cluster of the user, where sections that need this are skipped.
    pub(super) fn own_cluster(&self) -> Result<&Cluster> {
        self.cluster.as_ref().context("this needs a cluster that the demo started")
    }

    /// Records that the cluster answers, so that the end of the demo removes keys.
    pub(super) fn reached(&mut self) {
        self.reached = true;
    }

    /// Returns the id for a lease that the demo revokes at the end.
    ///
    /// The id is chosen before the lease is granted, so that an interruption in between leaves no lease.
    pub(super) fn choose_lease(&mut self) -> LeaseId {
        let number = i64::try_from(random() >> 1).unwrap_or(i64::MAX).max(1);
        let id = LeaseId::new(number).expect("at least one");
        self.leases.push(id);
        id
    }

    /// Prints the report of an error of the client, or the text of another error.
    pub(super) fn explain(&mut self, error: &anyhow::Error) {
        match error.downcast_ref::<Error>() {
            Some(error) => self.transcript.result(error.report()),
            None => self.transcript.result(format!("{error:#}")),
        }
    }

    /// Describes what is left if the demo cannot clean up.
    pub(super) fn remains(&self) -> String {
        match self.cluster {
            Some(_) => "the cluster ends with this process".to_owned(),
            None => format!("keys may be left; remove them with `etcdctl del --prefix {}`", self.prefix),
        }
    }

    /// Removes the cluster of the demo, or its keys and leases on a cluster of the user.
    ///
    /// # Errors
    ///
    /// Returns an error that describes what may be left.
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
        self.transcript.result("all members have stopped");
        self.transcript.holds("their files are removed", !dir.exists());
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
        self.transcript.check("no key is left under the prefix", left, 0);
        Ok(())
    }

    /// Deletes until nothing is found, because a write that was dropped by an interruption may still arrive.
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

/// Returns a random number. The seed of a hash map avoids a dependency.
fn random() -> u64 {
    RandomState::new().hash_one(process::id())
}
