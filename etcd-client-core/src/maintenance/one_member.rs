//! Calls that are addressed to one member.

use etcd_errors::Error;

use crate::{
    request::{CallOptions, Timeout, header::Answer},
    transport::{
        call::{
            channel::{Channel, invalid_endpoint},
            unary::Call,
        },
        grpc::method::{DEFAULT_TIMEOUT, with_operation},
    },
    types::Endpoint,
};

/// Converts the endpoint of a request. An invalid one is an error of the request, not of the configuration.
pub(crate) fn parsed(endpoint: impl TryInto<Endpoint, Error: Into<Error>>) -> Result<Endpoint, Error> {
    endpoint.try_into().map_err(|error| invalid_endpoint(&error.into()))
}

/// Calls the member at `endpoint` and no other.
///
/// An RPC without a default deadline still fails after the client's usual timeout if the member is unreachable.
pub(crate) async fn unary<Resp, T>(
    channel: &Channel,
    endpoint: Result<Endpoint, Error>,
    call: Call<'_>,
    request: &impl prost::Message,
    convert: impl FnOnce(Resp) -> Result<T, Error>,
) -> Result<T, Error>
where
    Resp: Answer,
{
    let member = with_operation(call.method, endpoint.and_then(|endpoint| channel.at(endpoint)))?;
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

#[cfg(test)]
mod tests {
    use etcd_errors::ErrorKind;

    use crate::maintenance::Status;

    #[test]
    fn invalid_endpoint_is_an_error_of_the_request() {
        let error = Status::new("http://").endpoint.expect_err("no host");
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("endpoint")), "{error}");
    }

    #[test]
    fn debug_hides_password() {
        let shown = format!("{:?}", Status::new("http://user:canary@host:1"));
        assert!(shown.contains("..@host:1") && !shown.contains("canary"), "{shown}");
    }
}
