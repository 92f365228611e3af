//! The Lock service.

use bytes::Bytes;
use etcd_proto::etcdserverpb::{DeleteRangeRequest, RangeRequest};
use etcd_proto::v3lockpb::lock_server::Lock;
use etcd_proto::v3lockpb::{LockRequest, LockResponse, UnlockRequest, UnlockResponse};
use tonic::{Request, Response, Status};

use super::Services;

#[tonic::async_trait]
impl Lock for Services {
    /// Waits for the lock. A call that is dropped while it waits leaves no key.
    async fn lock(&self, request: Request<LockRequest>) -> Result<Response<LockResponse>, Status> {
        let (caller, request) = self.open(request);
        let lease = self.session(&caller, request.lease)?;
        let entry = self.enter(&caller, &request.name, lease, &Bytes::new())?;
        let leaving = self.leave_on_drop(&caller, &entry);
        self.wait_for_turn(&caller, &request.name, &entry).await?;
        let own = RangeRequest { key: entry.key.clone(), ..Default::default() };
        let held = self.inside(|member| member.range(&caller, &own))?;
        if held.kvs.is_empty() {
            return Err(Status::unknown("mutex: session is expired"));
        }
        leaving.stay();
        Ok(Response::new(LockResponse { header: held.header, key: entry.key }))
    }

    async fn unlock(&self, request: Request<UnlockRequest>) -> Result<Response<UnlockResponse>, Status> {
        let (caller, request) = self.open(request);
        let delete = DeleteRangeRequest { key: request.key, ..Default::default() };
        let deleted = self.inside(|member| member.delete_range(&caller, &delete))?;
        Ok(Response::new(UnlockResponse { header: deleted.header }))
    }
}
