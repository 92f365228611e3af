//! Observation of an election: a stream from one member, opened by the first read.

use std::sync::Arc;

use etcd_errors::{Attempt, Error, ErrorKind, Outcome};
use etcd_proto::v3electionpb as pb;
use futures_util::stream::unfold;

use crate::{
    election::{ElectionLeaderResponse, LeaderStream, codec},
    request::CallOptions,
    transport::{
        call::unary::Call,
        caller::Caller,
        check_runtime,
        connection::{message_stream::MessageStream, verified::Connection},
        grpc::{
            failure::Failure,
            method::{Method, with_operation},
        },
        pool::closed,
        stub::service_caller::ServiceStream,
    },
};

const METHOD: Method = Method::Observe;

/// Returns the stream of leaders. A member sends no response head until the election has a leader, so opening the
/// stream is part of the first read.
pub(crate) fn leaders(caller: Caller, request: pb::LeaderRequest, options: CallOptions) -> LeaderStream {
    let observation = Observation { caller, request, options, messages: None };
    LeaderStream::new(unfold(Some(observation), |observation| async move {
        let mut observation = observation?;
        let leader = observation.next().await;
        let going_on = leader.is_ok().then_some(observation);
        Some((leader, going_on))
    }))
}

struct Observation {
    /// The caller that opened `messages`. Held so that the connection stays open.
    caller: Caller,
    request: pb::LeaderRequest,
    options: CallOptions,
    /// `None` until the stream is open.
    messages: Option<Messages>,
}

enum Messages {
    OfPool(MessageStream<pb::LeaderResponse>),
    OfService(ServiceStream<pb::LeaderResponse>),
}

impl Observation {
    async fn next(&mut self) -> Result<ElectionLeaderResponse, Error> {
        with_operation(METHOD, check_runtime())?;
        let messages = match self.messages.take() {
            Some(messages) => messages,
            None => open(&self.caller, &self.request, &self.options).await?,
        };
        let message = match self.messages.insert(messages) {
            Messages::OfPool(messages) => {
                received(messages).await.map_err(|failure| broken(failure, messages.connection()))?
            }
            Messages::OfService(messages) => messages.next().await?,
        };
        let message = message.ok_or_else(|| self.fail(ended()))?;
        let leader = self.checked(message);
        leader.map_err(|error| self.fail(error))
    }

    /// Converts a message after checking that its header belongs to this client's cluster.
    fn checked(&self, message: pb::LeaderResponse) -> Result<ElectionLeaderResponse, Error> {
        if let Some(header) = &message.header {
            let header_check = self.caller.channel().header_check(false);
            header_check.check_header(header, self.connection())?;
        }
        codec::leader_response(message, &self.request.name)
    }

    fn connection(&self) -> Option<&Connection> {
        match &self.messages {
            Some(Messages::OfPool(messages)) => Some(messages.connection()),
            Some(Messages::OfService(_)) | None => None,
        }
    }

    fn fail(&self, error: Error) -> Error {
        match self.connection() {
            Some(connection) => with_attempt(connection, error),
            None => error.with_operation(METHOD.operation()).with_outcome(Outcome::NotApplied),
        }
    }
}

async fn open(
    caller: &Caller,
    request: &pb::LeaderRequest,
    options: &CallOptions,
) -> Result<Messages, Error> {
    let call = Call::new(METHOD, options);
    Ok(match caller {
        Caller::Pool(channel) => Messages::OfPool(channel.server_stream(call, request).await?),
        Caller::Service(service) => Messages::OfService(service.server_stream(call, request).await?),
    })
}

/// Returns the next message, or a failure once the member starts draining the connection. An open stream would delay
/// the shutdown of such a member.
async fn received(
    messages: &mut MessageStream<pb::LeaderResponse>,
) -> Result<Option<pb::LeaderResponse>, Failure> {
    let connection = Arc::clone(messages.connection());
    tokio::select! {
        biased;
        message = messages.next(None) => message,
        () = connection.closing() => {
            Err(Failure::new(crate::transport::grpc::observation::Observation::Lost, "the member is draining this connection"))
        }
    }
}

/// Returns the error for a stream that ended with status OK. A member that cannot continue ends the stream like this
/// (`Observe` in etcd's `server/etcdserver/api/v3election/election.go`).
fn ended() -> Error {
    let text = "the member ended the stream without a reason: it is shutting down, or the user has no permission to read the election";
    Error::new(ErrorKind::Unavailable, text)
}

fn broken(failure: Failure, connection: &Connection) -> Error {
    let error = if connection.is_shut_down() { closed() } else { failure.into_error() };
    with_attempt(connection, error)
}

fn with_attempt(connection: &Connection, error: Error) -> Error {
    let attempt = Attempt::new(connection.endpoint(), error.message().to_owned()).with_sent(true);
    error.with_operation(METHOD.operation()).with_outcome(Outcome::NotApplied).with_attempts(vec![attempt])
}
