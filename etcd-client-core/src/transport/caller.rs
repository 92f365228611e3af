//! The seam that the services of a cluster call on: the client's own connections, or a service of its user's.

use etcd_errors::Error;

use super::{call::Call, channel::Channel, tonic::ServiceCaller};
use crate::wire::Answer;

/// What carries the calls of a client.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// The client's own connections: calls are sent again where that is safe.
    Pool(Channel),
    /// A service that takes gRPC requests: one attempt.
    Service(ServiceCaller),
}

impl Caller {
    /// The settings of the calls, and what is known of the cluster.
    pub(crate) fn channel(&self) -> &Channel {
        match self {
            Self::Pool(channel) => channel,
            Self::Service(service) => service.channel(),
        }
    }

    /// Sends `request` and reads the answer with `convert`, within one deadline.
    ///
    /// Cancel safe in that nothing leaks; a write dropped in flight may or may not be applied.
    pub(crate) async fn unary<Resp, T>(
        &self,
        call: Call<'_>,
        request: &impl prost::Message,
        convert: impl FnOnce(Resp) -> Result<T, Error>,
    ) -> Result<T, Error>
    where
        Resp: Answer,
    {
        match self {
            Self::Pool(channel) => channel.unary(call, request, convert).await,
            // Boxed, so that calls on the client's own connections are no larger for it.
            Self::Service(service) => Box::pin(service.unary(call, request, convert)).await,
        }
    }
}
