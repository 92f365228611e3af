//! The operations on the members of a cluster, bound to a client.

use crate::{
    model::MemberId,
    op::{ClusterBound, MemberAdd, MemberList, MemberPromote, MemberRemove, MemberUpdate},
    service::Cluster,
};

/// What [`Client::cluster`](crate::Client::cluster) gives: one method for each operation on members.
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
pub struct ClusterHandle<'a> {
    service: &'a dyn Cluster,
}

impl<'a> ClusterHandle<'a> {
    /// The operations on any cluster service.
    pub fn new(service: &'a dyn Cluster) -> Self {
        Self { service }
    }

    /// Lists the members. Linearizable unless [`serializable`](MemberList::serializable) is set.
    pub fn member_list(self) -> MemberList<ClusterBound<'a>> {
        MemberList::new().bind(self.service)
    }

    /// Adds a member that the others reach at `peer_urls`, with [`learner`](MemberAdd::learner) one without a vote.
    pub fn member_add<U: Into<String>>(
        self,
        peer_urls: impl IntoIterator<Item = U>,
    ) -> MemberAdd<ClusterBound<'a>> {
        MemberAdd::new(peer_urls).bind(self.service)
    }

    /// Removes a member for good.
    pub fn member_remove(self, id: MemberId) -> MemberRemove<ClusterBound<'a>> {
        MemberRemove::new(id).bind(self.service)
    }

    /// Replaces the peer URLs of a member.
    pub fn member_update<U: Into<String>>(
        self,
        id: MemberId,
        peer_urls: impl IntoIterator<Item = U>,
    ) -> MemberUpdate<ClusterBound<'a>> {
        MemberUpdate::new(id, peer_urls).bind(self.service)
    }

    /// Gives a learner a vote, once it has caught up with the leader.
    pub fn member_promote(self, id: MemberId) -> MemberPromote<ClusterBound<'a>> {
        MemberPromote::new(id).bind(self.service)
    }
}
