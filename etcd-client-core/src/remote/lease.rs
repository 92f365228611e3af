//! Leases of whatever carries calls: the unary calls.

use async_trait::async_trait;
use etcd_errors::{Code, Error, Outcome};
use tokio::time::Instant;

use super::named;
use crate::{
    model::LeaseId,
    op::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseList, LeaseListResponse, LeaseRevoke, LeaseRevokeResponse, LeaseTimeToLive,
        LeaseTimeToLiveResponse,
    },
    service::{CallOptions, KeptLease, Lease},
    transport::{call::Call, caller::Caller, method::Method},
    wire,
};

/// The Lease service of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct RemoteLease {
    caller: Caller,
}

impl RemoteLease {
    pub(crate) fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// The options of a second call that shares the deadline of the first.
    fn rest(&self, options: CallOptions, started: Instant) -> CallOptions {
        match self.caller.channel().timeout(&options) {
            Some(timeout) => options.timeout(timeout.saturating_sub(started.elapsed())),
            None => options,
        }
    }
}

#[async_trait]
impl Lease for RemoteLease {
    /// The id is chosen here where the caller chose none: only so can a second grant be told from the first.
    async fn grant(&self, op: LeaseGrant, options: CallOptions) -> Result<LeaseGrantResponse, Error> {
        let own_id = op.spec().id.is_none().then(LeaseId::random);
        let op = match own_id {
            Some(id) => op.id(id),
            None => op,
        };
        named(Method::LeaseGrant, op.validate(self.caller.channel().limits()))?;
        let request = wire::lease_grant_request(op);
        let call = Call::new(Method::LeaseGrant, &options);
        let started = Instant::now();
        let wanted = request.id;
        let convert = |response| wire::lease_grant_response(response, wanted);
        let answer = self.caller.unary(call, &request, convert).await;
        match (answer, own_id) {
            (Ok(response), _) => Ok(response),
            (Err(error), Some(id)) if says_done_before(&error, Code::LeaseExist) => {
                let lease = self.time_to_live(LeaseTimeToLive::new(id), self.rest(options, started)).await;
                match lease {
                    Ok(lease) if lease.ttl.is_some() => {
                        Ok(LeaseGrantResponse::new(lease.header, id, lease.granted_ttl))
                    }
                    Ok(_) | Err(_) => Err(error),
                }
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn revoke(&self, op: LeaseRevoke, options: CallOptions) -> Result<LeaseRevokeResponse, Error> {
        let id = op.spec().id;
        named(Method::LeaseRevoke, op.validate(self.caller.channel().limits()))?;
        let request = wire::lease_revoke_request(op);
        let call = Call::new(Method::LeaseRevoke, &options);
        let started = Instant::now();
        let answer = self.caller.unary(call, &request, wire::lease_revoke_response).await;
        match answer {
            Ok(response) => Ok(response),
            Err(error) if says_done_before(&error, Code::LeaseNotFound) => {
                match self.time_to_live(LeaseTimeToLive::new(id), self.rest(options, started)).await {
                    Ok(lease) if lease.ttl.is_none() => Ok(LeaseRevokeResponse::new(lease.header)),
                    Ok(_) | Err(_) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn time_to_live(
        &self,
        op: LeaseTimeToLive,
        options: CallOptions,
    ) -> Result<LeaseTimeToLiveResponse, Error> {
        named(Method::LeaseTimeToLive, op.validate(self.caller.channel().limits()))?;
        let request = wire::lease_time_to_live_request(op);
        let call = Call::new(Method::LeaseTimeToLive, &options);
        self.caller.unary(call, &request, wire::lease_time_to_live_response).await
    }

    async fn list(&self, op: LeaseList, options: CallOptions) -> Result<LeaseListResponse, Error> {
        let call = Call::new(Method::LeaseLeases, &options);
        self.caller.unary(call, &wire::lease_list_request(op), wire::lease_list_response).await
    }

    async fn keep_alive_once(
        &self,
        op: LeaseKeepAliveOnce,
        options: CallOptions,
    ) -> Result<LeaseKeepAliveResponse, Error> {
        named(Method::LeaseKeepAlive, op.validate(self.caller.channel().limits()))?;
        let id = op.spec().id;
        let request = wire::lease_keep_alive_request(id);
        let call = Call::new(Method::LeaseKeepAlive, &options);
        // A stream with one message each way is sent as a unary call is.
        let convert = |response| wire::lease_keep_alive_response(response, id);
        let renewed = self.caller.unary(call, &request, convert).await?;
        named(Method::LeaseKeepAlive, renewed.ok_or_else(|| Code::LeaseNotFound.into()))
    }

    async fn keep_alive(&self, _op: LeaseKeepAlive, _options: CallOptions) -> Result<KeptLease, Error> {
        Err(Error::new(etcd_errors::ErrorKind::Unsupported, "keeping leases alive is to come"))
    }
}

/// Whether an earlier attempt of the call, whose answer was lost, did what this answer says is done already.
fn says_done_before(error: &Error, code: Code) -> bool {
    error.code() == Some(code) && error.outcome() == Outcome::Unknown
}
