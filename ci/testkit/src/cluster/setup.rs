//! The settings that the members of a cluster share, from which members are created.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use anyhow::Context as _;

use super::{
    Certificates,
    builder::Plan,
    etcdctl::Access,
    flags::{self, Listen, State},
    links::Links,
    member::Member,
    reaper::Reaper,
};
use crate::Binaries;

#[derive(Debug)]
pub(super) struct Setup {
    pub(super) plan: Plan,
    pub(super) binaries: Binaries,
    pub(super) reaper: Arc<Reaper>,
    pub(super) links: Arc<Links>,
    pub(super) certificates: Option<Certificates>,
    pub(super) jwt_secret: Option<PathBuf>,
}

impl Setup {
    /// Makes the directory, the certificates and what else the plan asks for.
    pub(super) fn prepare(plan: &Plan, binaries: &Binaries) -> anyhow::Result<Self> {
        let reaper = Arc::new(Reaper::start()?);
        let certificates = match plan.tls {
            true => Some(Certificates::create(&reaper.dir().join("tls"), &plan.common_name)?),
            false => None,
        };
        let jwt_secret = plan.jwt.as_ref().map(|_ttl| reaper.dir().join("jwt.secret"));
        if let Some(path) = &jwt_secret {
            fs::write(path, "a secret of the testkit").context("writing the token secret")?;
        }
        let links = Arc::new(Links::start()?);
        Ok(Self { plan: plan.clone(), binaries: binaries.clone(), reaper, links, certificates, jwt_secret })
    }

    /// Picks the ports of the member `index` and puts a relay before its peer port.
    pub(super) fn listen(&self, plan: &mut Plan, index: usize) -> anyhow::Result<Listen> {
        let [client, peer, metrics] = [plan.ports.pick()?, plan.ports.pick()?, plan.ports.pick()?];
        let advertised_peer = self.links.add(index, peer)?;
        Ok(Listen { name: format!("m{index}"), client, peer, metrics, advertised_peer })
    }

    /// Prepares a member without starting it; `all` are the members it must know, itself among them.
    pub(super) fn member(
        &self,
        index: usize,
        listen: &Listen,
        all: &[Listen],
        state: State,
    ) -> anyhow::Result<Member> {
        let dir = self.reaper.dir().join(&listen.name);
        fs::create_dir(&dir).with_context(|| format!("creating the directory of {}", listen.name))?;
        let tcp_endpoint =
            format!("{}://127.0.0.1:{}", if self.plan.tls { "https" } else { "http" }, listen.client);
        let endpoint = match (self.plan.unix_socket, self.plan.tls) {
            (false, _) => tcp_endpoint.clone(),
            (true, false) => format!("unix://{}", dir.join(flags::SOCKET).display()),
            (true, true) => format!("unixs://{}", dir.join(flags::SOCKET).display()),
        };
        Ok(Member {
            index,
            args: flags::arguments(self, listen, all, state),
            listen: listen.clone(),
            dir,
            etcd: Mutex::new(self.binaries.etcd.clone()),
            access: self.access(vec![endpoint.clone()]),
            endpoint,
            tcp_endpoint,
            reaper: Arc::clone(&self.reaper),
            links: Arc::clone(&self.links),
            pid: Mutex::new(None),
        })
    }

    pub(super) fn access(&self, endpoints: Vec<String>) -> Access {
        let tls = self
            .certificates
            .as_ref()
            .map(|certificates| Access::tls_flags(certificates, self.plan.mutual_tls));
        Access {
            etcdctl: self.binaries.etcdctl.clone(),
            endpoints,
            tls: tls.unwrap_or_default(),
            password: self.plan.root_password.clone(),
        }
    }
}
