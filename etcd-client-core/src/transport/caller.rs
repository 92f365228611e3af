//! The layer that services call: the client's own connections, or a user's service.

use etcd_errors::Error;

use crate::{
    request::header::Answer,
    transport::{
        call::{channel::Channel, unary::Call},
        stub::service_caller::ServiceCaller,
    },
};

/// The carrier of a client's calls.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// The client's own connections. Calls are retried where that is safe.
    Pool(Channel),
    /// A gRPC service of the user. Each call is one attempt.
    Service(ServiceCaller),
}

impl Caller {
    /// Returns the channel with the settings of the calls and the known history of the cluster.
    pub(crate) fn channel(&self) -> &Channel {
        match self {
            Self::Pool(channel) => channel,
            Self::Service(service) => service.channel(),
        }
    }

    /// Sends `request` and converts the response with `convert`, within one deadline.
    ///
    /// # Cancel safety
    ///
    /// Nothing leaks. The outcome of a write that is dropped in flight is unknown.
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
            // Boxed, so that the future of calls on the client's own connections is not larger for it.
            Self::Service(service) => Box::pin(service.unary(call, request, convert)).await,
        }
    }
}
