//! The steps of a sequence. Requests hold symbolic revisions, which are resolved when they are sent.

use etcd_proto::etcdserverpb::{
    AuthRoleAddRequest, AuthRoleDeleteRequest, AuthRoleGetRequest, AuthRoleGrantPermissionRequest,
    AuthRoleRevokePermissionRequest, AuthUserAddRequest, AuthUserChangePasswordRequest,
    AuthUserDeleteRequest, AuthUserGetRequest, AuthUserGrantRoleRequest, AuthUserRevokeRoleRequest,
    AuthenticateRequest, CompactionRequest, DeleteRangeRequest, LeaseGrantRequest, LeaseRevokeRequest,
    LeaseTimeToLiveRequest, PutRequest, RangeRequest, TxnRequest, WatchCreateRequest, compare::TargetUnion,
    request_op::Request,
};

/// `CURRENT + n` stands for the revision of the store plus `n`, `COMPACTED + n` for the compacted revision plus `n`.
/// A sequence keeps its meaning without some of its steps, and on a store with another history.
pub(crate) const CURRENT: i64 = 1 << 50;
pub(crate) const COMPACTED: i64 = 1 << 51;
/// The largest distance from [`CURRENT`] and [`COMPACTED`].
const REACH: u64 = 1 << 20;

/// The lease ids that sequences choose. Any other id was chosen by the server.
pub(crate) const LEASES: [i64; 5] = [1, 2, 3, -5, i64::MIN];

/// The revisions that symbolic ones refer to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Revisions {
    pub(crate) current: i64,
    pub(crate) compacted: i64,
}

impl Revisions {
    pub(crate) fn resolve(self, revision: i64) -> i64 {
        match symbol(revision) {
            Some((Symbol::Current, distance)) => self.current + distance,
            Some((Symbol::Compacted, distance)) => self.compacted + distance,
            None => revision,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Symbol {
    Current,
    Compacted,
}

/// Splits a symbolic revision. Returns `None` for a literal one.
pub(crate) fn symbol(revision: i64) -> Option<(Symbol, i64)> {
    [(Symbol::Current, CURRENT), (Symbol::Compacted, COMPACTED)]
        .into_iter()
        .map(|(symbol, origin)| (symbol, revision.saturating_sub(origin)))
        .find(|(_, distance)| distance.unsigned_abs() <= REACH)
}

/// An operation and the user that sends it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) who: Who,
    pub(crate) op: Op,
}

/// The token of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// No token.
    Nobody,
    /// The last token that this user obtained, if any.
    User(&'static str),
    /// A token that no server issued.
    Forged,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    Range(RangeRequest),
    RangeStream(RangeRequest),
    Put(PutRequest),
    Delete(DeleteRangeRequest),
    Txn(TxnRequest),
    Compact(CompactionRequest),
    Lease(Lease),
    Watch(u8, Watch),
    Auth(Auth),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Lease {
    Grant(LeaseGrantRequest),
    /// Grants a lease that must not live long enough to expire, and revokes it.
    GrantAndRevoke(LeaseGrantRequest),
    Revoke(LeaseRevokeRequest),
    /// Renews these leases on one stream.
    KeepAlive(Vec<i64>),
    TimeToLive(LeaseTimeToLiveRequest),
    List,
}

/// An operation on one of the watch streams of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Watch {
    Create(WatchCreateRequest),
    Cancel(i64),
    Progress,
    /// Ends the stream. The next operation opens another one.
    Close,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Auth {
    Enable,
    Disable,
    Status,
    Authenticate(AuthenticateRequest),
    UserAdd(AuthUserAddRequest),
    UserGet(AuthUserGetRequest),
    UserList,
    UserDelete(AuthUserDeleteRequest),
    UserChangePassword(AuthUserChangePasswordRequest),
    UserGrantRole(AuthUserGrantRoleRequest),
    UserRevokeRole(AuthUserRevokeRoleRequest),
    RoleAdd(AuthRoleAddRequest),
    RoleGet(AuthRoleGetRequest),
    RoleList,
    RoleDelete(AuthRoleDeleteRequest),
    RoleGrant(AuthRoleGrantPermissionRequest),
    RoleRevoke(AuthRoleRevokePermissionRequest),
}

impl Op {
    /// Returns the operation with the revisions that the symbolic ones stand for.
    pub(crate) fn resolved(&self, revisions: Revisions) -> Self {
        let mut op = self.clone();
        op.change_ranges(&mut |range| resolve_range(range, revisions));
        match &mut op {
            Self::Txn(txn) => resolve_compares(txn, revisions),
            Self::Compact(compact) => compact.revision = revisions.resolve(compact.revision),
            Self::Watch(_, Watch::Create(create)) => {
                create.start_revision = revisions.resolve(create.start_revision);
            }
            _ => {}
        }
        op
    }

    /// Changes each read of the operation.
    pub(crate) fn change_ranges(&mut self, change: &mut dyn FnMut(&mut RangeRequest)) {
        match self {
            Self::Range(range) | Self::RangeStream(range) => change(range),
            Self::Txn(txn) => change_ranges(txn, change),
            _ => {}
        }
    }
}

fn change_ranges(txn: &mut TxnRequest, change: &mut dyn FnMut(&mut RangeRequest)) {
    for op in txn.success.iter_mut().chain(&mut txn.failure) {
        match &mut op.request {
            Some(Request::RequestRange(range)) => change(range),
            Some(Request::RequestTxn(txn)) => change_ranges(txn, change),
            Some(Request::RequestPut(_) | Request::RequestDeleteRange(_)) | None => {}
        }
    }
}

fn resolve_range(range: &mut RangeRequest, revisions: Revisions) {
    for revision in [
        &mut range.revision,
        &mut range.min_mod_revision,
        &mut range.max_mod_revision,
        &mut range.min_create_revision,
        &mut range.max_create_revision,
    ] {
        *revision = revisions.resolve(*revision);
    }
}

fn resolve_compares(txn: &mut TxnRequest, revisions: Revisions) {
    for compare in &mut txn.compare {
        if let Some(TargetUnion::CreateRevision(revision) | TargetUnion::ModRevision(revision)) =
            &mut compare.target_union
        {
            *revision = revisions.resolve(*revision);
        }
    }
    for op in txn.success.iter_mut().chain(&mut txn.failure) {
        if let Some(Request::RequestTxn(txn)) = &mut op.request {
            resolve_compares(txn, revisions);
        }
    }
}
