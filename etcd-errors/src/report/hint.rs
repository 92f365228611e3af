//! Hints: one sentence per error that states what to do.

use crate::attempt::Attempt;
use crate::code::Code;
use crate::error::Error;
use crate::grpc_code::GrpcCode;
use crate::kind::ErrorKind;
use crate::topic::ErrorTopic;

/// Returns the hint for this error, or `None` if the message already states what to do.
pub(super) fn hint(error: &Error) -> Option<&'static str> {
    if let Some(hint) = error.code().and_then(for_code) {
        return Some(hint);
    }
    match (error.kind(), error.topic()) {
        (ErrorKind::InvalidData, _) => Some("read the key or the value as bytes instead of text"),
        _ if error.outcome_unknown() => Some("read back what was written before writing it again"),
        (_, Some(topic)) => for_topic(topic),
        (kind, None) => for_kind(kind, error),
    }
}

fn for_topic(topic: ErrorTopic) -> Option<&'static str> {
    match topic {
        // The message names the setting to check.
        ErrorTopic::Tls | ErrorTopic::GrpcProxy => None,
        ErrorTopic::NameLookup => {
            Some("check the host name and that the DNS server answers, or use an IP address")
        }
        ErrorTopic::Proxy => Some("check that the proxy in front of etcd can reach the members"),
        ErrorTopic::Service => Some("make the call on a client that was built with endpoints"),
        ErrorTopic::ServerVersion => Some("upgrade this member, or lower min_server_version"),
        ErrorTopic::Capacity => {
            Some("make fewer calls at a time, or raise --max-concurrent-streams of every member")
        }
    }
}

fn for_kind(kind: ErrorKind, error: &Error) -> Option<&'static str> {
    match kind {
        ErrorKind::Unavailable => {
            Some("check that etcd is running, that the endpoint is correct, and whether it requires https")
        }
        ErrorKind::Timeout if !error.attempts().iter().any(Attempt::sent) => {
            Some("check the network path to the endpoints, or allow more time")
        }
        ErrorKind::Timeout => Some("allow more time, or look at the member's disk, load and network"),
        ErrorKind::Closed => Some("make the call before the client is closed, or on a new client"),
        ErrorKind::NoRuntime => {
            Some("make the call inside the Tokio runtime that the client was built on, while it runs")
        }
        ErrorKind::Protocol if error.grpc_code() == Some(GrpcCode::ResourceExhausted) => {
            Some("raise max_receive_bytes, or read less at once: with a limit, or by pages")
        }
        ErrorKind::Protocol => Some(
            "check that the endpoint is etcd's client URL, and that a proxy in front of it forwards gRPC",
        ),
        ErrorKind::Io => {
            Some("check that the directory exists and is writable, and that there is room on the disk")
        }
        ErrorKind::Lagged => {
            Some("read faster, raise buffer_bytes, or let the watch pause or coalesce instead of failing")
        }
        ErrorKind::Conflict => Some("allow more attempts or more time, or let fewer clients write the key"),
        ErrorKind::Unsupported => Some("use a newer version of etcd, or do without this call"),
        ErrorKind::CapacityExceeded => {
            Some("read the open streams to their end, or drop them, before opening another one")
        }
        ErrorKind::WrongCluster => Some(
            "check the endpoints; if the cluster was replaced on purpose, call accept_cluster on the client",
        ),
        ErrorKind::RevisionRegressed => Some(
            "check whether the store was restored from a backup; if so, call accept_cluster on the client",
        ),
        ErrorKind::InvalidRequest | ErrorKind::InvalidConfig | ErrorKind::Server | ErrorKind::InvalidData => {
            None
        }
    }
}

fn for_code(code: Code) -> Option<&'static str> {
    for_request(code).or_else(|| for_auth(code)).or_else(|| for_cluster(code))
}

fn for_request(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::EmptyKey => "give a key of at least one byte; to read every key, use all_keys()",
        Code::KeyNotFound => {
            "create the key first: ignore_value and ignore_lease keep the value or the lease only of a key that exists"
        }
        Code::ValueProvided => "give either a value or ignore_value",
        Code::LeaseProvided => "give either a lease or ignore_lease",
        Code::TooManyOps => {
            "split the transaction, or raise --max-txn-ops of every member and the limit of the client"
        }
        Code::DuplicateKey => "write each key at most once in a transaction",
        Code::RequestTooLarge => {
            "send less at once, or raise --max-request-bytes of every member and the limit of the client"
        }
        Code::Compacted => "read again without a revision, or watch from the revision of a fresh read",
        Code::FutureRev => "use a revision from a response of this cluster, at most its current one",
        Code::NoSpace => {
            "read back what was written, because the write that exceeds the quota is still applied; then compact, \
             defragment and disarm the NOSPACE alarm, or raise --quota-backend-bytes"
        }
        Code::TooManyRequests => "send fewer requests at a time, and retry: the member's apply queue is full",
        Code::LeaseNotFound => "grant a new lease: this one has expired or was revoked",
        Code::LeaseExist => "choose another lease id, or set none to let the client choose",
        Code::LeaseTTLTooLarge => "use a TTL of at most 9,000,000,000 seconds",
        _ => return None,
    })
}

fn for_auth(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::UserEmpty => "give the client a user and a password: authentication is enabled",
        Code::AuthFailed => "check user and password; users without a password need a client certificate",
        Code::InvalidAuthToken | Code::AuthOldRevision => {
            "set a user and a password, or a token provider, so that the client renews tokens; a fixed token has to be replaced in a new client"
        }
        Code::AuthNotEnabled => "enable authentication first, or connect without a user and a password",
        Code::PermissionDenied | Code::Other(GrpcCode::PermissionDenied) => {
            "grant one of the user's roles the permission for the whole range of the request"
        }
        Code::RootUserNotExist => "add a user root with the role root before authentication is enabled",
        Code::RootRoleNotExist => "grant the user root the role root before authentication is enabled",
        _ => return None,
    })
}

fn for_cluster(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::NoLeader => {
            "try another member, and check the health of the cluster: this member has no leader"
        }
        Code::NotLeader => "send the call to the leader; its status names it",
        Code::NotSupportedForLearner => {
            "send the call to a voting member; a learner serves only serializable reads and status"
        }
        Code::MemberNotLearner => "list the members: the promotion may have succeeded already",
        Code::MemberLearnerNotReady => {
            "wait until the learner has caught up with the leader, then promote it"
        }
        // etcd counts a member as started once it has published its name (IsReadyToAddVotingMember in etcd's
        // server/etcdserver/api/membership/cluster.go). One that is down still counts.
        Code::MemberNotEnoughStarted => {
            "start every member that was added, then change the membership; the only started member cannot be removed"
        }
        // HealthInterval in etcd's server/etcdserver/server.go.
        Code::Unhealthy => "bring every member up, wait 5 s, then change membership",
        Code::ClusterIDMismatch => "check the endpoints: this member belongs to another cluster",
        Code::Corrupt => {
            "stop writing; compare hash_kv of all members, remove the one that differs, disarm the CORRUPT \
             alarm, and add a member in its place"
        }
        Code::NotCapable => "wait until every member runs the new version, then retry",
        _ => return None,
    })
}
