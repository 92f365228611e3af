//! Operations as text.

use std::fmt;

use etcd_proto::etcdserverpb::{
    Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest, WatchCreateRequest,
    compare::{CompareResult, CompareTarget, TargetUnion},
    range_request::{SortOrder, SortTarget},
    request_op::Request,
};

use super::{Fields, bytes, range};
use crate::operation::{Auth, Lease, Op, Step, Symbol, Watch, Who, symbol};

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.who {
            Who::Nobody => {}
            Who::User(name) => write!(f, "as {name}: ")?,
            Who::Forged => f.write_str("with a forged token: ")?,
        }
        self.op.fmt(f)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(request) => f.write_str(&get("get", request)),
            Self::RangeStream(request) => f.write_str(&get("range stream", request)),
            Self::Put(request) => f.write_str(&put(request)),
            Self::Delete(request) => f.write_str(&delete(request)),
            Self::Txn(request) => f.write_str(&txn(request)),
            Self::Compact(request) => f.write_str(
                &Fields::of("compact")
                    .word(&revision(request.revision))
                    .flag("physical", request.physical)
                    .end(),
            ),
            Self::Lease(lease) => lease.fmt(f),
            Self::Watch(stream, watch) => write!(f, "watch stream {stream}: {watch}"),
            Self::Auth(auth) => auth.fmt(f),
        }
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant(request) => write!(f, "lease grant id={} ttl={}", request.id, request.ttl),
            Self::GrantAndRevoke(request) => {
                write!(f, "lease grant and revoke id={} ttl={}", request.id, request.ttl)
            }
            Self::Revoke(request) => write!(f, "lease revoke {}", request.id),
            Self::KeepAlive(ids) => write!(f, "lease keep alive {ids:?}"),
            Self::TimeToLive(request) => write!(f, "lease time to live {} keys={}", request.id, request.keys),
            Self::List => f.write_str("lease list"),
        }
    }
}

impl fmt::Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(request) => f.write_str(&create(request)),
            Self::Cancel(id) => write!(f, "cancel {id}"),
            Self::Progress => f.write_str("request progress"),
            Self::Close => f.write_str("close"),
        }
    }
}

impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enable => f.write_str("auth enable"),
            Self::Disable => f.write_str("auth disable"),
            Self::Status => f.write_str("auth status"),
            Self::Authenticate(request) => write!(f, "authenticate {} {}", request.name, request.password),
            Self::UserAdd(request) => write!(
                f,
                "user add {:?} {:?} no_password={:?}",
                request.name,
                request.password,
                request.options.map(|options| options.no_password)
            ),
            Self::UserGet(request) => write!(f, "user get {:?}", request.name),
            Self::UserList => f.write_str("user list"),
            Self::UserDelete(request) => write!(f, "user delete {:?}", request.name),
            Self::UserChangePassword(request) => {
                write!(f, "user change password {:?} {:?}", request.name, request.password)
            }
            Self::UserGrantRole(request) => {
                write!(f, "user grant role {:?} {:?}", request.user, request.role)
            }
            Self::UserRevokeRole(request) => {
                write!(f, "user revoke role {:?} {:?}", request.name, request.role)
            }
            Self::RoleAdd(request) => write!(f, "role add {:?}", request.name),
            Self::RoleGet(request) => write!(f, "role get {:?}", request.role),
            Self::RoleList => f.write_str("role list"),
            Self::RoleDelete(request) => write!(f, "role delete {:?}", request.role),
            Self::RoleGrant(request) => {
                let perm = request.perm.clone().unwrap_or_default();
                let range = range(&perm.key, &perm.range_end);
                let kind = request.perm.as_ref().map_or_else(
                    || "nothing".to_owned(),
                    |perm| format!("{}({})", perm.perm_type().as_str_name(), perm.perm_type),
                );
                write!(f, "role grant {:?} {kind} {range}", request.name)
            }
            Self::RoleRevoke(request) => {
                write!(f, "role revoke {:?} {}", request.role, range(&request.key, &request.range_end))
            }
        }
    }
}

fn get(name: &str, request: &RangeRequest) -> String {
    let order = SortOrder::try_from(request.sort_order)
        .map_or_else(|number| number.to_string(), |order| order.as_str_name().to_owned());
    let target = SortTarget::try_from(request.sort_target)
        .map_or_else(|number| number.to_string(), |target| target.as_str_name().to_owned());
    let sorted = request.sort_order != 0 || request.sort_target != 0;
    Fields::of(name)
        .word(&range(&request.key, &request.range_end))
        .number("limit", request.limit)
        .text("revision", &revision(request.revision))
        .flag(&format!("sort={target}:{order}"), sorted)
        .flag("serializable", request.serializable)
        .flag("keys_only", request.keys_only)
        .flag("count_only", request.count_only)
        .text("min_mod", &revision(request.min_mod_revision))
        .text("max_mod", &revision(request.max_mod_revision))
        .text("min_create", &revision(request.min_create_revision))
        .text("max_create", &revision(request.max_create_revision))
        .end()
}

fn put(request: &PutRequest) -> String {
    Fields::of("put")
        .word(&bytes(&request.key))
        .word(&bytes(&request.value))
        .number("lease", request.lease)
        .flag("prev_kv", request.prev_kv)
        .flag("ignore_value", request.ignore_value)
        .flag("ignore_lease", request.ignore_lease)
        .end()
}

fn delete(request: &DeleteRangeRequest) -> String {
    Fields::of("delete").word(&range(&request.key, &request.range_end)).flag("prev_kv", request.prev_kv).end()
}

fn txn(request: &TxnRequest) -> String {
    Fields::of("txn")
        .list("if", request.compare.iter().map(compare))
        .list("then", request.success.iter().map(operation))
        .list("else", request.failure.iter().map(operation))
        .end()
}

fn operation(op: &RequestOp) -> String {
    match &op.request {
        Some(Request::RequestRange(request)) => get("get", request),
        Some(Request::RequestPut(request)) => put(request),
        Some(Request::RequestDeleteRange(request)) => delete(request),
        Some(Request::RequestTxn(request)) => txn(request),
        None => "nothing".to_owned(),
    }
}

fn compare(compare: &Compare) -> String {
    let target = CompareTarget::try_from(compare.target)
        .map_or_else(|number| number.to_string(), |target| target.as_str_name().to_owned());
    let result = CompareResult::try_from(compare.result)
        .map_or_else(|number| number.to_string(), |result| result.as_str_name().to_owned());
    let value = match &compare.target_union {
        Some(TargetUnion::Version(version)) => format!("version {version}"),
        Some(TargetUnion::CreateRevision(create)) => format!("create {}", revision(*create)),
        Some(TargetUnion::ModRevision(modified)) => format!("mod {}", revision(*modified)),
        Some(TargetUnion::Value(value)) => format!("value {}", bytes(value)),
        Some(TargetUnion::Lease(lease)) => format!("lease {lease}"),
        None => "nothing".to_owned(),
    };
    format!("{target} of {} {result} {value}", range(&compare.key, &compare.range_end))
}

fn create(request: &WatchCreateRequest) -> String {
    Fields::of("create")
        .word(&range(&request.key, &request.range_end))
        .text("start", &revision(request.start_revision))
        .number("id", request.watch_id)
        .flag("progress_notify", request.progress_notify)
        .flag("prev_kv", request.prev_kv)
        .flag("fragment", request.fragment)
        .list("filters", request.filters.iter().map(ToString::to_string))
        .end()
}

fn revision(revision: i64) -> String {
    match symbol(revision) {
        Some((Symbol::Current, 0)) => "current".to_owned(),
        Some((Symbol::Current, distance)) => format!("current{distance:+}"),
        Some((Symbol::Compacted, 0)) => "compacted".to_owned(),
        Some((Symbol::Compacted, distance)) => format!("compacted{distance:+}"),
        None => revision.to_string(),
    }
}
