//! The Lease service. No lease expires during a sequence.

use etcd_proto::etcdserverpb::{LeaseGrantRequest, LeaseRevokeRequest, LeaseTimeToLiveRequest};
use fastrand::Rng;

use super::{among, kv, weighted};
use crate::operation::{LEASES, Lease, Op};

/// Times to live in seconds: far longer than a sequence takes, up to the limit, and above it.
const TTLS: [i64; 6] = [1_000, 1_001, 5_000, 9_000_000_000, 9_000_000_001, i64::MAX];
/// Times to live below the minimum of a server, which it raises.
const SHORT: [i64; 6] = [0, 1, 2, 3, -1, i64::MIN];

pub(super) fn any(rng: &mut Rng) -> Op {
    let id = among(rng, &LEASES);
    Op::Lease(match weighted(rng, &[(30, 0), (2, 1), (15, 2), (10, 3), (20, 4), (6, 5), (1, 6)]) {
        0 => Lease::Grant(LeaseGrantRequest { id, ttl: ttl(rng) }),
        1 => Lease::GrantAndRevoke(LeaseGrantRequest { id: 77, ttl: among(rng, &SHORT) }),
        2 => Lease::Revoke(LeaseRevokeRequest { id: unknown(rng, id) }),
        3 => Lease::KeepAlive((0..rng.usize(1..4)).map(|_| among(rng, &LEASES)).collect()),
        4 => Lease::TimeToLive(LeaseTimeToLiveRequest { id: unknown(rng, id), keys: rng.bool() }),
        5 => Lease::List,
        _ => Lease::Grant(LeaseGrantRequest { id: 0, ttl: ttl(rng) }),
    })
}

/// A put with a lease.
pub(super) fn put(rng: &mut Rng) -> Op {
    let mut request = kv::put_request(rng);
    request.lease = among(rng, &LEASES);
    request.ignore_lease &= rng.u8(..) < 32;
    Op::Put(request)
}

fn ttl(rng: &mut Rng) -> i64 {
    weighted(rng, &[(20, TTLS[0]), (20, TTLS[1]), (20, TTLS[2]), (4, TTLS[3]), (2, TTLS[4]), (1, TTLS[5])])
}

fn unknown(rng: &mut Rng, id: i64) -> i64 {
    weighted(rng, &[(30, id), (1, 0), (1, 12345)])
}
