//! A unary call: attempts on ready connections until an answer, a definite end or the deadline.

use std::time::Duration;

use bytes::Bytes;
use etcd_errors::{Attempt, Error, ErrorKind, Outcome};
use http::HeaderMap;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    attempt::{self, Failure},
    channel::Channel,
    connection::{Connection, InFlight},
    headers::TimeoutHeader,
    method::Method,
};
use crate::{
    mechanism::{
        backoff::Backoff,
        grpc::frame,
        retry::{self, Class, Decision, Observation},
    },
    service::CallOptions,
};

/// The attempts an error lists at most; what lies between the first ones and the last is only counted.
const LISTED_ATTEMPTS: usize = 32;

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
            let headers = progress.headers(self)?;
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

/// One call under way: its deadline and what happened to it so far.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    pub(crate) call: Call<'a>,
    started: Instant,
    attempt_started: Instant,
    pub(crate) deadline: Option<Instant>,
    attempts: Vec<Attempt>,
    failures: u32,
    last_member: Option<usize>,
    outcome: Outcome,
}

impl<'a> Progress<'a> {
    pub(crate) fn start(channel: &Channel, call: Call<'a>) -> Result<Self, Error> {
        channel.check_runtime().map_err(|error| error.with_operation(call.method.operation()))?;
        let started = Instant::now();
        let deadline = channel.timeout(call.options).and_then(|timeout| started.checked_add(timeout));
        Ok(Self {
            call,
            started,
            attempt_started: started,
            deadline,
            attempts: Vec::new(),
            failures: 0,
            last_member: None,
            outcome: Outcome::NotApplied,
        })
    }

    /// A connection to try next: at once where one is ready, else as soon as one is.
    pub(crate) async fn connection(&mut self, channel: &Channel) -> Result<InFlight, Error> {
        let pool = channel.pool();
        if let Some(flight) = pool.try_acquire(self.last_member) {
            return Ok(flight);
        }
        let acquired = match self.deadline {
            Some(deadline) => timeout_at(deadline, pool.acquire(self.last_member)).await,
            None => Ok(pool.acquire(self.last_member).await),
        };
        match acquired {
            Ok(Ok(flight)) => Ok(flight),
            Ok(Err(error)) => Err(self.fail(channel, error)),
            Err(_elapsed) => {
                self.attempts.extend(pool.troubles());
                let waited = seconds(self.started.elapsed());
                let text = format!("no endpoint was ready within {waited}");
                Err(self.fail(channel, Error::new(ErrorKind::Unavailable, text)))
            }
        }
    }

    /// The header block of the next attempt.
    pub(crate) fn headers(&mut self, channel: &Channel) -> Result<HeaderMap, Error> {
        let timeout = self.timeout_header(channel);
        channel.headers(self.call.options, timeout).map_err(|error| self.fail(channel, error))
    }

    /// The header block of a stream, whose deadline bounds each wait and not the whole.
    pub(crate) fn headers_without_timeout(&mut self, channel: &Channel) -> Result<HeaderMap, Error> {
        channel.headers(self.call.options, TimeoutHeader::None).map_err(|error| self.fail(channel, error))
    }

    fn timeout_header(&self, channel: &Channel) -> TimeoutHeader {
        match self.deadline {
            None => TimeoutHeader::None,
            Some(_) if self.failures == 0 && channel.is_default_timeout(self.call.options) => {
                TimeoutHeader::Default
            }
            Some(deadline) => TimeoutHeader::Left(deadline.saturating_duration_since(Instant::now())),
        }
    }

    pub(crate) fn record(&mut self, connection: &Connection, failure: &Failure) {
        self.failures = self.failures.saturating_add(1);
        if retry::outcome(self.call.class, failure.observation) == Outcome::Unknown {
            self.outcome = Outcome::Unknown;
        }
        self.last_member = Some(connection.member);
        if self.attempts.len() == LISTED_ATTEMPTS {
            self.attempts.remove(LISTED_ATTEMPTS / 2);
        }
        let sent = failure.observation != Observation::NotSent;
        self.attempts.push(
            Attempt::new(&**connection.endpoint(), failure.text.to_string())
                .with_sent(sent)
                .with_elapsed(self.attempt_started.elapsed()),
        );
    }

    /// Waits for the next attempt, or ends the call.
    pub(crate) async fn next(&mut self, channel: &Channel, failure: Failure) -> Result<(), Error> {
        let pool = channel.pool();
        let untried = (self.failures as usize) < pool.size();
        if retry::decide(self.call.class, failure.observation, untried) == Decision::GiveUp {
            return Err(self.fail(channel, failure.into_error()));
        }
        // The first resend on another member is free.
        if self.failures > 1 || pool.size() == 1 {
            let wait = Backoff::RESEND.wait(self.failures, fastrand::u64(..));
            if self.deadline.is_some_and(|deadline| Instant::now() + wait >= deadline) {
                return Err(self.fail(channel, failure.into_error()));
            }
            tokio::select! {
                () = sleep(wait) => {}
                () = pool.shutdown() => return Err(self.fail(channel, failure.into_error())),
            }
        }
        self.attempt_started = Instant::now();
        Ok(())
    }

    /// Completes an error with what happened to the call. A closed client and an ended runtime explain every failure.
    pub(crate) fn fail(&mut self, channel: &Channel, error: Error) -> Error {
        let error = channel.pool().check_alive().err().unwrap_or(error);
        error
            .with_operation(self.call.method.operation())
            .with_outcome(self.outcome)
            .with_attempts(std::mem::take(&mut self.attempts))
            .with_elapsed(self.started.elapsed())
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
