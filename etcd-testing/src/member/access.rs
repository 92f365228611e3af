//! The permissions that each request needs: those of etcd's `server/etcdserver/apply/auth.go` and `v3_server.go`.

use etcd_proto::etcdserverpb::request_op::Request;
use etcd_proto::etcdserverpb::{DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest};

use super::{Caller, Member};
use crate::auth::{Access, AuthInfo};
use crate::rejection::Rejection;
use crate::store::Span;

impl Member {
    /// Returns who sends a request, or nothing while authentication is disabled or without a token.
    pub(super) fn auth_info(&mut self, caller: &Caller) -> Result<Option<AuthInfo>, Rejection> {
        self.auth.info(caller.token.as_deref(), self.now)
    }

    /// Returns who sends a request that needs a token while authentication is enabled.
    pub(super) fn require_token(&mut self, caller: &Caller) -> Result<Option<AuthInfo>, Rejection> {
        let info = self.auth_info(caller)?;
        self.auth.check_present(info.as_ref())?;
        Ok(info)
    }

    /// Checks that the sender has the role `root`.
    pub(super) fn require_admin(&mut self, caller: &Caller) -> Result<Option<AuthInfo>, Rejection> {
        let info = self.auth_info(caller)?;
        self.auth.check_admin(info.as_ref())?;
        Ok(info)
    }

    pub(super) fn check_range_access(
        &self,
        info: Option<&AuthInfo>,
        request: &RangeRequest,
    ) -> Result<(), Rejection> {
        self.auth.check(info, &Span::of(&request.key, &request.range_end), Access::Read)
    }

    /// Checks a put: its key, the keys of its lease, and the reading of the previous value.
    pub(super) fn check_put_access(
        &self,
        info: Option<&AuthInfo>,
        request: &PutRequest,
    ) -> Result<(), Rejection> {
        let span = Span::Key(request.key.clone());
        self.auth.check(info, &span, Access::Write)?;
        self.check_lease_keys(info, request.lease, Access::Write)?;
        if request.prev_kv { self.auth.check(info, &span, Access::Read) } else { Ok(()) }
    }

    pub(super) fn check_delete_access(
        &self,
        info: Option<&AuthInfo>,
        request: &DeleteRangeRequest,
    ) -> Result<(), Rejection> {
        let span = Span::of(&request.key, &request.range_end);
        self.auth.check(info, &span, Access::Write)?;
        if request.prev_kv { self.auth.check(info, &span, Access::Read) } else { Ok(()) }
    }

    /// Checks the conditions and both branches of a transaction.
    pub(super) fn check_txn_access(
        &self,
        info: Option<&AuthInfo>,
        request: &TxnRequest,
    ) -> Result<(), Rejection> {
        for compare in &request.compare {
            self.auth.check(info, &Span::of(&compare.key, &compare.range_end), Access::Read)?;
        }
        request.success.iter().chain(&request.failure).try_for_each(|op| self.check_op_access(info, op))
    }

    fn check_op_access(&self, info: Option<&AuthInfo>, op: &RequestOp) -> Result<(), Rejection> {
        match &op.request {
            Some(Request::RequestRange(range)) => self.check_range_access(info, range),
            Some(Request::RequestPut(put)) => self.check_put_access(info, put),
            Some(Request::RequestDeleteRange(delete)) => self.check_delete_access(info, delete),
            Some(Request::RequestTxn(txn)) => self.check_txn_access(info, txn),
            None => Ok(()),
        }
    }

    /// Checks the keys of a lease, if there is one. The role `root` may do everything.
    pub(super) fn check_lease_keys(
        &self,
        info: Option<&AuthInfo>,
        id: i64,
        access: Access,
    ) -> Result<(), Rejection> {
        let Some(lease) = self.leases.get(id) else { return Ok(()) };
        if self.auth.check_admin(info).is_ok() {
            return Ok(());
        }
        lease.keys.iter().try_for_each(|key| self.auth.check(info, &Span::Key(key.clone()), access))
    }
}
