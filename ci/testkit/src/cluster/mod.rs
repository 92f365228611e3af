//! A cluster of real etcd processes that ends with its handle.

mod builder;
mod certificates;
mod etcdctl;
mod flags;
mod health;
mod links;
mod member;
mod owner;
mod ports;
mod process;
mod reaper;
#[cfg(test)]
mod tests;

use std::{ffi::OsStr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};

pub use self::{
    builder::Builder,
    certificates::{Certificates, Identity},
    member::Member,
};
use self::{builder::Plan, etcdctl::Access, links::Links, member::START_PATIENCE, reaper::Reaper};
use crate::Version;

const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// Members that know each other, on free loopback ports.
///
/// Dropping it kills the members and removes their files; so does the end of this process, however it comes. Drop does
/// not wait: [`Cluster::stop`] does.
#[derive(Debug)]
pub struct Cluster {
    members: Vec<Member>,
    reaper: Arc<Reaper>,
    links: Option<Arc<Links>>,
    certificates: Option<Certificates>,
    access: Access,
    binaries: crate::Binaries,
}

impl Cluster {
    /// Describes a cluster of one plain member.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What clients connect to, one per member.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        self.access.endpoints.clone()
    }

    /// The members, in the order of their names.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// One member.
    ///
    /// # Panics
    /// When there is no such member.
    #[must_use]
    pub fn member(&self, index: usize) -> &Member {
        &self.members[index]
    }

    /// The version that runs.
    #[must_use]
    pub fn version(&self) -> Version {
        self.binaries.version
    }

    /// The binaries that run.
    #[must_use]
    pub fn binaries(&self) -> &crate::Binaries {
        &self.binaries
    }

    /// The certificates, if it was built with TLS.
    #[must_use]
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// The password of `root`, if it was built with auth.
    #[must_use]
    pub fn root_password(&self) -> Option<&str> {
        self.access.password.as_deref()
    }

    /// The directory of everything; it vanishes with the cluster.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.reaper.dir()
    }

    /// Waits until each member is healthy.
    ///
    /// # Errors
    /// When one has ended or is not healthy in time; the error holds the end of its log.
    pub async fn wait_healthy(&self, patience: Duration) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + patience;
        for member in &self.members {
            member.wait_healthy(deadline.saturating_duration_since(tokio::time::Instant::now())).await?;
        }
        Ok(())
    }

    /// Cuts each member off from its peers, not from its clients: connections are reset, new ones too.
    ///
    /// # Errors
    /// When there is but one member.
    pub fn cut_peer_links(&self) -> anyhow::Result<()> {
        self.links()?.cut_all();
        Ok(())
    }

    /// Cuts one member off from its peers, not from its clients; the others go on without it.
    ///
    /// # Errors
    /// When there is but one member, or the system does not tell who dials (only Linux does).
    pub fn isolate(&self, member: usize) -> anyhow::Result<()> {
        if cfg!(not(target_os = "linux")) {
            bail!("isolating one member works on Linux only");
        }
        self.links()?.isolate(self.member(member).index);
        Ok(())
    }

    /// Undoes every cut.
    ///
    /// # Errors
    /// When there is but one member.
    pub fn heal_peer_links(&self) -> anyhow::Result<()> {
        self.links()?.heal();
        Ok(())
    }

    /// Runs etcdctl with the endpoints, certificates and password of the cluster and returns its stdout.
    ///
    /// # Errors
    /// When it fails; the error holds its stderr.
    pub async fn etcdctl<I>(&self, args: I) -> anyhow::Result<String>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        self.access.run(args).await
    }

    /// The etcdctl and the flags that reach the cluster, to be copied into a shell.
    #[must_use]
    pub fn etcdctl_command(&self) -> String {
        format!("{} {}", self.access.etcdctl.display(), self.access.flags().join(" "))
    }

    /// Kills the members, removes their files and waits for that.
    ///
    /// # Errors
    /// When it takes more than 15 s.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.reaper.finish(STOP_PATIENCE).await
    }

    async fn ready(&self, plan: &Plan) -> anyhow::Result<()> {
        self.wait_healthy(START_PATIENCE).await?;
        if let Some(password) = &plan.root_password {
            self.enable_auth(password).await.context("turning auth on")?;
        }
        Ok(())
    }

    async fn enable_auth(&self, password: &str) -> anyhow::Result<()> {
        let open = self.access.without_password();
        open.run(["user", "add", &format!("root:{password}")]).await?;
        open.run(["role", "add", "root"]).await?;
        open.run(["user", "grant-role", "root", "root"]).await?;
        open.run(["auth", "enable"]).await?;
        Ok(())
    }

    fn links(&self) -> anyhow::Result<&Links> {
        self.links.as_deref().context("a cluster of one member has no peer links")
    }
}
