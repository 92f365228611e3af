//! The effect of a member list on the endpoints of a client: which to keep, probe and drop.
//!
//! A pure function without I/O.

use std::{collections::HashSet, net::IpAddr};

use crate::types::{Address, Endpoint, Security};

/// The maximum number of addresses taken from a member list. Clusters have three to seven members.
pub(crate) const MOST_DISCOVERED: usize = 32;

/// The maximum number of URLs that are parsed, so that a hostile list costs no time.
const MOST_URLS: usize = 1024;

/// A DNS name has at most 253 bytes. The rest is for scheme and port.
const LONGEST_URL: usize = 280;

/// A member of a member list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListedMember {
    pub(crate) id: u64,
    /// Empty for a member that has not been started.
    pub(crate) name: String,
    pub(crate) client_urls: Vec<String>,
    pub(crate) is_learner: bool,
}

impl ListedMember {
    /// Returns true if clients should use the member: it is started and has a vote.
    pub(crate) fn serves(&self) -> bool {
        !self.name.is_empty() && !self.is_learner
    }
}

/// The endpoints that may be adopted. A discovered endpoint is never less secure than those that the user configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    plaintext: bool,
    tls: bool,
    unix: bool,
    loopback: bool,
}

impl Rules {
    /// Derives the rules from the configured endpoints, and from the presence of TLS settings.
    pub(crate) fn of(seeds: &[Endpoint], tls: bool) -> Self {
        let plaintext = |seed: &Endpoint| match seed.security() {
            Security::Plaintext => true,
            Security::Tls => false,
            Security::AsConfigured => !tls,
        };
        let unix = |seed: &Endpoint| matches!(seed.address(), Address::Unix { .. });
        Self {
            plaintext: seeds.iter().any(plaintext),
            tls,
            unix: seeds.iter().any(unix),
            loopback: seeds.iter().any(Endpoint::is_loopback),
        }
    }

    fn allow(self, endpoint: &Endpoint) -> bool {
        let security = match endpoint.security() {
            Security::Plaintext => self.plaintext,
            Security::Tls => self.tls,
            // etcd lists only URLs, which have a scheme.
            Security::AsConfigured => false,
        };
        let address = match endpoint.address() {
            Address::Unix { .. } => self.unix,
            Address::Tcp { host, .. } => !is_unspecified(host) && (self.loopback || !endpoint.is_loopback()),
        };
        security && address
    }
}

/// The changes to the endpoints of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Adopted earlier and still listed. The configured endpoints always stay and are not included.
    pub(crate) keep: Vec<Endpoint>,
    /// Listed and not in use. To be adopted after it has responded as a member of the same cluster.
    pub(crate) probe: Vec<Endpoint>,
    /// Adopted earlier and no longer listed.
    pub(crate) drop: Vec<Endpoint>,
    /// The number of URLs that were skipped.
    pub(crate) ignored: usize,
}

/// The error for a member list without any usable address. The endpoints stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NothingUsable {
    pub(crate) members: usize,
    pub(crate) ignored: usize,
}

/// Compares the endpoints of a client with the members of its cluster.
pub(crate) fn plan(
    seeds: &[Endpoint],
    adopted: &[Endpoint],
    members: &[ListedMember],
    rules: Rules,
) -> Result<Plan, NothingUsable> {
    let urls = || members.iter().filter(|member| member.serves()).flat_map(|member| &member.client_urls);
    let mut listed: Vec<Endpoint> = Vec::new();
    let mut addresses = HashSet::new();
    let mut duplicates = 0;
    for endpoint in urls().take(MOST_URLS).filter_map(|url| read(url)).filter(|found| rules.allow(found)) {
        if !addresses.insert(endpoint.address().clone()) {
            duplicates += 1;
        } else if listed.len() < MOST_DISCOVERED {
            listed.push(endpoint);
        }
    }
    let ignored = urls().count() - listed.len() - duplicates;
    if listed.is_empty() {
        return Err(NothingUsable { members: members.len(), ignored });
    }
    let among = |endpoints: &[Endpoint], one: &Endpoint| {
        endpoints.iter().any(|other| other.address() == one.address())
    };
    let (keep, drop) = adopted.iter().cloned().partition(|one| among(&listed, one));
    let probe = listed.iter().filter(|one| !among(seeds, one) && !among(adopted, one)).cloned().collect();
    Ok(Plan { keep, probe, drop, ignored })
}

/// Parses a URL. Parsing also rejects user information and control characters.
fn read(url: &str) -> Option<Endpoint> {
    if url.len() > LONGEST_URL { None } else { url.parse().ok() }
}

/// Returns true for a wildcard address. A member that listens on all interfaces may list one, but for a client it
/// would mean its own host.
fn is_unspecified(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_unspecified())
}

#[cfg(test)]
mod tests;
