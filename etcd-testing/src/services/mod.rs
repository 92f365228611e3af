//! The gRPC services of a member: they pass each request to the member, and stream what it answers.

mod auth;
mod cluster;
mod contest;
mod election;
mod health;
mod kv;
mod lease;
mod lock;
mod maintenance;
mod watch;

use std::sync::Arc;

use etcd_proto::etcdserverpb::auth_server::AuthServer;
use etcd_proto::etcdserverpb::cluster_server::ClusterServer;
use etcd_proto::etcdserverpb::kv_server::KvServer;
use etcd_proto::etcdserverpb::lease_server::LeaseServer;
use etcd_proto::etcdserverpb::maintenance_server::MaintenanceServer;
use etcd_proto::etcdserverpb::watch_server::WatchServer;
use etcd_proto::grpc_health_v1::health_server::HealthServer;
use etcd_proto::v3electionpb::election_server::ElectionServer;
use etcd_proto::v3lockpb::lock_server::LockServer;
use prost::Message;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::call::Call;
use crate::member::{Caller, Member};
use crate::shared::Shared;

/// The largest message that etcd accepts, in bytes: 1.5 MiB for a request, and 512 KiB for its overhead.
const MAX_MESSAGE: usize = 1_572_864 + 512 * 1024;

/// The implementation of every service.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    shared: Arc<Shared>,
}

impl Services {
    /// Returns the routes of all services.
    pub(crate) fn routes(shared: Arc<Shared>) -> Routes {
        let services = Self { shared };
        // The limits of tonic have other texts than those of etcd: `check_size` has these.
        Routes::new(KvServer::new(services.clone()).max_decoding_message_size(usize::MAX))
            .add_service(WatchServer::new(services.clone()).max_decoding_message_size(usize::MAX))
            .add_service(LeaseServer::new(services.clone()).max_decoding_message_size(usize::MAX))
            .add_service(AuthServer::new(services.clone()).max_decoding_message_size(usize::MAX))
            .add_service(ClusterServer::new(services.clone()))
            .add_service(MaintenanceServer::new(services.clone()))
            .add_service(LockServer::new(services.clone()))
            .add_service(ElectionServer::new(services.clone()))
            .add_service(HealthServer::new(services))
    }

    /// Returns the sender and the content of a request, which is kept for inspection.
    fn open<T: Clone + Into<Call>>(&self, request: Request<T>) -> (Caller, T) {
        let caller = caller(&request);
        let request = request.into_inner();
        self.shared.record(request.clone().into());
        (caller, request)
    }

    /// Executes a unary call.
    fn unary<T: Message + Clone + Into<Call>, R, E: Into<Status>>(
        &self,
        request: Request<T>,
        operate: impl FnOnce(&mut Member, &Caller, &T) -> Result<R, E>,
    ) -> Result<Response<R>, Status> {
        let caller = caller(&request);
        let request = request.into_inner();
        check_size(&request)?;
        self.shared.record(request.clone().into());
        let response = self.shared.with(|member| operate(member, &caller, &request));
        response.map(Response::new).map_err(Into::into)
    }
}

/// Rejects a message that is too large, like Go's gRPC.
fn check_size(message: &impl Message) -> Result<(), Status> {
    let size = message.encoded_len();
    if size > MAX_MESSAGE {
        let text = format!("grpc: received message larger than max ({size} vs. {MAX_MESSAGE})");
        return Err(Status::resource_exhausted(text));
    }
    Ok(())
}

/// Returns the sender of `request`.
fn caller<T>(request: &Request<T>) -> Caller {
    let metadata = request.metadata();
    let token = metadata.get("token").or_else(|| metadata.get("authorization"));
    let token = token.and_then(|token| token.to_str().ok());
    Caller { token: token.map(|token| token.strip_prefix("Bearer ").unwrap_or(token).to_owned()) }
}
