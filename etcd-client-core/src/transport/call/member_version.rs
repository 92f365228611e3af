//! The server version that a member reports.

use etcd_errors::Error;
use etcd_proto::etcdserverpb as pb;

use crate::{
    request::CallOptions,
    transport::{
        call::{channel::Channel, unary::Call},
        grpc::method::Method,
    },
    types::Endpoint,
};

/// Returns the version that the member at `endpoint` reports.
pub(crate) async fn reported_version(channel: &Channel, endpoint: Endpoint) -> Result<String, Error> {
    let options = CallOptions::default().endpoint(endpoint);
    let read = |answer: pb::StatusResponse| Ok(answer.version);
    channel.unary(Call::new(Method::Status, &options), &pb::StatusRequest {}, read).await
}
