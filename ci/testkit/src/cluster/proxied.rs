//! A fault proxy before each member of a cluster.

use crate::{Member, Proxy};

/// Proxies in the order of the members; they end with this.
#[derive(Debug)]
pub struct Proxied {
    proxies: Vec<Proxy>,
}

impl Proxied {
    pub(super) fn before(members: &[Member]) -> anyhow::Result<Self> {
        let proxies = members.iter().map(|member| Proxy::to(member.tcp_endpoint()));
        Ok(Self { proxies: proxies.collect::<anyhow::Result<_>>()? })
    }

    /// Returns the endpoints for clients, one for each member.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        self.proxies.iter().map(Proxy::endpoint).collect()
    }

    /// The proxies.
    #[must_use]
    pub fn proxies(&self) -> &[Proxy] {
        &self.proxies
    }

    /// The proxy before one member.
    ///
    /// # Panics
    /// When there is no such member.
    #[must_use]
    pub fn proxy(&self, member: usize) -> &Proxy {
        &self.proxies[member]
    }
}
