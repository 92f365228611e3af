//! The server's Election service over a channel or a caller-supplied service.

pub(crate) mod observe;

use async_trait::async_trait;
use etcd_errors::Error;

use crate::{
    election::{
        ElectionCampaign, ElectionCampaignResponse, ElectionLeader, ElectionLeaderResponse, ElectionObserve,
        ElectionProclaim, ElectionProclaimResponse, ElectionResign, ElectionResignResponse, ElectionService,
        LeaderStream, codec,
    },
    request::CallOptions,
    transport::{
        call::unary::Call,
        caller::Caller,
        grpc::method::{Method, with_operation},
    },
};

/// The Election service of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct RemoteElection {
    caller: Caller,
}

impl RemoteElection {
    pub(crate) fn new(caller: Caller) -> Self {
        Self { caller }
    }
}

#[async_trait]
impl ElectionService for RemoteElection {
    async fn campaign(
        &self,
        op: ElectionCampaign,
        options: CallOptions,
    ) -> Result<ElectionCampaignResponse, Error> {
        with_operation(Method::Campaign, op.validate(self.caller.channel().limits()))?;
        let asked = op.clone();
        let request = codec::campaign_request(op);
        let call = Call::new(Method::Campaign, &options);
        self.caller.unary(call, &request, |response| codec::campaign_response(response, &asked)).await
    }

    async fn proclaim(
        &self,
        op: ElectionProclaim,
        options: CallOptions,
    ) -> Result<ElectionProclaimResponse, Error> {
        with_operation(Method::Proclaim, op.validate(self.caller.channel().limits()))?;
        let request = codec::proclaim_request(op);
        self.caller.unary(Call::new(Method::Proclaim, &options), &request, codec::proclaim_response).await
    }

    async fn leader(
        &self,
        op: ElectionLeader,
        options: CallOptions,
    ) -> Result<ElectionLeaderResponse, Error> {
        with_operation(Method::Leader, op.validate(self.caller.channel().limits()))?;
        let request = codec::leader_request(op);
        let convert = |response| codec::leader_response(response, &request.name);
        self.caller.unary(Call::new(Method::Leader, &options), &request, convert).await
    }

    async fn observe(&self, op: ElectionObserve, options: CallOptions) -> Result<LeaderStream, Error> {
        with_operation(Method::Observe, op.validate(self.caller.channel().limits()))?;
        let request = codec::observe_request(op.name);
        // A member that is cut off from the others would be silent for as long as that lasts.
        let options = options.no_timeout().require_leader();
        Ok(observe::leaders(self.caller.clone(), request, options))
    }

    async fn resign(
        &self,
        op: ElectionResign,
        options: CallOptions,
    ) -> Result<ElectionResignResponse, Error> {
        with_operation(Method::Resign, op.validate(self.caller.channel().limits()))?;
        let request = codec::resign_request(op);
        self.caller.unary(Call::new(Method::Resign, &options), &request, codec::resign_response).await
    }
}
