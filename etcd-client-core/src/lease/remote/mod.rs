//! The Lease service over a channel or a caller-supplied service.

pub(crate) mod hub;
pub(crate) mod renewals;
pub(crate) mod stream;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use etcd_errors::{Code, Error, Outcome};
use tokio::time::Instant;

use crate::{
    lease::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseKeeper, LeaseList, LeaseListResponse, LeaseRevoke, LeaseRevokeResponse, LeaseService,
        LeaseTimeToLive, LeaseTimeToLiveResponse, codec, remote::hub::Hub,
    },
    request::CallOptions,
    transport::{
        call::{channel::ClientPart, unary::Call},
        caller::Caller,
        check_runtime,
        grpc::method::{Method, with_operation},
    },
    types::LeaseId,
};

/// The time during which the first renewal is repeated if each one takes so long that little of the TTL is left.
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

    /// Keeps a part of the client alive as long as this service, or a lease kept by it, exists.
    pub(crate) fn keeping(self, client: ClientPart) -> Self {
        Self { _client: Some(client), ..self }
    }

    /// Returns the options of a second call that shares the deadline of the first.
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
impl LeaseService for RemoteLease {
    /// Chooses the lease id on the client if the caller did not. Without a known id, a retry could not be
    /// distinguished from a second lease.
    async fn grant(&self, op: LeaseGrant, options: CallOptions) -> Result<LeaseGrantResponse, Error> {
        let own_id = op.id.is_none().then(LeaseId::random);
        let op = match own_id {
            Some(id) => op.id(id),
            None => op,
        };
        with_operation(Method::LeaseGrant, op.validate())?;
        let request = codec::lease_grant_request(op);
        let call = Call::new(Method::LeaseGrant, &options);
        let started = Instant::now();
        let wanted = request.id;
        let convert = |response| codec::lease_grant_response(response, wanted);
        let answer = self.caller.unary(call, &request, convert).await;
        match (answer, own_id) {
            (Ok(response), _) => Ok(response),
            // The id is random, so a lease with this id comes from an earlier attempt whose response was
            // lost. Reading its TTL turns the unknown outcome into a success.
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
        let id = op.id;
        let request = codec::lease_revoke_request(op);
        let call = Call::new(Method::LeaseRevoke, &options);
        let started = Instant::now();
        // Armed before the request is sent: if this future is dropped, the revocation may still be applied.
        let handles = LosesHandles { hub: &self.hub, id, keeps_handles: false };
        let answer = self.caller.unary(call, &request, codec::lease_revoke_response).await;
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
        let request = codec::lease_time_to_live_request(op);
        let call = Call::new(Method::LeaseTimeToLive, &options);
        self.caller.unary(call, &request, codec::lease_time_to_live_response).await
    }

    async fn list(&self, op: LeaseList, options: CallOptions) -> Result<LeaseListResponse, Error> {
        let call = Call::new(Method::LeaseLeases, &options);
        self.caller.unary(call, &codec::lease_list_request(op), codec::lease_list_response).await
    }

    async fn keep_alive_once(
        &self,
        op: LeaseKeepAliveOnce,
        options: CallOptions,
    ) -> Result<LeaseKeepAliveResponse, Error> {
        let id = op.id;
        let request = codec::lease_keep_alive_request(id);
        let call = Call::new(Method::LeaseKeepAlive, &options);
        // A stream with one message in each direction looks like a unary call on the wire.
        let convert = |response| codec::lease_keep_alive_response(response, id);
        let renewed = self.caller.unary(call, &request, convert).await?;
        with_operation(Method::LeaseKeepAlive, renewed.ok_or_else(|| Code::LeaseNotFound.into()))
    }

    /// Starts keep-alives. If most of the granted TTL has already passed, as after a retried grant, the lease is
    /// renewed once first so that it starts with a full TTL.
    async fn keep_alive(&self, op: LeaseKeepAlive, options: CallOptions) -> Result<LeaseKeeper, Error> {
        with_operation(Method::LeaseKeepAlive, check_runtime())?;
        with_operation(Method::LeaseKeepAlive, self.caller.channel().pool().check_alive())?;
        let LeaseKeepAlive { id, granted, .. } = op;
        if let Some(kept) = self.hub.known(id) {
            return Ok(kept);
        }
        // With less than half of the TTL left, a first renewal that has to be hedged could come too late.
        if let Some(granted) = granted.filter(|granted| granted.sent_at.elapsed() < granted.ttl / 2) {
            return Ok(self.hub.keep(self, id, granted.ttl, granted.sent_at));
        }
        let started = Instant::now();
        loop {
            let sent_at = Instant::now();
            let once = LeaseKeepAliveOnce::new(id);
            let renewed = self.keep_alive_once(once, self.rest(options.clone(), started)).await?;
            let spent = sent_at.elapsed();
            // It is not known which attempt was answered, so `sent_at` counts. A late response may leave no
            // time to renew.
            if spent < renewed.ttl / 2 || started.elapsed() > LONGEST_BEGINNING {
                return Ok(self.hub.keep(self, id, renewed.ttl, sent_at));
            }
        }
    }
}

/// Marks the kept handles of a lease as lost when the lease is revoked by id, unless the revocation was certainly not
/// applied. A dropped future and a lost response leave the outcome unknown, and a handle must never look held after
/// its lease has ended.
struct LosesHandles<'a> {
    hub: &'a Hub,
    id: LeaseId,
    keeps_handles: bool,
}

impl LosesHandles<'_> {
    fn settle(mut self, answer: &Result<LeaseRevokeResponse, Error>) {
        self.keeps_handles = answer
            .as_ref()
            .is_err_and(|error| error.outcome() == Outcome::NotApplied && !error.is_lease_not_found());
    }
}

impl Drop for LosesHandles<'_> {
    fn drop(&mut self) {
        if !self.keeps_handles {
            self.hub.lose(self.id);
        }
    }
}

/// Returns true if the error means that an earlier attempt of the call, whose response was lost, succeeded.
fn says_done_before(error: &Error, code: Code) -> bool {
    error.code() == Some(code) && error.outcome() == Outcome::Unknown
}
