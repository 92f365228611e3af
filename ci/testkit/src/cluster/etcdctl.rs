//! Runs etcdctl against a cluster with the flags that its TLS and auth need.

use std::{env, ffi::OsStr, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context as _, bail};
use tokio::{process::Command, time::timeout};

use super::Certificates;

/// Above [`COMMAND_TIMEOUT`].
const PATIENCE: Duration = Duration::from_secs(60);

/// etcdctl's own is 5 s, which a busy machine with a slow disk takes for a put.
const COMMAND_TIMEOUT: &str = "--command-timeout=50s";

/// The flags that reach the cluster.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) etcdctl: PathBuf,
    pub(super) endpoints: Vec<String>,
    pub(super) tls: Vec<String>,
    pub(super) password: Option<String>,
}

impl Access {
    pub(super) fn tls_flags(certificates: &Certificates, with_client: bool) -> Vec<String> {
        let mut flags = vec![format!("--cacert={}", certificates.ca.display())];
        if with_client {
            flags.push(format!("--cert={}", certificates.client.cert.display()));
            flags.push(format!("--key={}", certificates.client.key.display()));
        }
        flags
    }

    /// Returns the same without a user, for a cluster on which authentication is not enabled yet.
    pub(super) fn without_password(self) -> Self {
        Self { password: None, ..self }
    }

    /// The flags that go before a command.
    pub(super) fn flags(&self) -> Vec<String> {
        let mut flags = vec![format!("--endpoints={}", self.endpoints.join(","))];
        flags.extend(self.tls.iter().cloned());
        flags.extend(self.password.as_ref().map(|password| format!("--user=root:{password}")));
        flags
    }

    /// Runs a command and returns its stdout.
    pub(super) async fn run<I>(&self, args: I) -> anyhow::Result<String>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut command = Command::new(&self.etcdctl);
        command.args(self.flags()).arg(COMMAND_TIMEOUT).args(args).stdin(Stdio::null()).kill_on_drop(true);
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ETCDCTL_")) {
            command.env_remove(name);
        }
        let output = timeout(PATIENCE, command.output()).await.context("etcdctl did not end in time")?;
        let output = output.with_context(|| format!("running {}", self.etcdctl.display()))?;
        if !output.status.success() {
            bail!("etcdctl ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
