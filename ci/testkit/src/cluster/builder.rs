//! Builds and starts a cluster.

use anyhow::{Context as _, bail, ensure};

use super::{Cluster, member::Member, ports::Ports};
use crate::{Binaries, Line, require};

/// The number of attempts to start if another process takes a port that was just free.
const STARTS: usize = 5;

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) members: usize,
    pub(super) args: Vec<String>,
    pub(super) tls: bool,
    pub(super) mutual_tls: bool,
    pub(super) common_name: String,
    pub(super) unix_socket: bool,
    pub(super) root_password: Option<String>,
    /// The validity of signed tokens.
    pub(super) jwt: Option<String>,
    pub(super) ports: Ports,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            members: 1,
            args: Vec::new(),
            tls: false,
            mutual_tls: false,
            common_name: "root".to_owned(),
            unix_socket: false,
            root_password: None,
            jwt: None,
            ports: Ports::default(),
        }
    }
}

/// Describes a [`Cluster`] and starts it.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    pub(super) plan: Plan,
    line: Option<Line>,
    binaries: Option<Binaries>,
}

impl Builder {
    /// The number of members; 1 by default.
    pub fn members(mut self, members: usize) -> Self {
        self.plan.members = members;
        self
    }

    /// The line of etcd. By default what `ETCD_LINE` says, and without it what is installed, else the newest.
    pub fn line(mut self, line: Line) -> Self {
        self.line = Some(line);
        self
    }

    /// Runs exactly these binaries instead of looking for some.
    pub fn binaries(mut self, binaries: Binaries) -> Self {
        self.binaries = Some(binaries);
        self
    }

    /// Adds a flag with its value to each member: `("--quota-backend-bytes", "1000000")`.
    pub fn arg(mut self, flag: &str, value: &str) -> Self {
        self.plan.args.push(format!("{flag}={value}"));
        self
    }

    /// The port for clients of the first member, where it is free; else, and for the others, any free one.
    pub fn client_port(mut self, port: u16) -> Self {
        self.plan.ports.first = vec![port];
        self
    }

    /// TLS between clients and members; the client shows no certificate. Peer links and metrics stay plain.
    pub fn tls(mut self) -> Self {
        self.plan.tls = true;
        self
    }

    /// TLS with `--client-cert-auth`: [`Certificates::client`](crate::Certificates::client) carries this common name.
    pub fn mutual_tls(mut self, common_name: &str) -> Self {
        self.plan.tls = true;
        self.plan.mutual_tls = true;
        common_name.clone_into(&mut self.plan.common_name);
        self
    }

    /// Clients are given a unix socket as the endpoint; the TCP port is there too.
    pub fn unix_socket(mut self) -> Self {
        self.plan.unix_socket = true;
        self
    }

    /// Creates the user `root` with this password and turns auth on, with simple tokens.
    pub fn auth(mut self, root_password: &str) -> Self {
        self.plan.root_password = Some(root_password.to_owned());
        self
    }

    /// Signed tokens (JWT, HS256, 10 minutes) instead of simple ones.
    pub fn jwt(self) -> Self {
        self.jwt_ttl("10m")
    }

    /// Signed tokens that are valid for this long, in whole seconds, as Go writes durations: `1s`.
    pub fn jwt_ttl(mut self, ttl: &str) -> Self {
        self.plan.jwt = Some(ttl.to_owned());
        self
    }

    /// Starts the members and waits until each is healthy, and auth is on if it was asked for.
    ///
    /// Dropping the future leaves nothing behind.
    ///
    /// # Errors
    /// When no etcd can be had, or a member does not become healthy; the error holds the end of its log.
    pub async fn start(self) -> anyhow::Result<Cluster> {
        let binaries = self.find().await?;
        self.start_with(binaries).await
    }

    /// Like [`Builder::start`] for tests: `None`, and a line on stderr, when no etcd can be had and none is required.
    ///
    /// # Panics
    /// When the start fails with an etcd at hand, or none can be had and `ETCD_REQUIRED=1`.
    pub async fn start_or_skip(self) -> Option<Cluster> {
        let binaries = match self.find().await {
            Ok(binaries) => binaries,
            Err(error) => {
                require::skip(&format!("{error:#}"));
                return None;
            }
        };
        match self.start_with(binaries).await {
            Ok(cluster) => Some(cluster),
            Err(error) => panic!("etcd does not start: {error:#}"),
        }
    }

    async fn find(&self) -> anyhow::Result<Binaries> {
        if let Some(binaries) = &self.binaries {
            return Ok(binaries.clone());
        }
        let line = match self.line {
            Some(line) => Some(line),
            None => Line::from_env()?,
        };
        tokio::task::spawn_blocking(move || require::found(line)).await.context("looking for etcd")?
    }

    async fn start_with(self, binaries: Binaries) -> anyhow::Result<Cluster> {
        ensure!(self.plan.members > 0, "a cluster needs a member");
        let mut plan = self.plan;
        for _ in 0..STARTS {
            let cluster = Cluster::launch(&mut plan, &binaries)?;
            match cluster.ready().await {
                Err(_) if cluster.members.iter().any(Member::lost_a_port) => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(cluster),
            }
        }
        bail!("other processes took the ports of {STARTS} starts")
    }
}
