//! MemberAdd: makes room for a new member.

use etcd_errors::Error;

use super::bind::bindable;
use super::peer_url::check_peer_urls;
use super::{Limits, Unbound};
use crate::model::{Member, ResponseHeader};

/// Adds a member to the cluster, which is to be started afterwards with these peer URLs.
///
/// A member with a vote counts for the quorum at once, whether or not it ever starts: add it as a
/// [`learner`](Self::learner) and promote it when it has caught up. Dropping the future leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::MemberAdd;
///
/// let add = MemberAdd::new(["http://10.0.0.4:2380"]).learner();
/// assert!(add.spec().is_learner);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a MemberAdd does nothing until it is awaited"]
pub struct MemberAdd<B = Unbound> {
    pub(super) spec: MemberAddSpec,
    pub(super) binding: B,
}

/// What a [`MemberAdd`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberAddSpec {
    /// Where the other members will reach it: at least one [`PeerUrl`](super::PeerUrl).
    pub peer_urls: Vec<String>,
    /// Whether it only learns, without a vote.
    pub is_learner: bool,
}

bindable!(MemberAdd, MemberAddSpec => MemberAddResponse, ClusterBound: Cluster.member_add);

impl MemberAdd {
    /// Adds a member that the others reach at `peer_urls`.
    pub fn new<U: Into<String>>(peer_urls: impl IntoIterator<Item = U>) -> Self {
        let peer_urls = peer_urls.into_iter().map(Into::into).collect();
        MemberAddSpec { peer_urls, is_learner: false }.into()
    }
}

impl<B> MemberAdd<B> {
    /// Adds it as a learner, without a vote until it is promoted. Default: with a vote.
    pub fn learner(mut self) -> Self {
        self.spec.is_learner = true;
        self
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When there is no URL, or one that is no [`PeerUrl`](super::PeerUrl).
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        check_peer_urls(&self.spec.peer_urls)
    }
}

/// The answer to a [`MemberAdd`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberAddResponse {
    /// Who answered. It has no revision.
    pub header: ResponseHeader,
    /// The new member.
    pub member: Member,
    /// All members, the new one among them.
    pub members: Vec<Member>,
}

impl MemberAddResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, member: Member, members: Vec<Member>) -> Self {
        Self { header, member, members }
    }
}
