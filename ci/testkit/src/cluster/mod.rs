//! A cluster of real etcd processes that ends with its handle.

mod builder;
mod certificates;
mod etcdctl;
mod flags;
mod front;
mod health;
mod links;
mod member;
mod owner;
mod ports;
mod process;
mod proxied;
mod reaper;
mod replace;
mod setup;
mod snapshot;
#[cfg(test)]
mod tests;

use std::{ffi::OsStr, path::Path, time::Duration};

use anyhow::{Context as _, bail};

pub use self::{
    builder::Builder,
    certificates::{Certificates, Identity},
    front::Front,
    member::Member,
    proxied::Proxied,
    replace::Backup,
    snapshot::Snapshot,
};
use self::{
    builder::Plan,
    etcdctl::Access,
    flags::{Listen, State},
    member::START_PATIENCE,
    setup::Setup,
};
use crate::{Binaries, Proxy, Version};

const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// Members that know each other, on free loopback ports.
///
/// Dropping it kills the members and removes their files; so does the end of this process, however it comes. Drop does
/// not wait: [`Cluster::stop`] does.
#[derive(Debug)]
pub struct Cluster {
    members: Vec<Member>,
    /// The number of members that were ever added. Names are not used twice.
    ever: usize,
    setup: Setup,
}

impl Cluster {
    /// Describes a cluster of one plain member.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the endpoints for clients, one for each member.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        self.members.iter().map(|member| member.endpoint.clone()).collect()
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
        self.setup.binaries.version
    }

    /// The binaries that run.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        &self.setup.binaries
    }

    /// The certificates, if it was built with TLS.
    #[must_use]
    pub fn certificates(&self) -> Option<&Certificates> {
        self.setup.certificates.as_ref()
    }

    /// The password of `root`, if it was built with auth.
    #[must_use]
    pub fn root_password(&self) -> Option<&str> {
        self.setup.plan.root_password.as_deref()
    }

    /// The directory of everything; it vanishes with the cluster.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.setup.reaper.dir()
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

    /// Starts one more member, which joins the others: as a learner, or with a vote.
    ///
    /// # Errors
    /// When the cluster refuses it, or it does not become healthy.
    pub async fn add_member(&mut self, learner: bool) -> anyhow::Result<&Member> {
        let index = self.ever;
        let mut plan = self.setup.plan.clone();
        let listen = self.setup.listen(&mut plan, index)?;
        let peer = format!("--peer-urls=http://127.0.0.1:{}", listen.advertised_peer);
        let mut add = vec!["member", "add", &listen.name, &peer];
        add.extend(learner.then_some("--learner"));
        self.etcdctl(add).await.context("adding a member")?;
        let known: Vec<Listen> =
            self.members.iter().map(|member| &member.listen).chain([&listen]).cloned().collect();
        let member = self.setup.member(index, &listen, &known, State::Existing)?;
        member.spawn()?;
        self.ever += 1;
        let position = self.members.len();
        self.members.push(member);
        let member = &self.members[position];
        member.wait_healthy(START_PATIENCE).await?;
        Ok(member)
    }

    /// Prepares one more member, which is neither added to the cluster nor started, and returns its peer URL. Add it
    /// with that URL, then start it with [`Member::restart`].
    ///
    /// # Errors
    /// When no ports can be had.
    pub fn prepare_member(&mut self) -> anyhow::Result<String> {
        let index = self.ever;
        let mut plan = self.setup.plan.clone();
        let listen = self.setup.listen(&mut plan, index)?;
        let peer = format!("http://127.0.0.1:{}", listen.advertised_peer);
        let known: Vec<Listen> =
            self.members.iter().map(|member| &member.listen).chain([&listen]).cloned().collect();
        let member = self.setup.member(index, &listen, &known, State::Existing)?;
        self.ever += 1;
        self.members.push(member);
        Ok(peer)
    }

    /// Takes one member out of the cluster and ends it. Those behind it move up by one; its name is not used again.
    ///
    /// # Errors
    /// When the cluster refuses it, or it does not end.
    ///
    /// # Panics
    /// When there is no such member, or no other one.
    pub async fn remove_member(&mut self, index: usize) -> anyhow::Result<()> {
        let other = self.member(usize::from(index == 0));
        let list = other.etcdctl(["member", "list"]).await?;
        let name = format!(", {}, ", self.member(index).name());
        let line = list.lines().find(|line| line.contains(&name)).context("it is not listed")?;
        let id = line.split(',').next().unwrap_or_default();
        other.etcdctl(["member", "remove", id]).await.context("removing a member")?;
        let member = self.members.remove(index);
        // It ends by itself once it has heard of that.
        if member.is_running() {
            member.kill().ok();
        }
        member.wait_exit().await
    }

    /// Cuts each member off from its peers, not from its clients: connections are reset, new ones too.
    pub fn cut_peer_links(&self) {
        self.setup.links.cut_all();
    }

    /// Cuts a member off from its peers, but not from its clients. The others continue without it.
    ///
    /// # Errors
    ///
    /// Returns an error if the dialling process cannot be determined, which only Linux supports.
    ///
    /// # Panics
    ///
    /// Panics if there is no such member.
    pub fn isolate(&self, member: usize) -> anyhow::Result<()> {
        if cfg!(not(target_os = "linux")) {
            bail!("isolating one member works on Linux only");
        }
        self.setup.links.isolate(self.member(member).index);
        Ok(())
    }

    /// Undoes every cut.
    pub fn heal_peer_links(&self) {
        self.setup.links.heal();
    }

    /// Puts a fault proxy before the TCP client port of each member. Members still name their own ports to who asks
    /// them.
    ///
    /// # Errors
    /// When no port or thread can be had.
    pub fn proxied(&self) -> anyhow::Result<Proxied> {
        Proxied::before(&self.members)
    }

    /// Puts a TCP load balancer before the members: each connection goes to the next one that accepts it, and is closed
    /// after `idle` without a byte in either direction.
    ///
    /// # Errors
    /// When no port or thread can be had.
    pub fn balanced(&self, idle: Option<Duration>) -> anyhow::Result<Proxy> {
        Proxy::balancing(&self.addresses(), idle)
    }

    /// Runs etcdctl with the endpoints, certificates and password of the cluster and returns its stdout.
    ///
    /// # Errors
    /// When it fails; the error holds its stderr.
    pub async fn etcdctl<I>(&self, args: I) -> anyhow::Result<String>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        self.access().run(args).await
    }

    /// The etcdctl and the flags that reach the cluster, to be copied into a shell.
    #[must_use]
    pub fn etcdctl_command(&self) -> String {
        let access = self.access();
        format!("{} {}", access.etcdctl.display(), access.flags().join(" "))
    }

    /// Kills the members, removes their files and waits for that.
    ///
    /// # Errors
    /// When it takes more than 15 s.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.setup.reaper.finish(STOP_PATIENCE).await
    }

    /// Starts the processes without waiting for them.
    fn launch(plan: &mut Plan, binaries: &Binaries) -> anyhow::Result<Self> {
        let setup = Setup::prepare(plan, binaries)?;
        let listens =
            (0..plan.members).map(|index| setup.listen(plan, index)).collect::<anyhow::Result<Vec<_>>>()?;
        let members = listens.iter().enumerate();
        let members = members.map(|(index, listen)| setup.member(index, listen, &listens, State::New));
        let members = members.collect::<anyhow::Result<Vec<_>>>()?;
        members.iter().try_for_each(Member::spawn)?;
        let ever = members.len();
        Ok(Self { members, ever, setup })
    }

    async fn ready(&self) -> anyhow::Result<()> {
        self.wait_healthy(START_PATIENCE).await?;
        if let Some(password) = self.root_password() {
            self.enable_auth(password).await.context("turning auth on")?;
        }
        Ok(())
    }

    async fn enable_auth(&self, password: &str) -> anyhow::Result<()> {
        let open = self.access().without_password();
        open.run(["user", "add", &format!("root:{password}")]).await?;
        open.run(["role", "add", "root"]).await?;
        open.run(["user", "grant-role", "root", "root"]).await?;
        open.run(["auth", "enable"]).await?;
        Ok(())
    }

    fn access(&self) -> Access {
        self.setup.access(self.endpoints())
    }
}
