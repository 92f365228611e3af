//! The KV service of a member.

use etcd_proto::etcdserverpb::{
    CompactionRequest, CompactionResponse, DeleteRangeRequest, DeleteRangeResponse, PutRequest, PutResponse,
    RangeRequest, RangeResponse, TxnRequest, TxnResponse,
};

use super::{Caller, Member};
use crate::rejection::Rejection;
use crate::store::{self, check_delete, check_intervals, check_put, check_range, check_txn, puts};

impl Member {
    pub(crate) fn range(
        &mut self,
        caller: &Caller,
        request: &RangeRequest,
    ) -> Result<RangeResponse, Rejection> {
        check_range(request, self.identity.line)?;
        let info = self.auth_info(caller)?;
        self.check_range_access(info.as_ref(), request)?;
        let response = self.store.range(request, self.store.revision(), self.identity.line)?;
        Ok(RangeResponse { header: self.header_at(response.header.as_ref()), ..response })
    }

    pub(crate) fn put(&mut self, caller: &Caller, request: &PutRequest) -> Result<PutResponse, Rejection> {
        check_put(request)?;
        let info = self.auth_info(caller)?;
        self.propose(request)?;
        self.check_space()?;
        self.check_put_access(info.as_ref(), request)?;
        let response = self.write(|write| write.put_checked(request))?;
        Ok(PutResponse { header: self.header_at(response.header.as_ref()), ..response })
    }

    pub(crate) fn delete_range(
        &mut self,
        caller: &Caller,
        request: &DeleteRangeRequest,
    ) -> Result<DeleteRangeResponse, Rejection> {
        check_delete(request)?;
        let info = self.auth_info(caller)?;
        self.propose(request)?;
        self.check_delete_access(info.as_ref(), request)?;
        let response = self.write(|write| write.delete(request));
        Ok(DeleteRangeResponse { header: self.header_at(response.header.as_ref()), ..response })
    }

    pub(crate) fn txn(&mut self, caller: &Caller, request: &TxnRequest) -> Result<TxnResponse, Rejection> {
        let line = self.identity.line;
        check_txn(request, self.identity.max_txn_ops, line)?;
        check_intervals(&request.success)?;
        check_intervals(&request.failure)?;
        let info = self.auth_info(caller)?;
        if !store::is_read_only(request) {
            self.propose(request)?;
            if puts(request) {
                self.check_space()?;
            }
        }
        self.check_txn_access(info.as_ref(), request)?;
        let response = self.write(|write| write.txn(request, line))?;
        Ok(TxnResponse { header: self.header_at(response.header.as_ref()), ..response })
    }

    pub(crate) fn compact(
        &mut self,
        caller: &Caller,
        request: &CompactionRequest,
    ) -> Result<CompactionResponse, Rejection> {
        let info = self.auth_info(caller)?;
        self.auth.check_admin(info.as_ref())?;
        self.propose(request)?;
        self.store.compact(request.revision)?;
        Ok(CompactionResponse { header: Some(self.header()) })
    }
}
