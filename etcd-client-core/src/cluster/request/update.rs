//! MemberUpdate: replaces the peer URLs of a member.

use etcd_errors::Error;

use crate::{
    cluster::{ClusterService, peer_url::check_peer_urls},
    request::{Unbound, bound::bindable},
    types::{Member, MemberId, ResponseHeader},
};

/// Replaces the peer URLs of a member.
///
/// Servers before 3.5 lose the learner flag of the member. On these servers, add a learner with its final URLs
/// instead.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::cluster::MemberUpdate;
/// use etcd_client_core::types::MemberId;
///
/// let update = MemberUpdate::new(MemberId::new(7), ["http://10.0.0.5:2380"]);
/// assert_eq!(update.peer_urls, ["http://10.0.0.5:2380"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "MemberUpdateRequest")]
#[must_use = "a MemberUpdate does nothing until it is awaited"]
pub struct MemberUpdate<B = Unbound> {
    /// The member to update.
    pub id: MemberId,
    /// All peer URLs of the member: at least one [`PeerUrl`](crate::cluster::PeerUrl).
    pub peer_urls: Vec<String>,
    pub(crate) binding: B,
}

bindable!(MemberUpdate { id, peer_urls } => MemberUpdateResponse, ClusterService.member_update);

impl MemberUpdate {
    /// Creates a request that replaces the peer URLs of the member `id`.
    pub fn new<U: Into<String>>(id: MemberId, peer_urls: impl IntoIterator<Item = U>) -> Self {
        Self { id, peer_urls: peer_urls.into_iter().map(Into::into).collect(), binding: Unbound }
    }
}

impl MemberUpdate {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if there is no URL, or if one is not a valid [`PeerUrl`](crate::cluster::PeerUrl).
    pub fn validate(&self) -> Result<(), Error> {
        check_peer_urls(&self.peer_urls)
    }
}

/// The response to a [`MemberUpdate`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberUpdateResponse {
    /// The header of the response, which has no revision.
    pub header: ResponseHeader,
    /// All members, with the new URLs.
    pub members: Vec<Member>,
}

impl MemberUpdateResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, members: Vec<Member>) -> Self {
        Self { header, members }
    }
}
