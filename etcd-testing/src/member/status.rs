//! The status, the members and the hashes of a member.

use etcd_proto::etcdserverpb::{
    DefragmentResponse, DowngradeInfo, HashKvRequest, HashKvResponse, HashResponse, Member as ClusterMember,
    MemberListResponse, ResponseHeader, StatusResponse,
};

use super::{Caller, Member};
use crate::line::Line;
use crate::rejection::{COMPACTED, FUTURE_REVISION, Rejection};

/// The default quota of a database, in bytes: `DefaultQuotaBytes` of `server/storage/quota.go`.
const QUOTA: i64 = 2 * 1024 * 1024 * 1024;

impl Member {
    pub(crate) fn status(&mut self, caller: &Caller) -> Result<StatusResponse, Rejection> {
        self.require_token(caller)?;
        let line = self.identity.line;
        let size = self.store.size();
        Ok(StatusResponse {
            header: Some(self.header()),
            version: line.version().to_owned(),
            db_size: size,
            leader: self.identity.member_id,
            raft_index: self.raft_index,
            raft_term: self.raft_term,
            raft_applied_index: self.raft_index,
            errors: self.alarms.of(0).iter().map(|alarm| format!("{alarm:?}")).collect(),
            db_size_in_use: size,
            is_learner: false,
            storage_version: line.storage_version().to_owned(),
            db_size_quota: if line >= Line::V3_6 { QUOTA } else { 0 },
            downgrade_info: (line >= Line::V3_6).then(DowngradeInfo::default),
        })
    }

    /// Returns the only member of the cluster.
    pub(crate) fn member_list(&mut self, caller: &Caller) -> Result<MemberListResponse, Rejection> {
        self.require_token(caller)?;
        let member = ClusterMember {
            id: self.identity.member_id,
            name: self.identity.name.clone(),
            peer_ur_ls: vec!["http://localhost:2380".to_owned()],
            client_ur_ls: self.identity.client_urls.clone(),
            is_learner: false,
        };
        // This header has no revision.
        let header = ResponseHeader { revision: 0, ..self.header() };
        Ok(MemberListResponse { header: Some(header), members: vec![member] })
    }

    /// Does nothing: there is no file to defragment.
    pub(crate) fn defragment(&mut self, caller: &Caller) -> Result<DefragmentResponse, Rejection> {
        self.require_admin(caller)?;
        Ok(DefragmentResponse { header: None })
    }

    pub(crate) fn hash(&mut self, caller: &Caller) -> Result<HashResponse, Rejection> {
        self.require_admin(caller)?;
        Ok(HashResponse { header: Some(self.header()), hash: self.store.hash(self.store.revision()) })
    }

    pub(crate) fn hash_kv(
        &mut self,
        caller: &Caller,
        request: &HashKvRequest,
    ) -> Result<HashKvResponse, Rejection> {
        self.require_admin(caller)?;
        let revision = if request.revision == 0 { self.store.revision() } else { request.revision };
        if revision > self.store.revision() {
            return Err(FUTURE_REVISION);
        }
        if revision < self.store.compacted() {
            return Err(COMPACTED);
        }
        Ok(HashKvResponse {
            header: Some(self.header()),
            hash: self.store.hash(revision),
            compact_revision: self.store.compacted(),
            hash_revision: if self.identity.line >= Line::V3_6 { revision } else { 0 },
        })
    }
}
