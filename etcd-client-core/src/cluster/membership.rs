//! Member lists and versions, as needed to discover and verify endpoints.

use std::time::Duration;

use etcd_errors::{Error, ErrorKind};
use etcd_proto::etcdserverpb as pb;
use futures_util::{StreamExt as _, stream};

use crate::{
    cluster::member_sync::ListedMember,
    request::CallOptions,
    transport::{
        call::{channel::Channel, unary::Call},
        grpc::method::Method,
    },
    types::{ClusterId, Endpoint, MemberId},
};

/// The timeout of a probe. A usable member responds sooner, and waiting for a dead one delays no call.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// The number of endpoints that are probed concurrently.
const PROBES_AT_ONCE: usize = 8;

/// A member list, and the member that returned it.
#[derive(Clone, Debug)]
pub(crate) struct MemberList {
    pub(crate) cluster: ClusterId,
    pub(crate) answered_by: MemberId,
    pub(crate) members: Vec<ListedMember>,
}

impl MemberList {
    /// Requests the member list from a quorum if the server version supports that. A partitioned or removed member
    /// does not answer such a request from memory.
    pub(crate) async fn of_quorum(channel: &Channel) -> Result<Self, Error> {
        Self::ask(channel, true, &CallOptions::default()).await
    }

    /// Returns the endpoints that respond as voting members of this cluster.
    ///
    /// Each is sent the same request that was sent to the cluster, because the user is known to have permission for
    /// it.
    pub(crate) async fn probed(&self, channel: &Channel, endpoints: Vec<Endpoint>) -> Vec<Endpoint> {
        let probes = endpoints.into_iter().map(|endpoint| async move {
            match self.probe(channel, &endpoint).await {
                Ok(()) => Some(endpoint),
                Err(error) => {
                    tracing::debug!(%endpoint, %error, "the cluster lists this endpoint, but it was not adopted");
                    None
                }
            }
        });
        let probes: Vec<_> = probes.collect();
        stream::iter(probes).buffered(PROBES_AT_ONCE).filter_map(std::future::ready).collect().await
    }

    async fn probe(&self, channel: &Channel, endpoint: &Endpoint) -> Result<(), Error> {
        let only = channel.only(endpoint.clone())?;
        let answer = Self::ask(&only, false, &CallOptions::default().timeout(PROBE_TIMEOUT)).await?;
        if answer.cluster != self.cluster {
            let text = format!(
                "the endpoint belongs to cluster {}; expected cluster {}",
                answer.cluster, self.cluster
            );
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        let known = |member: &ListedMember| member.serves() && MemberId::new(member.id) == answer.answered_by;
        if !self.members.iter().any(known) {
            let text = format!(
                "the endpoint leads to member {}, which is not a voting member of the cluster",
                answer.answered_by
            );
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        Ok(())
    }

    async fn ask(channel: &Channel, linearizable: bool, options: &CallOptions) -> Result<Self, Error> {
        let request = pb::MemberListRequest { linearizable };
        channel.unary(Call::new(Method::MemberList, options), &request, Self::read).await
    }

    fn read(answer: pb::MemberListResponse) -> Result<Self, Error> {
        let header = answer.header.ok_or_else(crate::cluster::codec::listed_by_proxy)?;
        let member = |member: pb::Member| ListedMember {
            id: member.id,
            name: member.name,
            client_urls: member.client_ur_ls,
            is_learner: member.is_learner,
        };
        Ok(Self {
            cluster: ClusterId::new(header.cluster_id),
            answered_by: MemberId::new(header.member_id),
            members: answer.members.into_iter().map(member).collect(),
        })
    }
}
