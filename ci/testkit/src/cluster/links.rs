//! The links between members: one TCP relay in front of each member's peer port, so that links can be cut and healed.

use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::{owner, process::Pid};
use crate::relay::{Background, reset_on_close};

/// The links that are cut.
#[derive(Clone, Debug, Default)]
struct Cuts {
    all: bool,
    isolated: HashSet<usize>,
}

impl Cuts {
    /// A connection whose dialler is unknown is cut as soon as any link is.
    fn cover(&self, from: Option<usize>, to: usize) -> bool {
        let touches = |member: Option<usize>| member.is_none_or(|member| self.isolated.contains(&member));
        self.all || (!self.isolated.is_empty() && (touches(from) || touches(Some(to))))
    }
}

#[derive(Debug)]
pub(super) struct Links {
    cuts: watch::Sender<Cuts>,
    pids: Arc<Pids>,
    background: Background,
}

/// The process of each member, which identifies the member that dials.
#[derive(Debug, Default)]
struct Pids(Mutex<Vec<Option<Pid>>>);

impl Pids {
    fn lock(&self) -> MutexGuard<'_, Vec<Option<Pid>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Links {
    pub(super) fn start() -> anyhow::Result<Self> {
        let background = Background::start("etcd-testkit-links")?;
        Ok(Self { cuts: watch::Sender::default(), pids: Arc::default(), background })
    }

    /// Puts a relay before the peer port `upstream` of a member; returns the port under which the others know it.
    pub(super) fn add(&self, member: usize, upstream: u16) -> anyhow::Result<u16> {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).context("binding a peer relay")?;
        listener.set_nonblocking(true).context("preparing a peer relay")?;
        let port = listener.local_addr().context("reading a peer relay's port")?.port();
        let relay = Relay { member, upstream, cuts: self.cuts.subscribe(), pids: Arc::clone(&self.pids) };
        self.background.spawn(relay.run(listener));
        Ok(port)
    }

    pub(super) fn set_pid(&self, member: usize, pid: Pid) {
        let mut pids = self.pids.lock();
        let known = pids.len().max(member + 1);
        pids.resize(known, None);
        pids[member] = Some(pid);
    }

    pub(super) fn cut_all(&self) {
        self.cuts.send_modify(|cuts| cuts.all = true);
    }

    pub(super) fn isolate(&self, member: usize) {
        self.cuts.send_modify(|cuts| {
            cuts.isolated.insert(member);
        });
    }

    pub(super) fn heal(&self) {
        self.cuts.send_replace(Cuts::default());
    }
}

#[derive(Clone)]
struct Relay {
    member: usize,
    upstream: u16,
    cuts: watch::Receiver<Cuts>,
    pids: Arc<Pids>,
}

impl Relay {
    async fn run(self, listener: StdListener) {
        let Ok(listener) = TcpListener::from_std(listener) else { return };
        loop {
            match listener.accept().await {
                Ok((stream, from)) => drop(tokio::spawn(self.clone().serve(stream, from))),
                // Out of descriptors: others will be given back.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    async fn serve(mut self, mut inbound: TcpStream, from: SocketAddr) {
        // First of all: peers dial a dead member again and again, and finding out who dialled takes far longer.
        let Ok(mut outbound) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.upstream)).await else {
            return reset_on_close(&inbound);
        };
        let dialler = owner::of(from.port(), &self.pids.lock());
        let member = self.member;
        if !self.cuts.borrow_and_update().cover(dialler, member) {
            // Small Raft messages would wait for acknowledgements otherwise; fails only on a socket that is gone.
            let _ = inbound.set_nodelay(true).and_then(|()| outbound.set_nodelay(true));
            let cut = self.cuts.wait_for(|cuts| cuts.cover(dialler, member));
            tokio::select! {
                _ = copy_bidirectional(&mut inbound, &mut outbound) => {}
                _ = cut => {}
            }
        }
        reset_on_close(&inbound);
        reset_on_close(&outbound);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isolation_covers_the_members_links_and_those_of_unknown_diallers() {
        let cuts = Cuts { all: false, isolated: HashSet::from([1]) };
        assert!(cuts.cover(Some(1), 0));
        assert!(cuts.cover(Some(0), 1));
        assert!(cuts.cover(None, 2));
        assert!(!cuts.cover(Some(0), 2));
        assert!(!Cuts::default().cover(None, 0));
        assert!(Cuts { all: true, isolated: HashSet::new() }.cover(Some(0), 2));
    }
}
