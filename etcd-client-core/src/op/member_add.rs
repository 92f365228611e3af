//! MemberAdd: adds a member to the cluster.

use etcd_errors::Error;

use super::bind::bindable;
use super::peer_url::check_peer_urls;
use super::{Limits, Unbound};
use crate::model::{Member, ResponseHeader};

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
/// use etcd_client_core::MemberAdd;
///
/// let add = MemberAdd::new(["http://10.0.0.4:2380"]).learner();
/// assert!(add.spec().is_learner);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "MemberAddAsLearner")]
#[doc(alias = "MemberAddRequest")]
#[doc(alias = "MemberAddOptions")]
#[must_use = "a MemberAdd does nothing until it is awaited"]
pub struct MemberAdd<B = Unbound> {
    pub(super) spec: MemberAddSpec,
    pub(super) binding: B,
}

/// The parameters of a [`MemberAdd`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberAddSpec {
    /// The URLs at which the other members reach the new one: at least one [`PeerUrl`](super::PeerUrl).
    pub peer_urls: Vec<String>,
    /// Adds the member as a learner, without a vote.
    pub is_learner: bool,
}

bindable!(MemberAdd, MemberAddSpec => MemberAddResponse, ClusterBound: Cluster.member_add);

impl MemberAdd {
    /// Creates a request that adds a member which the others reach at `peer_urls`.
    pub fn new<U: Into<String>>(peer_urls: impl IntoIterator<Item = U>) -> Self {
        let peer_urls = peer_urls.into_iter().map(Into::into).collect();
        MemberAddSpec { peer_urls, is_learner: false }.into()
    }
}

impl<B> MemberAdd<B> {
    /// Adds the member as a learner, which has no vote until it is promoted. The default is a voting member.
    #[doc(alias = "MemberAddAsLearner")]
    #[doc(alias = "with_is_learner")]
    pub fn learner(mut self) -> Self {
        self.spec.is_learner = true;
        self
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if there is no URL, or if one is not a valid [`PeerUrl`](super::PeerUrl).
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        check_peer_urls(&self.spec.peer_urls)
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
