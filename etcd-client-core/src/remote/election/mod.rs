//! The server's Election service over a channel or a caller-supplied service.

mod observe;

use async_trait::async_trait;
use etcd_errors::Error;

use super::named;
use crate::{
    op::{
        ElectionCampaign, ElectionCampaignResponse, ElectionLeader, ElectionLeaderResponse, ElectionObserve,
        ElectionProclaim, ElectionProclaimResponse, ElectionResign, ElectionResignResponse,
    },
    service::{CallOptions, ElectionService, LeaderStream},
    transport::{call::Call, caller::Caller, method::Method},
    wire,
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
        named(Method::Campaign, op.validate(self.caller.channel().limits()))?;
        let asked = op.spec().clone();
        let request = wire::campaign_request(op);
        let call = Call::new(Method::Campaign, &options);
        self.caller.unary(call, &request, |response| wire::campaign_response(response, &asked)).await
    }

    async fn proclaim(
        &self,
        op: ElectionProclaim,
        options: CallOptions,
    ) -> Result<ElectionProclaimResponse, Error> {
        named(Method::Proclaim, op.validate(self.caller.channel().limits()))?;
        let request = wire::proclaim_request(op);
        self.caller.unary(Call::new(Method::Proclaim, &options), &request, wire::proclaim_response).await
    }

    async fn leader(
        &self,
        op: ElectionLeader,
        options: CallOptions,
    ) -> Result<ElectionLeaderResponse, Error> {
        named(Method::Leader, op.validate(self.caller.channel().limits()))?;
        let request = wire::leader_request(op);
        let convert = |response| wire::leader_response(response, &request.name);
        self.caller.unary(Call::new(Method::Leader, &options), &request, convert).await
    }

    async fn observe(&self, op: ElectionObserve, options: CallOptions) -> Result<LeaderStream, Error> {
        named(Method::Observe, op.validate(self.caller.channel().limits()))?;
        let request = wire::observe_request(op.into_spec().name);
        // A member that is cut off from the others would be silent for as long as that lasts.
        let options = options.no_timeout().require_leader();
        Ok(observe::leaders(self.caller.clone(), request, options))
    }

    async fn resign(
        &self,
        op: ElectionResign,
        options: CallOptions,
    ) -> Result<ElectionResignResponse, Error> {
        named(Method::Resign, op.validate(self.caller.channel().limits()))?;
        let request = wire::resign_request(op);
        self.caller.unary(Call::new(Method::Resign, &options), &request, wire::resign_response).await
    }
}
