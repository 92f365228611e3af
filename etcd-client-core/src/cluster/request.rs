//! The requests of the Cluster service and their responses: list, add, remove, update and promote members.

use etcd_errors::Error;

use crate::{
    cluster::{ClusterService, peer_url::check_peer_urls},
    request::{Unbound, bound::bindable},
    types::{Member, MemberId, ResponseHeader},
};

/// Lists the members of the cluster. The read is linearizable unless [`serializable`](Self::serializable) is set.
///
/// Servers before 3.5 always respond from the state of the member that receives the request.
///
/// # Examples
/// ```
/// use etcd_client_core::cluster::MemberList;
///
/// assert!(!MemberList::new().serializable);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(alias = "MemberListRequest")]
#[must_use = "a MemberList does nothing until it is awaited"]
pub struct MemberList<B = Unbound> {
    /// Allows the member to respond from its own state, which may be stale.
    pub serializable: bool,
    pub(crate) binding: B,
}

bindable!(MemberList { serializable } => MemberListResponse, ClusterService.member_list);

impl MemberList {
    /// Creates a request that lists the members.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<B> MemberList<B> {
    /// Allows the member to respond from its own state, which may be stale and needs no quorum. The default is
    /// linearizable.
    #[doc(alias = "WithSerializable")]
    pub fn serializable(mut self) -> Self {
        self.serializable = true;
        self
    }
}

/// The response to a [`MemberList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberListResponse {
    /// The header of the response, which has no revision.
    pub header: ResponseHeader,
    /// The members: at least one, and no id twice.
    pub members: Vec<Member>,
}

impl MemberListResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, members: Vec<Member>) -> Self {
        Self { header, members }
    }
}

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

/// Removes a member from the cluster permanently. Its id is never used again, and its process exits.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::cluster::MemberRemove;
/// use etcd_client_core::types::MemberId;
///
/// let remove = MemberRemove::new(MemberId::new(7));
/// assert_eq!(remove.id, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "MemberRemoveRequest")]
#[must_use = "a MemberRemove does nothing until it is awaited"]
pub struct MemberRemove<B = Unbound> {
    /// The member to remove.
    pub id: MemberId,
    pub(crate) binding: B,
}

bindable!(MemberRemove { id } => MemberRemoveResponse, ClusterService.member_remove);

impl MemberRemove {
    /// Creates a request that removes the member `id`.
    pub fn new(id: MemberId) -> Self {
        Self { id, binding: Unbound }
    }
}

/// The response to a [`MemberRemove`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberRemoveResponse {
    /// The header of the response, which has no revision.
    pub header: ResponseHeader,
    /// The remaining members.
    pub members: Vec<Member>,
}

impl MemberRemoveResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, members: Vec<Member>) -> Self {
        Self { header, members }
    }
}

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

/// Promotes a learner to a voting member.
///
/// Any member accepts the request and forwards it to the leader. While it knows no leader, it waits for one for up to
/// 7 s.
///
/// # Errors
/// Fails with `Code::MemberLearnerNotReady` if the learner has not caught up with the leader. Try again later.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::cluster::MemberPromote;
/// use etcd_client_core::types::MemberId;
///
/// let promote = MemberPromote::new(MemberId::new(7));
/// assert_eq!(promote.id, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "MemberPromoteRequest")]
#[must_use = "a MemberPromote does nothing until it is awaited"]
pub struct MemberPromote<B = Unbound> {
    /// The learner to promote.
    pub id: MemberId,
    pub(crate) binding: B,
}

bindable!(MemberPromote { id } => MemberPromoteResponse, ClusterService.member_promote);

impl MemberPromote {
    /// Creates a request that promotes the learner `id`.
    pub fn new(id: MemberId) -> Self {
        Self { id, binding: Unbound }
    }
}

/// The response to a [`MemberPromote`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberPromoteResponse {
    /// The header of the response, which has no revision.
    pub header: ResponseHeader,
    /// All members, with the promoted one as a voting member.
    pub members: Vec<Member>,
}

impl MemberPromoteResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, members: Vec<Member>) -> Self {
        Self { header, members }
    }
}
