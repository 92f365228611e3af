//! MemberUpdate: replaces the peer URLs of a member.

use etcd_errors::Error;

use super::bind::bindable;
use super::peer_url::check_peer_urls;
use super::{Limits, Unbound};
use crate::model::{Member, MemberId, ResponseHeader};

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
/// use etcd_client_core::{MemberId, MemberUpdate};
///
/// let update = MemberUpdate::new(MemberId::new(7), ["http://10.0.0.5:2380"]);
/// assert_eq!(update.spec().peer_urls, ["http://10.0.0.5:2380"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "MemberUpdateRequest")]
#[must_use = "a MemberUpdate does nothing until it is awaited"]
pub struct MemberUpdate<B = Unbound> {
    pub(super) spec: MemberUpdateSpec,
    pub(super) binding: B,
}

/// The parameters of a [`MemberUpdate`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberUpdateSpec {
    /// The member to update.
    pub id: MemberId,
    /// All peer URLs of the member: at least one [`PeerUrl`](super::PeerUrl).
    pub peer_urls: Vec<String>,
}

bindable!(MemberUpdate, MemberUpdateSpec => MemberUpdateResponse, ClusterBound: Cluster.member_update);

impl MemberUpdate {
    /// Creates a request that replaces the peer URLs of the member `id`.
    pub fn new<U: Into<String>>(id: MemberId, peer_urls: impl IntoIterator<Item = U>) -> Self {
        MemberUpdateSpec { id, peer_urls: peer_urls.into_iter().map(Into::into).collect() }.into()
    }
}

impl<B> MemberUpdate<B> {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if there is no URL, or if one is not a valid [`PeerUrl`](super::PeerUrl).
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        check_peer_urls(&self.spec.peer_urls)
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
