//! Typed calls through a user's service: one attempt each, with the client's deadlines, limits and errors.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use etcd_errors::Error;
use http::{HeaderName, Method, Request, Uri, Version};
use http_body::Body as HttpBody;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};
use tonic::body::Body;
use tower_service::Service;
use tracing::Instrument as _;

use crate::{
    request::header::Answer,
    transport::{
        call::{channel::Channel, observed_call::ObservedCall, unary::Call},
        check_runtime,
        connect::BoxError,
        grpc::{
            failure::{Failure, deadline_passed},
            frame,
            headers::TimeoutHeader,
            method::Method as Rpc,
            observation::{Class, Observation},
            timeout,
        },
        stub::{
            service::{Erased, GrpcService, OneFrame},
            service_answer::{CallFailure, Messages},
        },
    },
};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The extra time for a service that receives the deadline. Such a service knows the state of the request and can
/// return a more precise error than the client's own timeout.
const GRACE: Duration = Duration::from_millis(100);

/// Sends typed calls through a service. The channel provides the settings and the known history of the cluster.
#[derive(Clone)]
pub(crate) struct ServiceCaller {
    channel: Channel,
    service: Arc<dyn GrpcService>,
}

impl ServiceCaller {
    pub(crate) fn new<S, B>(channel: Channel, service: S) -> Self
    where
        S: Service<Request<Body>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self { channel, service: Arc::new(Erased(service)) }
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Like [`Channel::unary`], with one attempt.
    pub(crate) async fn unary<Resp, T>(
        &self,
        call: Call<'_>,
        request: &impl prost::Message,
        convert: impl FnOnce(Resp) -> Result<T, Error>,
    ) -> Result<T, Error>
    where
        Resp: Answer,
    {
        let mut open = OpenCall::start(self, call)?;
        let history = self.channel.history();
        let min_revision = call.linearizable.then(|| history.min_revision());
        let left = open.deadline.map(|deadline| deadline.saturating_duration_since(open.started));
        // As on the client's own connections, the request stream of a renewal stays open until its response:
        // etcd's gRPC proxy drops a renewal whose request stream has ended (etcd issue 9751).
        let (hold, held) = match call.method {
            Rpc::LeaseKeepAlive => Some(oneshot::channel()).unzip(),
            _ => (None, None),
        };
        let request = self.request(&call, request, left, held);
        let answer = async { self.send(&open, request).await?.only(hold).await };
        let answer = open.within(open.deadline.map(|deadline| deadline + GRACE), answer).await;
        let answer = answer.and_then(|answer: Resp| {
            let header = answer.header().cloned();
            let converted = convert(answer).map_err(CallFailure::Answer)?;
            if let Some(header) = header {
                self.channel.admit(&header, &history, min_revision).map_err(CallFailure::Answer)?;
            }
            Ok(converted)
        });
        open.end(answer)
    }

    /// Like [`Channel::server_stream`], with one attempt. The call's timeout bounds the wait for each message.
    pub(crate) async fn server_stream<Resp>(
        &self,
        call: Call<'_>,
        request: &impl prost::Message,
    ) -> Result<ServiceStream<Resp>, Error>
    where
        Resp: prost::Message + Default,
    {
        let mut open = OpenCall::start(self, call)?;
        let request = self.request(&call, request, None, None);
        let messages = open.within(open.deadline, self.send(&open, request)).await;
        let messages = open.end(messages)?;
        let timeout = self.channel.time_limit(call);
        Ok(ServiceStream {
            channel: self.channel.clone(),
            class: call.class,
            timeout,
            messages,
            call: call.method.operation(),
        })
    }

    async fn send<Resp: prost::Message + Default>(
        &self,
        open: &OpenCall<'_>,
        request: Request<Body>,
    ) -> Result<Messages<Resp>, CallFailure> {
        let span = open.observed.span();
        let response = span.in_scope(|| self.service.call(request)).instrument(span.clone());
        Messages::new(response.await.map_err(CallFailure::Service)?, self.channel.max_receive_bytes())
    }

    fn request(
        &self,
        call: &Call<'_>,
        message: &impl prost::Message,
        left: Option<Duration>,
        held: Option<oneshot::Receiver<()>>,
    ) -> Request<Body> {
        let body = OneFrame { frame: Some(frame::encode(message)), held };
        let mut request = Request::new(Body::new(body));
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = Uri::from(call.method.path());
        *request.headers_mut() = self.channel.headers(call.options, TimeoutHeader::None);
        if let Some(left) = left {
            request.headers_mut().insert(GRPC_TIMEOUT, timeout::header(left));
        }
        request
    }
}

impl fmt::Debug for ServiceCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceCaller").finish_non_exhaustive()
    }
}

/// A call in progress.
struct OpenCall<'a> {
    channel: &'a Channel,
    call: Call<'a>,
    started: Instant,
    deadline: Option<Instant>,
    observed: ObservedCall,
}

impl<'a> OpenCall<'a> {
    fn start(caller: &'a ServiceCaller, call: Call<'a>) -> Result<Self, Error> {
        let channel = &caller.channel;
        check_runtime()
            .and_then(|()| call.options.validate())
            .and_then(|()| channel.pool().check_alive())
            .map_err(|error| error.with_operation(call.method.operation()))?;
        let started = Instant::now();
        let deadline = channel.time_limit(call).and_then(|limit| started.checked_add(limit));
        let observed = ObservedCall::start(channel, &call, started);
        Ok(Self { channel, call, started, deadline, observed })
    }

    /// Waits for `work` until the deadline or until the client is closed.
    async fn within<T>(
        &self,
        deadline: Option<Instant>,
        work: impl Future<Output = Result<T, CallFailure>>,
    ) -> Result<T, CallFailure> {
        within(self.channel, deadline, work).await
    }

    fn end<T>(&mut self, result: Result<T, CallFailure>) -> Result<T, Error> {
        let result = result.map_err(|failure| {
            complete(failure, self.call.class, self.channel, self.call.method.operation())
                .with_elapsed(self.started.elapsed())
        });
        self.observed.through_service(result.as_ref().err());
        result
    }
}

/// Completes an error. If the client is closed or its runtime has shut down, that is the reported cause.
fn complete(failure: CallFailure, class: Class, channel: &Channel, operation: &'static str) -> Error {
    let error = failure.into_error(class);
    let outcome = error.outcome();
    let error = match channel.pool().check_alive() {
        Err(cause) => cause.with_outcome(outcome),
        Ok(()) => error,
    };
    error.with_operation(operation)
}

async fn within<T>(
    channel: &Channel,
    deadline: Option<Instant>,
    work: impl Future<Output = Result<T, CallFailure>>,
) -> Result<T, CallFailure> {
    let timed = async {
        match deadline {
            Some(deadline) => {
                timeout_at(deadline, work).await.unwrap_or_else(|_| Err(deadline_passed().into()))
            }
            None => work.await,
        }
    };
    tokio::select! {
        // A closed client takes precedence over a response that arrives at the same time, as on its own
        // connections.
        biased;
        () = channel.pool().shutdown() => Err(closed_meanwhile()),
        result = timed => result,
    }
}

fn closed_meanwhile() -> CallFailure {
    Failure::new(Observation::Lost, "the client was closed").into()
}

/// The messages of a stream through a service.
pub(crate) struct ServiceStream<Resp> {
    channel: Channel,
    class: Class,
    timeout: Option<Duration>,
    messages: Messages<Resp>,
    call: &'static str,
}

impl<Resp: prost::Message + Default> ServiceStream<Resp> {
    /// Returns the next message, or `None` after the last one of a successful call. The call's timeout bounds the
    /// wait.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Resp>, Error> {
        check_runtime().map_err(|error| error.with_operation(self.call))?;
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let next = within(&self.channel, deadline, self.messages.next()).await;
        next.map_err(|failure| complete(failure, self.class, &self.channel, self.call))
    }
}
