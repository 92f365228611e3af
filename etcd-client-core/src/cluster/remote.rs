//! The Cluster service over a channel.

use async_trait::async_trait;
use etcd_errors::Error;

use crate::{
    cluster::{
        ClusterService, MemberAdd, MemberAddResponse, MemberList, MemberListResponse, MemberPromote,
        MemberPromoteResponse, MemberRemove, MemberRemoveResponse, MemberUpdate, MemberUpdateResponse, codec,
    },
    request::CallOptions,
    transport::{
        call::{channel::Channel, unary::Call},
        grpc::method::{Method, with_operation},
    },
};

/// The Cluster service of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct RemoteCluster {
    channel: Channel,
}

impl RemoteCluster {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }
}

#[async_trait]
impl ClusterService for RemoteCluster {
    async fn member_list(&self, op: MemberList, options: CallOptions) -> Result<MemberListResponse, Error> {
        let request = codec::member_list_request(op);
        let call = Call::new(Method::MemberList, &options);
        self.channel.unary(call, &request, codec::member_list_response).await
    }

    async fn member_add(&self, op: MemberAdd, options: CallOptions) -> Result<MemberAddResponse, Error> {
        with_operation(Method::MemberAdd, op.validate())?;
        let learner = op.is_learner;
        let request = codec::member_add_request(op);
        let call = Call::new(Method::MemberAdd, &options);
        self.channel.unary(call, &request, |response| codec::member_add_response(response, learner)).await
    }

    async fn member_remove(
        &self,
        op: MemberRemove,
        options: CallOptions,
    ) -> Result<MemberRemoveResponse, Error> {
        let id = op.id;
        let request = codec::member_remove_request(op);
        let call = Call::new(Method::MemberRemove, &options);
        self.channel.unary(call, &request, |response| codec::member_remove_response(response, id)).await
    }

    async fn member_update(
        &self,
        op: MemberUpdate,
        options: CallOptions,
    ) -> Result<MemberUpdateResponse, Error> {
        with_operation(Method::MemberUpdate, op.validate())?;
        let request = codec::member_update_request(op);
        let call = Call::new(Method::MemberUpdate, &options);
        self.channel.unary(call, &request, codec::member_update_response).await
    }

    async fn member_promote(
        &self,
        op: MemberPromote,
        options: CallOptions,
    ) -> Result<MemberPromoteResponse, Error> {
        let id = op.id;
        let request = codec::member_promote_request(op);
        let call = Call::new(Method::MemberPromote, &options);
        self.channel.unary(call, &request, |response| codec::member_promote_response(response, id)).await
    }
}
