//! The membership operations, bound to a client.

use crate::{
    cluster::{ClusterService, MemberAdd, MemberList, MemberPromote, MemberRemove, MemberUpdate},
    request::Bound,
    types::MemberId,
};

/// The membership operations of a client, returned by [`Client::cluster`](crate::client::Client::cluster).
///
/// Each method returns an operation that is awaited. Where auth is enabled, changes of the membership
/// need the role `root`.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// let added = client.cluster().member_add(["http://10.0.0.4:2380"]).learner().await?;
/// // Start the new member; once it has caught up:
/// client.cluster().member_promote(added.member.id).await?;
/// for member in client.cluster().member_list().await?.members {
///     println!("{} {}", member.id, if member.is_started() { &member.name } else { "not started" });
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ClusterClient<'a> {
    service: &'a dyn ClusterService,
}

impl<'a> ClusterClient<'a> {
    /// Creates a handle on any cluster service, such as a wrapper or a mock.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::cluster::{ClusterService, ClusterClient};
    ///
    /// fn members(service: &dyn ClusterService) -> ClusterClient<'_> {
    ///     ClusterClient::new(service)
    /// }
    /// ```
    pub fn new(service: &'a dyn ClusterService) -> Self {
        Self { service }
    }

    /// Lists the members. Linearizable unless [`serializable`](MemberList::serializable) is set.
    ///
    /// # Errors
    ///
    /// Returns the errors of any read; see [`ErrorKind`](crate::ErrorKind).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// for member in client.cluster().member_list().await?.members {
    ///     println!("{} {}", member.id, member.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "MemberList")]
    pub fn member_list(self) -> MemberList<Bound<'a, dyn ClusterService>> {
        MemberList::new().bind(self.service)
    }

    /// Adds a member that its peers reach at `peer_urls`, or a non-voting one with [`learner`](MemberAdd::learner).
    ///
    /// A voting member counts towards the quorum immediately, even if it is never started. Add it as a learner and
    /// [promote](Self::member_promote) it once it has caught up.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if there is no URL or one is malformed.
    /// [`Code::PeerURLExist`](crate::Code::PeerURLExist) if a member with this URL exists.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown. [List](Self::member_list) the members before adding one again.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let added = client.cluster().member_add(["http://10.0.0.4:2380"]).learner().await?;
    /// println!("start the new member, then promote {}", added.member.id);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "MemberAdd")]
    #[doc(alias = "MemberAddAsLearner")]
    pub fn member_add<U: Into<String>>(
        self,
        peer_urls: impl IntoIterator<Item = U>,
    ) -> MemberAdd<Bound<'a, dyn ClusterService>> {
        MemberAdd::new(peer_urls).bind(self.service)
    }

    /// Removes a member permanently. A removed member cannot join again under the same id.
    ///
    /// # Errors
    ///
    /// [`Code::MemberNotFound`](crate::Code::MemberNotFound) if there is no such member.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let members = client.cluster().member_list().await?.members;
    /// if let Some(member) = members.iter().find(|member| member.name == "retired") {
    ///     client.cluster().member_remove(member.id).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "MemberRemove")]
    pub fn member_remove(self, id: MemberId) -> MemberRemove<Bound<'a, dyn ClusterService>> {
        MemberRemove::new(id).bind(self.service)
    }

    /// Replaces the peer URLs of a member.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if there is no URL or one is malformed.
    /// [`Code::MemberNotFound`](crate::Code::MemberNotFound) if there is no such member.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let id = etcd_client_core::types::MemberId::new(7);
    /// client.cluster().member_update(id, ["https://10.0.0.4:2380"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "MemberUpdate")]
    pub fn member_update<U: Into<String>>(
        self,
        id: MemberId,
        peer_urls: impl IntoIterator<Item = U>,
    ) -> MemberUpdate<Bound<'a, dyn ClusterService>> {
        MemberUpdate::new(id, peer_urls).bind(self.service)
    }

    /// Promotes a learner to a voting member.
    ///
    /// # Errors
    ///
    /// [`Code::MemberLearnerNotReady`](crate::Code::MemberLearnerNotReady) while the learner has not caught up with the leader:
    /// retry later. [`Code::MemberNotLearner`](crate::Code::MemberNotLearner) if the member votes already.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the outcome unknown.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # let id = etcd_client_core::types::MemberId::new(7);
    /// use etcd_client_core::Code;
    ///
    /// match client.cluster().member_promote(id).await {
    ///     Ok(_) => println!("promoted"),
    ///     Err(error) if error.code() == Some(Code::MemberLearnerNotReady) => println!("not caught up yet"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "MemberPromote")]
    pub fn member_promote(self, id: MemberId) -> MemberPromote<Bound<'a, dyn ClusterService>> {
        MemberPromote::new(id).bind(self.service)
    }
}
