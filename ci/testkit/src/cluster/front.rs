//! etcd's gRPC proxy and its gateway, which run between clients and a cluster, as processes of the cluster.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use nix::sys::signal::Signal;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{Cluster, flags, ports::Ports, process::Pid, reaper::Reaper};

/// The number of attempts to start if another process takes a port that was just free.
const STARTS: usize = 5;

/// The interval of polls of a condition.
const POLL: Duration = Duration::from_millis(5);

const PATIENCE: Duration = Duration::from_secs(30);

/// The kind: proxy or gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    GrpcProxy,
    Gateway,
}

impl Kind {
    fn command(self) -> &'static str {
        match self {
            Self::GrpcProxy => "grpc-proxy",
            Self::Gateway => "gateway",
        }
    }
}

/// A gRPC proxy or a gateway before a cluster, on a loopback port. Dropping it kills it; so does the end of its
/// cluster.
#[derive(Debug)]
pub struct Front {
    name: String,
    dir: PathBuf,
    script: String,
    address: String,
    reaper: Arc<Reaper>,
    pid: Mutex<Option<Pid>>,
}

impl Cluster {
    /// Starts `etcd grpc-proxy` in front of the members, which it must reach without TLS. The proxy asks for no token.
    ///
    /// # Errors
    ///
    /// Returns an error with the log of the process if it does not listen in time.
    pub async fn grpc_proxy(&self) -> anyhow::Result<Front> {
        self.front(Kind::GrpcProxy, &self.addresses()).await
    }

    /// Starts `etcd gateway` before the members: each connection goes to the next one that accepts it.
    ///
    /// # Errors
    /// When it does not listen in time; the error holds its log.
    pub async fn gateway(&self) -> anyhow::Result<Front> {
        self.front(Kind::Gateway, &self.addresses()).await
    }

    /// Starts `etcd gateway` before these addresses, such as those of fault proxies before the members.
    ///
    /// # Errors
    /// When it does not listen in time; the error holds its log.
    pub async fn gateway_to(&self, addresses: &[String]) -> anyhow::Result<Front> {
        self.front(Kind::Gateway, addresses).await
    }

    /// `HOST:PORT` of each member.
    pub(super) fn addresses(&self) -> Vec<String> {
        let address =
            |endpoint: &str| endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest).to_owned();
        self.members().iter().map(|member| address(member.tcp_endpoint())).collect()
    }

    async fn front(&self, kind: Kind, addresses: &[String]) -> anyhow::Result<Front> {
        ensure!(
            self.certificates().is_none(),
            "a {} before members with TLS is not supported",
            kind.command()
        );
        for _ in 0..STARTS {
            let front = Front::launch(self, kind, addresses)?;
            match front.listening().await {
                Err(_) if front.log_text().contains("address already in use") => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(front),
            }
        }
        bail!("other processes took the ports of {STARTS} starts")
    }
}

impl Front {
    fn launch(cluster: &Cluster, kind: Kind, addresses: &[String]) -> anyhow::Result<Self> {
        let address = format!("127.0.0.1:{}", Ports::default().pick()?);
        let name = format!("{}-{:016x}", kind.command(), fastrand::u64(..));
        let dir = cluster.dir().join(&name);
        fs::create_dir(&dir).with_context(|| format!("creating the directory of {name}"))?;
        let mut args = vec![
            kind.command().to_owned(),
            "start".to_owned(),
            format!("--endpoints={}", addresses.join(",")),
            format!("--listen-addr={address}"),
        ];
        if kind == Kind::GrpcProxy {
            args.push(format!("--advertise-client-url={address}"));
        }
        let script = flags::script(&cluster.binaries().etcd, &dir, &args);
        let front = Self {
            name,
            dir,
            script,
            address,
            reaper: Arc::clone(&cluster.setup.reaper),
            pid: Mutex::new(None),
        };
        front.spawn()?;
        Ok(front)
    }

    /// The endpoint for clients: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process id, also after it ended.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.current().map(Pid::get)
    }

    /// Returns `true` if the process runs or is paused.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.current().is_some_and(|pid| pid.is_running(self.reaper.pid()))
    }

    /// Kills the process (SIGKILL), paused or not.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&self) -> anyhow::Result<()> {
        let pid = self.current().with_context(|| format!("{} was not started", self.name))?;
        pid.signal(self.reaper.pid(), Signal::SIGKILL).with_context(|| format!("killing {}", self.name))
    }

    /// Kills the process if it runs, and starts it again on the same port.
    ///
    /// # Errors
    /// When it does not listen in time; the error holds its log.
    pub async fn restart(&self) -> anyhow::Result<()> {
        // Fails only where the process has ended, which is what is wanted.
        let _ = self.kill();
        let ended = async {
            while self.is_running() {
                sleep(POLL).await;
            }
        };
        timeout(PATIENCE, ended).await.with_context(|| format!("{} still runs", self.name))?;
        self.spawn()?;
        self.listening().await
    }

    /// The output of the process in all its runs.
    #[must_use]
    pub fn log_text(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.join("etcd.log")).unwrap_or_default()).into_owned()
    }

    fn spawn(&self) -> anyhow::Result<()> {
        fs::write(self.dir.join("run"), &self.script)
            .with_context(|| format!("writing the start of {}", self.name))?;
        let pid = self.reaper.spawn(&self.name).with_context(|| format!("starting {}", self.name))?;
        *self.pid.lock().unwrap_or_else(PoisonError::into_inner) = Some(pid);
        Ok(())
    }

    async fn listening(&self) -> anyhow::Result<()> {
        let listening = async {
            while TcpStream::connect(&self.address).await.is_err() {
                self.check_running()?;
                sleep(POLL).await;
            }
            // A stranger may have taken the port.
            self.check_running()
        };
        let outcome = timeout(PATIENCE, listening).await;
        outcome.with_context(|| format!("{} does not listen; its log:\n{}", self.name, self.log_text()))?
    }

    fn check_running(&self) -> anyhow::Result<()> {
        ensure!(self.is_running(), "{} has ended; its log:\n{}", self.name, self.log_text());
        Ok(())
    }

    fn current(&self) -> Option<Pid> {
        *self.pid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // Fails only where the process has ended, which is what is wanted.
        let _ = self.kill();
    }
}
