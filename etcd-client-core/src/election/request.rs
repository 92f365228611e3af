//! The requests of the Election service and their responses: campaign, proclaim, leader, observe and resign.

use etcd_errors::Error;

use crate::{
    election::{ElectionService, LeaderKey, LeaderStream},
    request::{Limits, Unbound, bound::bindable},
    txn::size,
    types::{Key, KeyValue, LeaseId, ResponseHeader, Value, prefix::contender_key},
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
    /// The name of the election, which can be any bytes. The name is a prefix of keys, so a wrapper that
    /// changes keys, such as a namespace, also changes names.
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

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the name and the value exceed the maximum size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, true, &[self.name.len(), self.value.len()])?;
        Ok(())
    }

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

/// Replaces the value that a leader proclaims.
///
/// # Errors
/// Fails with `Code::ElectionNotLeader` if the caller is no longer the leader.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::election::{ElectionProclaim, LeaderKey};
///
/// let leader = LeaderKey::new("boss", "boss/7d", 42, LeaseId::new(0x7d).unwrap());
/// let proclaim = ElectionProclaim::new(leader, "moved to 10.0.0.8");
/// # let _ = proclaim;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionProclaim does nothing until it is awaited"]
pub struct ElectionProclaim<B = Unbound> {
    /// The key of the leadership.
    pub leader: LeaderKey,
    /// The new value.
    pub value: Value,
    pub(crate) binding: B,
}

bindable!(ElectionProclaim { leader, value } => ElectionProclaimResponse, ElectionService.proclaim);

impl ElectionProclaim {
    /// Creates a request that proclaims `value` for the leadership with the key `leader`.
    pub fn new(leader: LeaderKey, value: impl Into<Value>) -> Self {
        Self { leader, value: value.into(), binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the leader's key is empty, its revision is not positive, or the value exceeds the maximum
    /// size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        let leader = &self.leader;
        leader.check()?;
        size::check_parts(limits, true, &[leader.name.len(), leader.key.len(), self.value.len()])?;
        Ok(())
    }
}

/// The response to an [`ElectionProclaim`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionProclaimResponse {
    /// The header, with the revision of the proclamation.
    pub header: ResponseHeader,
}

impl ElectionProclaimResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}

/// Requests the leader of an election.
///
/// # Errors
/// Fails with `Code::ElectionNoLeader` if there is no leader.
///
///
/// # Examples
/// ```
/// use etcd_client_core::election::ElectionLeader;
///
/// let ask = ElectionLeader::new("boss");
/// assert_eq!(ask.name, "boss");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionLeader asks nothing until it is awaited"]
pub struct ElectionLeader<B = Unbound> {
    /// The name of the election.
    pub name: Key,
    pub(crate) binding: B,
}

bindable!(ElectionLeader { name } => ElectionLeaderResponse, ElectionService.leader);

impl ElectionLeader {
    /// Creates a request for the leader of `name`.
    pub fn new(name: impl Into<Key>) -> Self {
        Self { name: name.into(), binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the name exceeds the maximum size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, false, &[self.name.len()])?;
        Ok(())
    }
}

/// The leader of an election and the value it proclaims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionLeaderResponse {
    /// The header of the response.
    pub header: ResponseHeader,
    /// The leader's key, with the proclaimed value. Its create revision and lease are those of the leadership.
    pub kv: KeyValue,
}

impl ElectionLeaderResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, kv: KeyValue) -> Self {
        Self { header, kv }
    }
}

/// Follows the leaders of an election and the values they proclaim.
///
/// # Examples
/// ```
/// use etcd_client_core::election::ElectionObserve;
///
/// let observe = ElectionObserve::new("boss");
/// assert_eq!(observe.name, "boss");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionObserve observes nothing until it is awaited"]
pub struct ElectionObserve<B = Unbound> {
    /// The name of the election.
    pub name: Key,
    pub(crate) binding: B,
}

bindable!(ElectionObserve { name } => LeaderStream, ElectionService.observe);

impl ElectionObserve {
    /// Creates a request that follows the leaders of `name`.
    pub fn new(name: impl Into<Key>) -> Self {
        Self { name: name.into(), binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the name exceeds the maximum size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, false, &[self.name.len()])?;
        Ok(())
    }
}

/// Resigns from the leadership of an election, which passes to the next candidate. Resigning after the leadership was
/// lost changes nothing and is not an error.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_client_core::election::{ElectionResign, LeaderKey};
///
/// let leader = LeaderKey::new("boss", "boss/7d", 42, LeaseId::new(0x7d).unwrap());
/// let resign = ElectionResign::new(leader);
/// # let _ = resign;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionResign does nothing until it is awaited"]
pub struct ElectionResign<B = Unbound> {
    /// The key of the leadership.
    pub leader: LeaderKey,
    pub(crate) binding: B,
}

bindable!(ElectionResign { leader } => ElectionResignResponse, ElectionService.resign);

impl ElectionResign {
    /// Creates a request that resigns from the leadership with the key `leader`.
    pub fn new(leader: LeaderKey) -> Self {
        Self { leader, binding: Unbound }
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the leader's key is empty or its revision is not positive.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        let leader = &self.leader;
        leader.check()?;
        size::check_parts(limits, true, &[leader.name.len(), leader.key.len()])?;
        Ok(())
    }
}

/// The response to an [`ElectionResign`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionResignResponse {
    /// The header of the response.
    pub header: ResponseHeader,
}

impl ElectionResignResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header }
    }
}
