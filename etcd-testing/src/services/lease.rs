//! The Lease service.

use etcd_proto::etcdserverpb::lease_server::Lease;
use etcd_proto::etcdserverpb::{
    LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest, LeaseKeepAliveResponse, LeaseLeasesRequest,
    LeaseLeasesResponse, LeaseRevokeRequest, LeaseRevokeResponse, LeaseTimeToLiveRequest,
    LeaseTimeToLiveResponse,
};
use futures_util::stream::{BoxStream, StreamExt as _, try_unfold};
use tonic::{Request, Response, Status, Streaming};

use super::{Services, caller};
use crate::member::Member;

#[tonic::async_trait]
impl Lease for Services {
    async fn lease_grant(
        &self,
        request: Request<LeaseGrantRequest>,
    ) -> Result<Response<LeaseGrantResponse>, Status> {
        self.unary(request, Member::lease_grant)
    }

    async fn lease_revoke(
        &self,
        request: Request<LeaseRevokeRequest>,
    ) -> Result<Response<LeaseRevokeResponse>, Status> {
        self.unary(request, Member::lease_revoke)
    }

    async fn lease_time_to_live(
        &self,
        request: Request<LeaseTimeToLiveRequest>,
    ) -> Result<Response<LeaseTimeToLiveResponse>, Status> {
        self.unary(request, Member::lease_time_to_live)
    }

    async fn lease_leases(
        &self,
        request: Request<LeaseLeasesRequest>,
    ) -> Result<Response<LeaseLeasesResponse>, Status> {
        self.unary(request, |member, caller, _| member.lease_leases(caller))
    }

    type LeaseKeepAliveStream = BoxStream<'static, Result<LeaseKeepAliveResponse, Status>>;

    async fn lease_keep_alive(
        &self,
        request: Request<Streaming<LeaseKeepAliveRequest>>,
    ) -> Result<Response<Self::LeaseKeepAliveStream>, Status> {
        let (caller, requests) = (caller(&request), request.into_inner());
        let state = (self.clone(), caller, requests);
        // One at a time and in order, like etcd. An error ends the stream for all leases on it.
        let responses = try_unfold(state, |(services, caller, mut requests)| async move {
            let Some(request) = requests.message().await? else { return Ok(None) };
            services.shared.record(request.into());
            let response = services.shared.with(|member| member.lease_keep_alive(&caller, &request))?;
            Ok(Some((response, (services, caller, requests))))
        });
        Ok(Response::new(responses.boxed()))
    }
}
