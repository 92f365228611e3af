//! Unary calls: attempts on ready connections until a response, a permanent error or the deadline.

use std::{pin::pin, sync::atomic::AtomicBool};

use bytes::Bytes;
use etcd_errors::Error;
use etcd_proto::etcdserverpb as pb;

use crate::{
    request::{CallOptions, RetryPolicy, header::Answer},
    transport::{
        call::{attempt, call_state::CallState, channel::Channel},
        connection::verified::Permit,
        grpc::{
            failure::Failure,
            frame,
            method::Method,
            observation::{Class, Observation},
        },
    },
    types::Endpoint,
};

/// The properties of a call, known before it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) class: Class,
    /// `true` if the response must not be older than the revision seen when the call started.
    pub(crate) linearizable: bool,
    pub(crate) options: &'a CallOptions,
    /// The key of a single-key request.
    pub(crate) key: Option<&'a [u8]>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, options: &'a CallOptions) -> Self {
        let linearizable = matches!(
            method,
            Method::Range
                | Method::RangeStream
                | Method::Put
                | Method::DeleteRange
                | Method::Txn
                | Method::Compact
        );
        let class = allowed(options, method.class());
        Self { method, class, linearizable, options, key: None }
    }

    /// Sets the class from the request's content, for RPCs whose method alone does not determine it.
    pub(crate) fn of_class(self, class: Class) -> Self {
        Self { class: allowed(self.options, class), ..self }
    }

    /// Sets the key of the request, unless it is for a range.
    pub(crate) fn of_key(self, key: &'a [u8], range_end: &[u8]) -> Self {
        Self { key: range_end.is_empty().then_some(key), ..self }
    }

    /// Allows a response from a member that lags behind, if `serializable`.
    pub(crate) fn serializable_if(self, serializable: bool) -> Self {
        Self { linearizable: self.linearizable && !serializable, ..self }
    }
}

impl Channel {
    /// Sends `request` and converts the response with `convert`. One deadline covers connecting, all attempts, all
    /// waits and the decoding.
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
        CallState::check(call)?;
        let mut progress = CallState::new(self, call);
        let (permit, answer) = self.unary_bytes(&mut progress, &|| frame::encode(request)).await?;
        let answer = Resp::decode(answer).map_err(|error| Failure::decode(&error).into_error());
        let answer = answer.and_then(|answer| {
            let header = answer.header().cloned();
            // Converted first: a header is trusted only if the whole response is valid.
            let converted = convert(answer)?;
            if let Some(header) = header {
                self.check_header(&header, progress.min_revision(), &permit.connection)?;
            }
            Ok(converted)
        });
        if answer.is_ok() {
            progress.finished(&permit.connection);
        }
        answer.map_err(|error| {
            let failure = Failure::new(Observation::Malformed, error.message().to_owned());
            progress.record(self, &permit.connection, &failure);
            progress.fail(self, error)
        })
    }

    /// Runs the attempts of a call. Each attempt encodes the request again, because a copy of the frame would cost
    /// every call memory that only retries need.
    pub(crate) async fn unary_bytes(
        &self,
        progress: &mut CallState<'_>,
        encode: &(dyn Fn() -> Bytes + Sync),
    ) -> Result<(Permit, Bytes), Error> {
        loop {
            let permit = progress.connection(self).await?;
            let headers = progress.headers(self);
            let begun = AtomicBool::new(false);
            let limit = self.max_receive_bytes();
            let ended = {
                // Pinned in place, because passing a future by value copies it.
                let attempt =
                    pin!(attempt::unary(&permit, progress.call.method, headers, encode(), limit, &begun));
                progress.watchdog(self, &permit.connection, &begun).wait(attempt).await
            };
            let failure = match ended {
                Ok(answer) => {
                    progress.succeeded(self, &permit.connection);
                    progress.received(self, &permit.connection, answer.len());
                    return Ok((permit, answer));
                }
                Err(failure) => failure,
            };
            progress.record(self, &permit.connection, &failure);
            // Released before the wait for the next attempt, so that the slot serves other calls.
            drop(permit);
            // Boxed, like the other waits of a call, to keep the call's future small.
            Box::pin(progress.next(self, failure)).await?;
        }
    }
}

/// Returns the class of a call whose content is of class `own`, considering the retry policy set by the caller.
fn allowed(options: &CallOptions, own: Class) -> Class {
    match (options.retry, own) {
        (RetryPolicy::AssumeIdempotent, Class::Write | Class::Forwarded) => Class::Idempotent,
        _ => own,
    }
}

/// Returns the version that the member at `endpoint` reports.
pub(crate) async fn reported_version(channel: &Channel, endpoint: Endpoint) -> Result<String, Error> {
    let options = CallOptions::default().endpoint(endpoint);
    let read = |answer: pb::StatusResponse| Ok(answer.version);
    channel.unary(Call::new(Method::Status, &options), &pb::StatusRequest {}, read).await
}
