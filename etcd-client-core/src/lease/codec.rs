//! Conversions for leases.

use std::time::Duration;

use etcd_errors::Error;
use etcd_proto::etcdserverpb as pb;

use crate::{
    lease::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAliveResponse, LeaseList, LeaseListResponse, LeaseRevoke,
        LeaseRevokeResponse, LeaseTimeToLive, LeaseTimeToLiveResponse, MAX_TTL_SECONDS,
    },
    request::header::{Effect, answers, protocol, required},
    types::LeaseId,
};

answers!(pb:
    LeaseGrantResponse,
    LeaseRevokeResponse,
    LeaseTimeToLiveResponse,
    LeaseLeasesResponse,
    LeaseKeepAliveResponse,
);

pub(crate) fn lease_grant_request(grant: LeaseGrant) -> pb::LeaseGrantRequest {
    pb::LeaseGrantRequest {
        ttl: i64::try_from(grant.ttl_seconds()).unwrap_or(i64::MAX),
        id: grant.id.map_or(0, LeaseId::get),
    }
}

/// Converts the response. `wanted` is the requested id, or zero if the server was to choose one.
pub(crate) fn lease_grant_response(
    response: pb::LeaseGrantResponse,
    wanted: i64,
) -> Result<LeaseGrantResponse, Error> {
    let header = required(response.header, Effect::Writes)?;
    let Some(id) = LeaseId::new(response.id) else {
        return Err(protocol("the granted lease has no id", Effect::Writes));
    };
    if wanted != 0 && id.get() != wanted {
        return Err(protocol("the granted lease has a different id than requested", Effect::Writes));
    }
    Ok(LeaseGrantResponse::new(header, id, seconds(response.ttl)))
}

pub(crate) fn lease_revoke_request(revoke: LeaseRevoke) -> pb::LeaseRevokeRequest {
    pb::LeaseRevokeRequest { id: revoke.id.get() }
}

pub(crate) fn lease_revoke_response(response: pb::LeaseRevokeResponse) -> Result<LeaseRevokeResponse, Error> {
    Ok(LeaseRevokeResponse::new(required(response.header, Effect::Writes)?))
}

pub(crate) fn lease_time_to_live_request(ask: LeaseTimeToLive) -> pb::LeaseTimeToLiveRequest {
    pb::LeaseTimeToLiveRequest { id: ask.id.get(), keys: ask.keys }
}

pub(crate) fn lease_list_request(_list: LeaseList) -> pb::LeaseLeasesRequest {
    pb::LeaseLeasesRequest {}
}

/// Converts the response. A negative TTL means that the lease is unknown or expired.
pub(crate) fn lease_time_to_live_response(
    response: pb::LeaseTimeToLiveResponse,
) -> Result<LeaseTimeToLiveResponse, Error> {
    let header = required(response.header, Effect::Reads)?;
    let Some(id) = LeaseId::new(response.id) else {
        return Err(protocol("the lease in the response has no id", Effect::Reads));
    };
    let answer = if response.ttl < 0 {
        LeaseTimeToLiveResponse::unknown(header, id)
    } else {
        LeaseTimeToLiveResponse::new(header, id, seconds(response.ttl), seconds(response.granted_ttl))
    };
    Ok(answer.with_keys(response.keys))
}

pub(crate) fn lease_list_response(response: pb::LeaseLeasesResponse) -> Result<LeaseListResponse, Error> {
    let header = required(response.header, Effect::Reads)?;
    let leases: Option<Vec<_>> = response.leases.into_iter().map(|lease| LeaseId::new(lease.id)).collect();
    match leases {
        Some(leases) => Ok(LeaseListResponse::new(header, leases)),
        None => Err(protocol("a lease in the lease list has no id", Effect::Reads)),
    }
}

pub(crate) fn lease_keep_alive_request(id: LeaseId) -> pb::LeaseKeepAliveRequest {
    pb::LeaseKeepAliveRequest { id: id.get() }
}

/// Converts the response to a single renewal. Returns `None` if the lease does not exist.
pub(crate) fn lease_keep_alive_response(
    response: pb::LeaseKeepAliveResponse,
    wanted: LeaseId,
) -> Result<Option<LeaseKeepAliveResponse>, Error> {
    let header = required(response.header, Effect::Writes)?;
    if response.id != wanted.get() {
        return Err(protocol("the renewed lease has a different id than requested", Effect::Writes));
    }
    Ok(lease_ttl(response.ttl).map(|ttl| LeaseKeepAliveResponse::new(header, wanted, ttl)))
}

/// Converts the TTL of a renewed lease, capped at etcd's maximum. Returns `None` if the lease does not exist, which
/// etcd reports as a TTL of zero.
pub(crate) fn lease_ttl(seconds: i64) -> Option<Duration> {
    let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(seconds.min(MAX_TTL_SECONDS)))
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
