//! A unary call: attempts on ready connections until an answer, a definite end or the deadline.

use std::time::Duration;

use bytes::Bytes;
use etcd_errors::Error;
use tokio::time::timeout_at;

use super::{
    attempt, channel::Channel, connection::InFlight, failure::Failure, method::Method, progress::Progress,
};
use crate::{
    mechanism::{
        grpc::frame,
        retry::{Class, Observation},
    },
    service::CallOptions,
};

/// What is known of a call before it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) class: Class,
    pub(crate) options: &'a CallOptions,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, options: &'a CallOptions) -> Self {
        Self { method, class: method.class(), options }
    }
}

impl Channel {
    /// Sends `request` and reads the answer with `convert`, within one deadline that covers connecting, every attempt, every
    /// wait and the decoding.
    ///
    /// Cancel safe in that nothing leaks; a write dropped in flight may or may not be applied.
    pub(crate) async fn unary<Resp, T>(
        &self,
        call: Call<'_>,
        request: &impl prost::Message,
        convert: impl FnOnce(Resp) -> Result<T, Error>,
    ) -> Result<T, Error>
    where
        Resp: prost::Message + Default,
    {
        let mut progress = Progress::start(self, call)?;
        let (flight, answer) = self.unary_bytes(&mut progress, &|| frame::encode(request)).await?;
        let answer = Resp::decode(answer).map_err(|error| Failure::decode(&error).into_error());
        answer.and_then(convert).map_err(|error| {
            progress.record(
                &flight.connection,
                &Failure::new(Observation::Malformed, error.message().to_owned()),
            );
            progress.fail(self, error)
        })
    }

    /// Each attempt encodes anew: keeping a copy of the frame would cost every call what only a resend needs.
    async fn unary_bytes(
        &self,
        progress: &mut Progress<'_>,
        encode: &(dyn Fn() -> Bytes + Sync),
    ) -> Result<(InFlight, Bytes), Error> {
        loop {
            let flight = progress.connection(self).await?;
            let headers = progress.headers(self);
            let attempt =
                attempt::unary(&flight, progress.call.method, headers, encode(), self.max_receive_bytes());
            let result = match progress.deadline {
                Some(deadline) => {
                    timeout_at(deadline, attempt).await.unwrap_or_else(|_| Err(deadline_passed()))
                }
                None => attempt.await,
            };
            let failure = match result {
                Ok(answer) => return Ok((flight, answer)),
                Err(failure) => failure,
            };
            progress.record(&flight.connection, &failure);
            drop(flight);
            progress.next(self, failure).await?;
        }
    }
}

pub(crate) fn deadline_passed() -> Failure {
    Failure::new(Observation::DeadlinePassed, "no answer before the deadline")
}

/// A duration as a person says it.
pub(crate) fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}
