//! Campaign: waits until one leads.

use etcd_errors::Error;

use super::LeaderKey;
use crate::model::{Key, LeaseId, ResponseHeader, Value};
use crate::op::bind::bindable;
use crate::op::server_lock::contender_key;
use crate::op::{Limits, Unbound, size};

/// Waits until it leads an election, and proclaims a value: one call, which lasts as long as the wait.
///
/// Candidates lead in the order in which they came. A lease is one candidate: campaigning again with the same lease is the same
/// candidacy, with the value replaced. The lease is the caller's to keep alive; the leadership is gone with it.
///
/// The call has no deadline unless it is given one, and like [`ServerLock`](crate::ServerLock) it is not sent again where it may have
/// been processed.
///
/// # Dropping the future
///
/// The member is told at once. Where auth is off it then withdraws a candidacy that still waits. Where auth is on it may not, and who won
/// at that moment leads: in both cases the key ([`ElectionCampaignSpec::key`]) stays until the lease ends. So it is after an error
/// whose outcome is unknown. Revoke the lease, or delete the key, to make room for others.
///
/// ```
/// use etcd_client_core::{ElectionCampaign, LeaseId};
///
/// let campaign = ElectionCampaign::new("boss", LeaseId::new(0x7d).unwrap(), "me, at 10.0.0.7");
/// assert_eq!(campaign.spec().key(), "boss/7d");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionCampaign does nothing until it is awaited"]
pub struct ElectionCampaign<B = Unbound> {
    pub(in crate::op) spec: ElectionCampaignSpec,
    pub(in crate::op) binding: B,
}

/// What an [`ElectionCampaign`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionCampaignSpec {
    /// The election, by a name of any bytes. It is the beginning of keys, so that a decorator that moves keys moves names.
    pub name: Key,
    /// The lease that the leadership lives and dies with.
    pub lease: LeaseId,
    /// What is proclaimed by the one who leads.
    pub value: Value,
}

bindable!(ElectionCampaign, ElectionCampaignSpec => ElectionCampaignResponse, ElectionBound: ElectionService.campaign);

impl ElectionCampaign {
    /// Campaigns for the lead of `name` for as long as `lease` lives, to proclaim `value`.
    pub fn new(name: impl Into<Key>, lease: LeaseId, value: impl Into<Value>) -> Self {
        ElectionCampaignSpec { name: name.into(), lease, value: value.into() }.into()
    }
}

impl<B> ElectionCampaign<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When name and value are longer than a request may be.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, true, &[self.spec.name.len(), self.spec.value.len()])?;
        Ok(())
    }
}

impl ElectionCampaignSpec {
    /// The key that stands for the candidacy, known before: the name, a slash, and the lease in hexadecimal.
    pub fn key(&self) -> Key {
        contender_key(&self.name, self.lease)
    }
}

/// The answer to an [`ElectionCampaign`]: the election is won.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionCampaignResponse {
    /// Who answered. Its revision is that of the beginning of the candidacy, not of the victory.
    pub header: ResponseHeader,
    /// What the leadership is held by.
    pub leader: LeaderKey,
}

impl ElectionCampaignResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, leader: LeaderKey) -> Self {
        Self { header, leader }
    }
}
