//! MemberUpdate: tells the cluster where a member is reached.

use etcd_errors::Error;

use super::bind::bindable;
use super::peer_url::check_peer_urls;
use super::{Limits, Unbound};
use crate::model::{Member, MemberId, ResponseHeader};

/// Replaces the peer URLs of a member.
///
/// Servers before 3.5 forget that the member is a learner, where it is one: on these add a learner with its right URLs.
///
/// Dropping the future leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::{MemberId, MemberUpdate};
///
/// let update = MemberUpdate::new(MemberId::new(7), ["http://10.0.0.5:2380"]);
/// assert_eq!(update.spec().peer_urls, ["http://10.0.0.5:2380"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a MemberUpdate does nothing until it is awaited"]
pub struct MemberUpdate<B = Unbound> {
    pub(super) spec: MemberUpdateSpec,
    pub(super) binding: B,
}

/// What a [`MemberUpdate`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberUpdateSpec {
    /// The member to update.
    pub id: MemberId,
    /// All its peer URLs from now on: at least one [`PeerUrl`](super::PeerUrl).
    pub peer_urls: Vec<String>,
}

bindable!(MemberUpdate, MemberUpdateSpec => MemberUpdateResponse, ClusterBound: Cluster.member_update);

impl MemberUpdate {
    /// Gives the member `id` these peer URLs in place of those it has.
    pub fn new<U: Into<String>>(id: MemberId, peer_urls: impl IntoIterator<Item = U>) -> Self {
        MemberUpdateSpec { id, peer_urls: peer_urls.into_iter().map(Into::into).collect() }.into()
    }
}

impl<B> MemberUpdate<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When there is no URL, or one that is no [`PeerUrl`](super::PeerUrl).
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        check_peer_urls(&self.spec.peer_urls)
    }
}

/// The answer to a [`MemberUpdate`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberUpdateResponse {
    /// Who answered. It has no revision.
    pub header: ResponseHeader,
    /// All members, with the new URLs.
    pub members: Vec<Member>,
}

impl MemberUpdateResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, members: Vec<Member>) -> Self {
        Self { header, members }
    }
}
