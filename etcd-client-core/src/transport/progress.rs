//! One call under way: its deadline, the attempts so far, and whether there is another.

use std::time::Duration;

use etcd_errors::{Attempt, Error, ErrorKind, Outcome};
use http::HeaderMap;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    call::{Call, seconds},
    channel::{Channel, check_runtime},
    connection::{Connection, InFlight},
    failure::Failure,
    headers::TimeoutHeader,
    pool::Pool,
};
use crate::mechanism::{
    backoff::Backoff,
    retry::{self, Decision, Observation, Untried},
};

/// The attempts an error lists at most: the first ones and the last; what lies between is left out.
const LISTED_ATTEMPTS: usize = 32;

/// The time that a resend gets at least, or an eighth of the call's where that is less: with less left the call says how it
/// failed, not that a last try was cut off.
const LEAST_TIME: Duration = Duration::from_millis(100);

/// One call under way: its deadline and what happened to it so far.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    pub(crate) call: Call<'a>,
    started: Instant,
    attempt_started: Instant,
    pub(crate) deadline: Option<Instant>,
    attempts: Vec<Attempt>,
    failures: u32,
    /// The members tried, the last one at the end.
    tried: Vec<usize>,
    outcome: Outcome,
}

impl<'a> Progress<'a> {
    pub(crate) fn start(channel: &Channel, call: Call<'a>) -> Result<Self, Error> {
        check_runtime()
            .and_then(|()| call.options.validate())
            .map_err(|error| error.with_operation(call.method.operation()))?;
        let started = Instant::now();
        let deadline = channel.time_limit(call).and_then(|timeout| started.checked_add(timeout));
        Ok(Self {
            call,
            started,
            attempt_started: started,
            deadline,
            attempts: Vec::new(),
            failures: 0,
            tried: Vec::new(),
            outcome: Outcome::NotApplied,
        })
    }

    /// A connection to try next: at once where one is ready, else as soon as one is.
    pub(crate) async fn connection(&mut self, channel: &Channel) -> Result<InFlight, Error> {
        let pool = channel.pool();
        if let Some(flight) = pool.try_acquire(self.avoided(pool.size())) {
            return Ok(flight);
        }
        let acquired = match self.deadline {
            Some(deadline) => timeout_at(deadline, pool.acquire(self.avoided(pool.size()))).await,
            None => Ok(pool.acquire(self.avoided(pool.size())).await),
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
    pub(crate) fn headers(&self, channel: &Channel) -> HeaderMap {
        channel.headers(self.call.options, self.timeout_header(channel))
    }

    /// The header block of a stream, whose deadline bounds each wait and not the whole.
    pub(crate) fn headers_without_timeout(&self, channel: &Channel) -> HeaderMap {
        channel.headers(self.call.options, TimeoutHeader::None)
    }

    fn timeout_header(&self, channel: &Channel) -> TimeoutHeader {
        match self.deadline {
            None => TimeoutHeader::None,
            Some(_) if self.is_first() && channel.is_default_timeout(self.call) => TimeoutHeader::Default,
            Some(deadline) => TimeoutHeader::Left(deadline.saturating_duration_since(Instant::now())),
        }
    }

    /// Whether no attempt has failed yet.
    pub(crate) fn is_first(&self) -> bool {
        self.failures == 0
    }

    pub(crate) fn record(&mut self, connection: &Connection, failure: &Failure) {
        self.failures = self.failures.saturating_add(1);
        if retry::outcome(self.call.class, failure.observation) == Outcome::Unknown {
            self.outcome = Outcome::Unknown;
        }
        self.tried.retain(|&member| member != connection.member);
        self.tried.push(connection.member);
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
        if retry::decide(self.call.class, failure.observation, self.untried(pool)) == Decision::GiveUp {
            return Err(self.fail(channel, failure.into_error()));
        }
        // The first resend on another member is free.
        if self.failures > 1 || pool.size() == 1 {
            let wait = Backoff::RESEND.wait(self.failures, fastrand::u64(..));
            let Some(wait) = self.fitting(wait) else { return Err(self.fail(channel, failure.into_error())) };
            tokio::select! {
                () = sleep(wait) => {}
                () = pool.shutdown() => return Err(self.fail(channel, failure.into_error())),
            }
        }
        self.attempt_started = Instant::now();
        Ok(())
    }

    /// The wait, cut so that the attempt after it has some time; `None` where too little is left for one.
    fn fitting(&self, wait: Duration) -> Option<Duration> {
        let Some(deadline) = self.deadline else { return Some(wait) };
        let least = LEAST_TIME.min((deadline - self.started) / 8);
        let left = deadline.saturating_duration_since(Instant::now());
        left.checked_sub(least).map(|spare| wait.min(spare))
    }

    /// The members to prefer others to: those tried, or the last of them once all were.
    fn avoided(&self, members: usize) -> &[usize] {
        if self.tried.len() < members {
            &self.tried
        } else {
            &self.tried[self.tried.len().saturating_sub(1)..]
        }
    }

    fn untried(&self, pool: &Pool) -> Untried {
        if pool.has_ready_besides(&self.tried) {
            Untried::Ready
        } else if self.tried.len() < pool.size() {
            Untried::Down
        } else {
            Untried::None
        }
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
