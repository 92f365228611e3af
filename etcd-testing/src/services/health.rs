//! The health service of gRPC: the whole server is healthy, and no other name is known.

use etcd_proto::grpc_health_v1::health_check_response::ServingStatus;
use etcd_proto::grpc_health_v1::health_server::Health;
use etcd_proto::grpc_health_v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use futures_util::stream::{BoxStream, StreamExt as _, once, pending};
use tonic::{Request, Response, Status};

use super::Services;

const fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status as i32 }
}

#[tonic::async_trait]
impl Health for Services {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if request.get_ref().service.is_empty() {
            Ok(Response::new(response(ServingStatus::Serving)))
        } else {
            Err(Status::not_found("unknown service"))
        }
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("unknown method List for service grpc.health.v1.Health"))
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    /// Reports the status once, and stays open: the status never changes.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let known = request.get_ref().service.is_empty();
        let status = if known { ServingStatus::Serving } else { ServingStatus::ServiceUnknown };
        let first = once(async move { Ok(response(status)) });
        Ok(Response::new(first.chain(pending()).boxed()))
    }
}
