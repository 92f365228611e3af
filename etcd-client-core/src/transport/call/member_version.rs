//! TODO-HEADER transport::call::member_version

use std::time::Duration;

use etcd_errors::{Error, ErrorKind};
use etcd_proto::etcdserverpb as pb;
use futures_util::{StreamExt as _, stream};

use crate::{
    cluster::member_sync::ListedMember,
    request::CallOptions,
    transport::{
        call::{channel::Channel, unary::Call},
        grpc::method::Method,
    },
    types::{ClusterId, Endpoint, MemberId},
};

/// Returns the version that the member at `endpoint` reports.
pub(crate) async fn reported_version(channel: &Channel, endpoint: Endpoint) -> Result<String, Error> {
    let options = CallOptions::default().endpoint(endpoint);
    let read = |answer: pb::StatusResponse| Ok(answer.version);
    channel.unary(Call::new(Method::Status, &options), &pb::StatusRequest {}, read).await
}
