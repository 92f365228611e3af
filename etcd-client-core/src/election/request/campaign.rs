//! ElectionCampaign: waits until the caller becomes the leader.

use etcd_errors::Error;

use crate::{
    election::{ElectionService, LeaderKey},
    request::{Limits, Unbound, bound::bindable},
    txn::size,
    types::{Key, LeaseId, ResponseHeader, Value, prefix::contender_key},
};

/// Campaigns in an election. Waits until the caller is the leader and proclaims a value, in one call that lasts as
/// long as the wait.
///
/// Candidates become leader in the order of their arrival. A lease is one candidate: a second campaign with the same
/// lease continues the same candidacy and replaces its value. Keep the lease alive yourself; the leadership is lost
/// with it.
///
/// The call has no deadline unless you set one. Like [`ServerLock`](crate::lock::ServerLock), it is not retried if it may
/// have been processed.
///
/// # Cancel safety
/// Dropping the future cancels the call on the member immediately. The key of the candidacy
/// ([`ElectionCampaign::key`]) can remain until the lease ends in two cases:
///
/// - With auth enabled, the member may be unable to withdraw a candidacy that still waits. With auth disabled it
///   withdraws it.
/// - A candidate that wins at that moment stays the leader.
///
/// The same applies after an error whose outcome is unknown. To make room for others, revoke the lease or delete the
/// key.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::election::ElectionCampaign;
///
/// let campaign = ElectionCampaign::new("boss", LeaseId::new(0x7d).unwrap(), "me, at 10.0.0.7");
/// assert_eq!(campaign.key(), "boss/7d");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "CampaignRequest")]
#[doc(alias = "CampaignOptions")]
#[must_use = "an ElectionCampaign does nothing until it is awaited"]
pub struct ElectionCampaign<B = Unbound> {
    /// The name of the election, which can be any bytes. The name is a prefix of keys, so a decorator that moves keys
    /// also moves names.
    pub name: Key,
    /// The lease that holds the leadership.
    pub lease: LeaseId,
    /// The value that the leader proclaims.
    pub value: Value,
    pub(crate) binding: B,
}

bindable!(ElectionCampaign { name, lease, value } => ElectionCampaignResponse, ElectionService.campaign);

impl ElectionCampaign {
    /// Creates a request for the leadership of `name`, held by `lease`, that proclaims `value`.
    pub fn new(name: impl Into<Key>, lease: LeaseId, value: impl Into<Value>) -> Self {
        Self { name: name.into(), lease, value: value.into(), binding: Unbound }
    }
}

impl ElectionCampaign {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the name and the value exceed the maximum size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, true, &[self.name.len(), self.value.len()])?;
        Ok(())
    }
}

impl ElectionCampaign {
    /// Returns the key of the candidacy, which is known in advance: the name, a slash, and the lease in hexadecimal.
    pub fn key(&self) -> Key {
        contender_key(&self.name, self.lease)
    }
}

/// The response to an [`ElectionCampaign`]: the election is won.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionCampaignResponse {
    /// The header, with the revision at which the candidacy began, not the one at which it won.
    pub header: ResponseHeader,
    /// The key of the leadership.
    pub leader: LeaderKey,
}

impl ElectionCampaignResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, leader: LeaderKey) -> Self {
        Self { header, leader }
    }
}
