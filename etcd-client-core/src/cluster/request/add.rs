//! MemberAdd: adds a member to the cluster.

use etcd_errors::Error;

use crate::{
    cluster::{ClusterService, peer_url::check_peer_urls},
    request::{Unbound, bound::bindable},
    types::{Member, ResponseHeader},
};

/// Adds a member to the cluster. Start the member afterwards with these peer URLs.
///
/// A voting member counts towards the quorum immediately, even if it never starts. Add it as a
/// [`learner`](Self::learner) and promote it when it has caught up.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::cluster::MemberAdd;
///
/// let add = MemberAdd::new(["http://10.0.0.4:2380"]).learner();
/// assert!(add.is_learner);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "MemberAddAsLearner")]
#[doc(alias = "MemberAddRequest")]
#[doc(alias = "MemberAddOptions")]
#[must_use = "a MemberAdd does nothing until it is awaited"]
pub struct MemberAdd<B = Unbound> {
    /// The URLs at which the other members reach the new one: at least one [`PeerUrl`](crate::cluster::PeerUrl).
    pub peer_urls: Vec<String>,
    /// Adds the member as a learner, without a vote.
    pub is_learner: bool,
    pub(crate) binding: B,
}

bindable!(MemberAdd { peer_urls, is_learner } => MemberAddResponse, ClusterService.member_add);

impl MemberAdd {
    /// Creates a request that adds a member which the others reach at `peer_urls`.
    pub fn new<U: Into<String>>(peer_urls: impl IntoIterator<Item = U>) -> Self {
        let peer_urls = peer_urls.into_iter().map(Into::into).collect();
        Self { peer_urls, is_learner: false, binding: Unbound }
    }
}

impl<B> MemberAdd<B> {
    /// Adds the member as a learner, which has no vote until it is promoted. The default is a voting member.
    #[doc(alias = "MemberAddAsLearner")]
    #[doc(alias = "with_is_learner")]
    pub fn learner(mut self) -> Self {
        self.is_learner = true;
        self
    }
}

impl MemberAdd {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if there is no URL, or if one is not a valid [`PeerUrl`](crate::cluster::PeerUrl).
    pub fn validate(&self) -> Result<(), Error> {
        check_peer_urls(&self.peer_urls)
    }
}

/// The response to a [`MemberAdd`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberAddResponse {
    /// The header of the response, which has no revision.
    pub header: ResponseHeader,
    /// The new member.
    pub member: Member,
    /// All members, including the new one.
    pub members: Vec<Member>,
}

impl MemberAddResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, member: Member, members: Vec<Member>) -> Self {
        Self { header, member, members }
    }
}
