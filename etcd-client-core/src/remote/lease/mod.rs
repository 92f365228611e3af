//! Leases of whatever carries calls.

mod hub;
mod renewals;
mod stream;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use etcd_errors::{Code, Error, Outcome};
use tokio::time::Instant;

use self::hub::Hub;
use super::{ClientPart, named};
use crate::{
    model::LeaseId,
    op::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseKeepAliveSpec, LeaseList, LeaseListResponse, LeaseRevoke, LeaseRevokeResponse, LeaseTimeToLive,
        LeaseTimeToLiveResponse,
    },
    service::{CallOptions, KeptLease, Lease},
    transport::{call::Call, caller::Caller, channel::check_runtime, method::Method},
    wire,
};

/// How long the first renewal of a lease is repeated where each takes so long that it leaves little time.
const LONGEST_BEGINNING: Duration = Duration::from_secs(30);

/// The Lease service of a cluster.
#[derive(Clone)]
pub(crate) struct RemoteLease {
    caller: Arc<Caller>,
    hub: Arc<Hub>,
    _client: Option<ClientPart>,
}

impl RemoteLease {
    pub(crate) fn new(caller: Caller) -> Self {
        Self { caller: Arc::new(caller), hub: Arc::default(), _client: None }
    }

    /// Keeps a part of the client for as long as this service or a kept lease of it is held.
    pub(crate) fn keeping(self, client: ClientPart) -> Self {
        Self { _client: Some(client), ..self }
    }

    /// The options of a second call that shares the deadline of the first.
    fn rest(&self, options: CallOptions, started: Instant) -> CallOptions {
        match self.caller.channel().timeout(&options) {
            Some(timeout) => options.timeout(timeout.saturating_sub(started.elapsed())),
            None => options,
        }
    }
}

impl fmt::Debug for RemoteLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteLease").field("caller", &self.caller).finish_non_exhaustive()
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
        let handles = LosesHandles { hub: &self.hub, id, spared: false };
        let answer = self.caller.unary(call, &request, wire::lease_revoke_response).await;
        handles.settle(&answer);
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

    /// A time that has passed nearly, as when a grant had to be sent again, is no time to begin with: one renewal gives a new one.
    async fn keep_alive(&self, op: LeaseKeepAlive, options: CallOptions) -> Result<KeptLease, Error> {
        named(Method::LeaseKeepAlive, op.validate(self.caller.channel().limits()))?;
        named(Method::LeaseKeepAlive, check_runtime())?;
        named(Method::LeaseKeepAlive, self.caller.channel().pool().check_alive())?;
        let LeaseKeepAliveSpec { id, granted } = op.into_spec();
        if let Some(kept) = self.hub.known(id) {
            return Ok(kept);
        }
        if let Some(granted) = granted.filter(|granted| granted.sent_at.elapsed() < granted.ttl / 2) {
            return Ok(self.hub.keep(self, id, granted.ttl, granted.sent_at));
        }
        let started = Instant::now();
        loop {
            let sent_at = Instant::now();
            let once = LeaseKeepAliveOnce::new(id);
            let renewed = self.keep_alive_once(once, self.rest(options.clone(), started)).await?;
            let spent = sent_at.elapsed();
            // Which of its attempts was answered is not known; the time that a late one leaves may be none.
            if spent < renewed.ttl / 2 || started.elapsed() > LONGEST_BEGINNING {
                return Ok(self.hub.keep(self, id, renewed.ttl, sent_at));
            }
        }
    }
}

/// Loses the kept handles of a lease that is being revoked by its id, unless the revocation was certainly not applied: a dropped
/// future and a lost response leave that open, and a lease must not be believed held after it has ended.
struct LosesHandles<'a> {
    hub: &'a Hub,
    id: LeaseId,
    spared: bool,
}

impl LosesHandles<'_> {
    fn settle(mut self, answer: &Result<LeaseRevokeResponse, Error>) {
        self.spared = answer
            .as_ref()
            .is_err_and(|error| error.outcome() == Outcome::NotApplied && !error.is_lease_not_found());
    }
}

impl Drop for LosesHandles<'_> {
    fn drop(&mut self) {
        if !self.spared {
            self.hub.lose(self.id);
        }
    }
}

/// Whether an earlier attempt of the call, whose answer was lost, did what this answer says is done already.
fn says_done_before(error: &Error, code: Code) -> bool {
    error.code() == Some(code) && error.outcome() == Outcome::Unknown
}
