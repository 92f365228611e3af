//! The stub path: tonic-generated clients run on a [`Channel`].
//!
//! This is the only module with tonic's types in its public API.
//!
//! ```no_run
//! use etcd_client_core::Client;
//! use etcd_proto::etcdserverpb::{StatusRequest, maintenance_client::MaintenanceClient};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder(["http://10.0.0.1:2379", "http://10.0.0.2:2379"]).build()?;
//! let mut maintenance = MaintenanceClient::new(client.channel());
//! let status = maintenance.status(StatusRequest {}).await?.into_inner();
//! println!("etcd {}, {} bytes", status.version, status.db_size);
//! # Ok(())
//! # }
//! ```
//!
//! # Stubs
//!
//! - **Connections.** A call uses a ready connection, chosen like that of a typed call. Until one is ready, it waits
//!   for its own timeout (`Request::set_timeout`) or, without one, for the client's timeout. A stream has no deadline
//!   except its own timeout, which bounds the whole stream.
//! - **Retries.** A call is retried only while nothing of it has been sent.
//! - **Errors.** A transport error is a `Status` whose source is an [`Error`]. It names the RPC and the endpoint. The
//!   client does not know whether the RPC writes, so the outcome of every sent call is
//!   [`Unknown`](etcd_errors::Outcome::Unknown), unless the member reported that it did not process the call. A status
//!   that the member returned is passed on unchanged.
//! - **Headers.** Calls carry the headers of typed calls (user agent, API version), unless the call's metadata sets
//!   them.
//! - **Tokens.** Calls carry the client's token, unless their metadata contains `token` or `authorization`. Until
//!   there is a token, a call waits for it as it does for a connection. A call whose token is rejected fails with that
//!   status, because its messages are gone; the next call of any kind fetches a new token first.
//! - **Cancellation.** Dropping a call or a response stream cancels it on the server. Closing the client, or dropping
//!   its last handle, ends all of them.
//! - **Shutdown of a member.** Watches, keep-alives, health checks and other streams without an end fail with
//!   `Unavailable` when their member shuts down, because an open stream would delay its exit. Open them again to use
//!   another member.
//! - **Backpressure.** A connection buffers up to 64 MiB of unread data. A response stream that is not read can hold
//!   up to 8 MiB of it: read it, or drop it.

//!
//! # Middleware
//!
//! [`Client::with_service`](crate::client::Client::with_service) and [`Client::over_service`](crate::client::Client::over_service)
//! work in the opposite direction. They create clients whose typed calls go through any tower service that accepts the
//! requests of stubs: a [`Channel`] inside layers that add headers, count or limit, or a different transport.
//!
//! - A typed call is one request of the service, and is not retried above it. A [`Channel`] inside retries only while
//!   nothing has been sent; another service applies its own policy.
//! - The URI of a request is a path. The call's options are sent as headers, and its timeout as `grpc-timeout`. The
//!   call ends 100 ms after the timeout, so that a service with a more precise error can return it first. The same
//!   limit applies to a service that does not become ready.
//! - The service is cloned for each call, and polled for readiness before it.
//! - Errors have the same kinds, codes and outcomes as elsewhere. Errors of a [`Channel`] are passed on, and a status
//!   is interpreted as etcd's. The outcome of a write that may have been sent is unknown, unless the status rules out
//!   that it was applied.
//! - Keys, leases, users and roles go through the service, including streamed ranges. Calls that concern members
//!   (cluster, maintenance, snapshots) and the client's internal calls (finding the leader, tokens) use the client's
//!   own connections.
//! - A [`Channel`] adds the client's token. Any other service does not receive it.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod outgoing;
pub(crate) mod service;
pub(crate) mod service_answer;
pub(crate) mod service_caller;
pub(crate) mod stub_call;

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use etcd_errors::{Code, Error, ErrorKind, Outcome};
use h2::{RecvStream, SendStream, client::ResponseFuture};
use http::{Request, Response, request::Parts};
use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Status, body::Body};
use tower_service::Service;

pub use crate::transport::{call::channel::Channel, stub::body::ResponseBody};
use crate::{
    request::CallOptions,
    transport::{
        backoff::Backoff,
        call::authenticate,
        check_runtime,
        connection::verified::Permit,
        grpc::{
            failure::{Failure, deadline_passed},
            observation::Observation,
            status::{self, Head},
        },
        observe::trace,
        pool::selection::Selection,
        stub::{
            answer::NoAnswer,
            outgoing::takes_token,
            stub_call::{Kind, StubCall},
        },
        token::{Carried, rejection::recovery},
    },
};

/// The maximum number of attempts to send a request. A connection that just closed can be picked until its driver has
/// run; a request that h2 rejects is rejected every time, so the number is bounded.
const UNSENT_TRIES: u32 = 8;

/// A request whose head has been sent, and its connection.
type Sent = (Permit, ResponseFuture, SendStream<Bytes>, Carried);

impl Service<Request<Body>> for Channel {
    type Response = Response<ResponseBody>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, Status>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let channel = self.clone();
        Box::pin(async move { channel.stub_call(request).await })
    }
}

impl Channel {
    async fn stub_call(&self, request: Request<Body>) -> Result<Response<ResponseBody>, Status> {
        let (head, body) = request.into_parts();
        let call = StubCall::start(&head.uri);
        check_runtime().map_err(|error| call.unsent(&error))?;
        let limit = outgoing::timeout(&head.headers);
        let deadline = limit.and_then(|limit| call.started().checked_add(limit));
        self.stub_token(&call, &head, deadline).await.map_err(|error| call.unsent(&error))?;
        let (permit, response, send, carried) = self.send_head(&call, &head, deadline).await?;
        let answer = answer::receive(response, send, body);
        let answer = match deadline {
            Some(deadline) => {
                timeout_at(deadline, answer).await.unwrap_or_else(|_| Err(deadline_passed().into()))
            }
            None => answer.await,
        };
        match answer {
            Ok((response, unsent_rest)) => {
                permit.connection.load.answered();
                self.learn_rejection(&head, &response, carried);
                Ok(response.map(|recv| ResponseBody::new(call, permit, recv, unsent_rest, deadline)))
            }
            Err(NoAnswer::Failed(failure)) => Err(self.stub_failure(&call, &permit, failure)),
            Err(NoAnswer::Request(status)) => Err(status),
        }
    }

    async fn send_head(
        &self,
        call: &StubCall,
        head: &Parts,
        deadline: Option<Instant>,
    ) -> Result<Sent, Status> {
        let mut avoid = Vec::new();
        let mut tries = 0;
        loop {
            tries += 1;
            let acquired = self.stub_connection(call, &avoid, deadline).await;
            let permit = acquired.map_err(|error| call.unsent(&error))?;
            let (request, carried) = outgoing::request(self, &permit.connection, head);
            let error = match permit.connection.sender().send_request(request, false) {
                Ok((response, send)) => return Ok((permit, response, send, carried)),
                Err(error) => Failure::not_sent(&error),
            };
            // The connection may have been lost between `acquire` and here. Nothing was sent, so retrying is safe
            // even for a write.
            if tries == UNSENT_TRIES || self.pool().check_alive().is_err() {
                return Err(self.stub_failure(call, &permit, error));
            }
            trace::unsent(&error.text);
            avoid = vec![permit.connection.member.id];
            if tries == 1 {
                // The pool removes the connection once its driver task has run.
                tokio::task::yield_now().await;
            } else {
                sleep(Backoff::RETRY.wait(tries - 1, fastrand::u64(..))).await;
            }
        }
    }

    async fn stub_connection(
        &self,
        call: &StubCall,
        avoid: &[usize],
        deadline: Option<Instant>,
    ) -> Result<Permit, Error> {
        let pool = self.pool();
        let selection = Selection { tried: avoid, ..Selection::any(pool.now()) };
        let acquired = async {
            match call.kind() {
                Kind::Unary => pool.acquire(&selection).await,
                Kind::Waiting => pool.acquire_waiting(&selection).await,
                Kind::Stream | Kind::EndlessStream => pool.acquire_stream(&selection).await,
            }
        };
        let Some(deadline) = self.send_deadline(call, deadline) else { return acquired.await };
        timeout_at(deadline, acquired).await.unwrap_or_else(|_elapsed| {
            Err(pool.unready(call.started().elapsed()).with_attempts(pool.last_errors()))
        })
    }

    /// Returns the time until which a call waits before it is sent: its own deadline, else the client's timeout.
    fn send_deadline(&self, call: &StubCall, deadline: Option<Instant>) -> Option<Instant> {
        deadline.or_else(|| call.started().checked_add(self.timeout(&CallOptions::default())?))
    }

    /// Returns the status of a failed call. If the client is closed or its runtime has shut down, that is the reported
    /// cause.
    fn stub_failure(&self, call: &StubCall, permit: &Permit, failure: Failure) -> Status {
        call.failed(permit, failure, self.pool().check_alive().err())
    }

    /// Waits for the first token if the call needs one, as long as it would wait for a connection.
    async fn stub_token(
        &self,
        call: &StubCall,
        head: &Parts,
        deadline: Option<Instant>,
    ) -> Result<(), Error> {
        if !self.tokens().is_missing() || !takes_token(head) {
            return Ok(());
        }
        let renewal = authenticate::renew(self, Carried::default());
        match self.send_deadline(call, deadline) {
            None => renewal.await,
            Some(deadline) => timeout_at(deadline, renewal)
                .await
                .unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "no auth token before the deadline"))),
        }
    }

    /// Makes the next call fetch a new token, if this response rejects the token of the call.
    fn learn_rejection(&self, head: &Parts, response: &Response<RecvStream>, carried: Carried) {
        // Only a response without messages (trailers-only) has its status in the headers. A later status is
        // not inspected: the token was accepted when the stream began.
        let ended = response.body().is_end_stream();
        let Head::Ended(Err(status)) = status::head(response.status(), response.headers(), ended) else {
            return;
        };
        let observation =
            Observation::Rejected(Code::parse(status.code, &status.message), Outcome::NotApplied);
        let rejected = recovery(self.tokens().kind(), observation, carried.had_token(), 1).is_some();
        if rejected && takes_token(head) {
            self.tokens().reject(carried);
        }
    }
}
