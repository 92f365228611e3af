//! What the members say of their cluster, as far as finding and judging endpoints needs it.

use std::time::Duration;

use etcd_errors::{Error, ErrorKind};
use etcd_proto::etcdserverpb as pb;
use futures_util::{StreamExt as _, stream};

use crate::{
    mechanism::member_sync::ListedMember,
    model::{ClusterId, Endpoint, MemberId},
    service::CallOptions,
    transport::{call::Call, channel::Channel, method::Method},
    wire,
};

/// A member that is meant to be used answers sooner; one that is found dead costs no call anything.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Endpoints that are probed at the same time.
const PROBES_AT_ONCE: usize = 8;

/// A member list, and who gave it.
#[derive(Clone, Debug)]
pub(crate) struct MemberList {
    pub(crate) cluster: ClusterId,
    pub(crate) answered_by: MemberId,
    pub(crate) members: Vec<ListedMember>,
}

impl MemberList {
    /// Asks a quorum, where the version can: a member that was cut off or removed does not answer from memory.
    pub(crate) async fn of_quorum(channel: &Channel) -> Result<Self, Error> {
        Self::ask(channel, true, &CallOptions::default()).await
    }

    /// The endpoints that answer, and answer as voting members of this cluster.
    ///
    /// They are asked for what the cluster was asked for, since that is what the user may do.
    pub(crate) async fn probed(&self, channel: &Channel, endpoints: Vec<Endpoint>) -> Vec<Endpoint> {
        let probes = endpoints.into_iter().map(|endpoint| async move {
            match self.probe(channel, &endpoint).await {
                Ok(()) => Some(endpoint),
                Err(error) => {
                    tracing::debug!(%endpoint, %error, "listed by the cluster, but not adopted");
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
            let text = format!("it belongs to cluster {}, not {}", answer.cluster, self.cluster);
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        let known = |member: &ListedMember| member.serves() && MemberId::new(member.id) == answer.answered_by;
        if !self.members.iter().any(known) {
            let text = format!("member {} answered, which is no voting member", answer.answered_by);
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        Ok(())
    }

    async fn ask(channel: &Channel, linearizable: bool, options: &CallOptions) -> Result<Self, Error> {
        let request = pb::MemberListRequest { linearizable };
        channel.unary(Call::new(Method::MemberList, options), &request, Self::read).await
    }

    fn read(answer: pb::MemberListResponse) -> Result<Self, Error> {
        let header = answer.header.ok_or_else(wire::listed_by_proxy)?;
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

/// The version that the member at `endpoint` reports of itself.
pub(crate) async fn reported_version(channel: &Channel, endpoint: Endpoint) -> Result<String, Error> {
    let options = CallOptions::default().endpoint(endpoint);
    let read = |answer: pb::StatusResponse| Ok(answer.version);
    channel.unary(Call::new(Method::Status, &options), &pb::StatusRequest {}, read).await
}
