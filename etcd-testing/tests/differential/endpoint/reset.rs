//! The same beginning for every sequence: no keys but the fence, no leases, no users, no roles, all history compacted.

use etcd_proto::etcdserverpb::{
    AuthDisableRequest, AuthRoleDeleteRequest, AuthRoleListRequest, AuthStatusRequest, AuthUserDeleteRequest,
    AuthUserListRequest, CompactionRequest, DeleteRangeRequest, LeaseLeasesRequest, LeaseRevokeRequest,
    PutRequest,
};
use tonic::Status;

use super::{Endpoint, FENCE};
use crate::{operation::Revisions, show::Frame};

/// No sequence begins below this revision.
const FIRST_REVISION: i64 = 64;

impl Endpoint {
    /// Removes everything that an earlier sequence left.
    pub(crate) async fn reset(&mut self) -> Result<(), Status> {
        self.streams.clear();
        if self.auth_enabled {
            self.login().await;
            self.auths().auth_disable(self.request(self.runner(), AuthDisableRequest {})).await?;
            self.auth_enabled = false;
        }
        self.tokens.clear();
        self.remove_users_and_roles().await?;
        self.pass_first_revisions().await?;
        let everything = DeleteRangeRequest { key: "\0".into(), range_end: "\0".into(), prev_kv: false };
        self.kv().delete_range(everything).await?;
        let mut leases = self.leases();
        for lease in leases.lease_leases(LeaseLeasesRequest {}).await?.into_inner().leases {
            leases.lease_revoke(LeaseRevokeRequest { id: lease.id }).await?;
        }
        self.begin().await
    }

    /// Symbolic revisions before the compacted one have to be revisions too, also on a new store.
    async fn pass_first_revisions(&self) -> Result<(), Status> {
        let mut revision = 0;
        while revision < FIRST_REVISION {
            let put = PutRequest { key: FENCE.into(), ..PutRequest::default() };
            let header = self.kv().put(put).await?.into_inner().header;
            revision = header.map_or(0, |header| header.revision);
        }
        Ok(())
    }

    async fn remove_users_and_roles(&self) -> Result<(), Status> {
        let mut auth = self.auths();
        for name in auth.user_list(AuthUserListRequest {}).await?.into_inner().users {
            auth.user_delete(AuthUserDeleteRequest { name }).await?;
        }
        for role in auth.role_list(AuthRoleListRequest {}).await?.into_inner().roles {
            auth.role_delete(AuthRoleDeleteRequest { role }).await?;
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), Status> {
        let fence = PutRequest { key: FENCE.into(), ..PutRequest::default() };
        let header = self.kv().put(fence).await?.into_inner().header;
        let revision = header.map_or(0, |header| header.revision);
        self.kv().compact(CompactionRequest { revision, physical: false }).await?;
        // etcd 3.4 has no such method.
        let status = self.auths().auth_status(AuthStatusRequest {}).await;
        let auth_revision = status.map(|status| status.into_inner().auth_revision).unwrap_or_default();
        self.revisions = Revisions { current: revision, compacted: revision };
        self.frame = Frame { revision, auth_revision };
        Ok(())
    }
}
