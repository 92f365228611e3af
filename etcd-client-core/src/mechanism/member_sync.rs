//! What a member list means for the endpoints of a client: which stay, which are to be tried, which go.
//!
//! A pure function: nothing here speaks to anybody.

use std::{collections::HashSet, net::IpAddr};

use crate::model::{Address, Endpoint, Security};

/// The addresses that are taken from a member list at most. Clusters have three to seven members.
pub(crate) const MOST_DISCOVERED: usize = 32;

/// The URLs of a list that are looked at, so that a hostile one costs no time.
const MOST_URLS: usize = 1024;

/// The longest name in DNS has 253 bytes; scheme and port are what is left.
const LONGEST_URL: usize = 280;

/// A member as the member list has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListedMember {
    pub(crate) id: u64,
    /// Empty for a member that has not been started.
    pub(crate) name: String,
    pub(crate) client_urls: Vec<String>,
    pub(crate) is_learner: bool,
}

impl ListedMember {
    /// Whether clients are meant to use it: it is started and has a vote.
    pub(crate) fn serves(&self) -> bool {
        !self.name.is_empty() && !self.is_learner
    }
}

/// What of a list may be used. A discovered endpoint is never weaker than the ones the user chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    plaintext: bool,
    tls: bool,
    unix: bool,
    loopback: bool,
}

impl Rules {
    /// Those that follow from the endpoints that the user chose, and from whether there are settings for TLS.
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
            // etcd lists URLs only, which have a scheme.
            Security::AsConfigured => false,
        };
        let address = match endpoint.address() {
            Address::Unix { .. } => self.unix,
            Address::Tcp { host, .. } => !is_unspecified(host) && (self.loopback || !endpoint.is_loopback()),
        };
        security && address
    }
}

/// What becomes of the endpoints of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Adopted earlier and still listed. The seeds, which always stay, are not among them.
    pub(crate) keep: Vec<Endpoint>,
    /// Listed and not in use: to be adopted once it has answered as a member of the same cluster.
    pub(crate) probe: Vec<Endpoint>,
    /// Adopted earlier and listed no more.
    pub(crate) drop: Vec<Endpoint>,
    /// How many URLs were passed over.
    pub(crate) ignored: usize,
}

/// A member list that names nothing a client can use, which changes nothing.
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

/// Reading refuses user information and control characters as well.
fn read(url: &str) -> Option<Endpoint> {
    if url.len() > LONGEST_URL { None } else { url.parse().ok() }
}

/// A member that listens everywhere may list that; to a client it means itself.
fn is_unspecified(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_unspecified())
}

#[cfg(test)]
mod tests;
