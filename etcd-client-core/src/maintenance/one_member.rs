//! Calls that are addressed to one member.

use etcd_errors::Error;

use crate::{
    request::{CallOptions, Timeout, answer::Answer},
    transport::{
        call::{channel::Channel, unary::Call},
        grpc::method::{DEFAULT_TIMEOUT, with_operation},
    },
    types::EndpointText,
};

/// Calls the member at `endpoint` and no other.
///
/// An RPC without a default deadline still fails after the client's usual timeout if the member is unreachable.
pub(crate) async fn unary<Resp, T>(
    channel: &Channel,
    endpoint: &EndpointText,
    call: Call<'_>,
    request: &impl prost::Message,
    convert: impl FnOnce(Resp) -> Result<T, Error>,
) -> Result<T, Error>
where
    Resp: Answer,
{
    let member = with_operation(call.method, channel.at(endpoint.as_str()))?;
    let work = async {
        if channel.time_limit(call).is_none() && call.options.timeout == Timeout::Default {
            let limit = channel.timeout(call.options).unwrap_or(DEFAULT_TIMEOUT);
            with_operation(call.method, member.wait_ready(limit).await)?;
        }
        // There is no other member to hedge to: naming the endpoint disables the attempt timeout.
        let options = member.pool().endpoints().into_iter().fold(call.options.clone(), CallOptions::endpoint);
        member.unary(Call { options: &options, ..call }, request, convert).await
    };
    tokio::pin!(work);
    tokio::select! {
        biased;
        answer = &mut work => return answer,
        () = channel.pool().shutdown() => member.pool().close(),
    }
    work.await
}
