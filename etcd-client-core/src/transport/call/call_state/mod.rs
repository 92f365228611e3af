//! The state of one call: its deadline, its attempts, and the decision about the next one.

pub(crate) mod tokens;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use etcd_errors::{Attempt, Error, ErrorKind, Outcome};
use http::HeaderMap;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{
    request::CallOptions,
    transport::{
        backoff::Backoff,
        balance::{
            ejection::{CallQuality, usefulness},
            large::LARGE,
            member_health::Scope,
        },
        call::{
            attempt_timeout::{AttemptWatchdog, PoolPaths},
            channel::Channel,
            observed_call::ObservedCall,
            retry::{self, Decision, Untried},
            unary::Call,
        },
        check_runtime,
        connection::{
            member::Member,
            verified::{Connection, Permit, micros},
        },
        grpc::{
            failure::Failure,
            headers::TimeoutHeader,
            method::DEFAULT_TIMEOUT,
            observation::{Class, Observation},
        },
        pool::{Pool, selection::Selection},
        token::of_call::TokenOfCall,
    },
};

/// The maximum number of attempts that an error lists: the first ones and the last. Those between are omitted.
const LISTED_ATTEMPTS: usize = 32;

/// The minimum time for a retry: this, or an eighth of the call's timeout if that is shorter. With less time left, the
/// call returns the error of the last attempt instead of the timeout of an attempt that cannot succeed.
const LEAST_TIME: Duration = Duration::from_millis(100);

/// The share of a read's timeout after which the read is hedged on another member.
const HEDGE_SHARE: f64 = 0.4;

/// The minimum wait before a hedge. Otherwise a short timeout would send every read of a slow cluster to two members.
const MIN_HEDGE_DELAY: Duration = Duration::from_millis(500);

/// The maximum wait before a hedge. It keeps the promise of a response within 3 s while one member works, for any
/// timeout. For a read without a timeout it doubles with each attempt, so that a read which is slow on every member
/// completes.
const MAX_HEDGE_DELAY: Duration = Duration::from_secs(2);

/// The state of one call: its deadline and its attempts.
#[derive(Debug)]
pub(crate) struct CallState<'a> {
    pub(crate) call: Call<'a>,
    started: Instant,
    attempt_started: Instant,
    pub(crate) deadline: Option<Instant>,
    attempts: Vec<Attempt>,
    failures: u32,
    /// The number of failures after which the call was retried without backoff.
    free_retries: u32,
    /// The members on which the call failed, the last one at the end.
    tried: Vec<usize>,
    outcome: Outcome,
    /// The number of attempts abandoned without a response.
    abandoned: u32,
    /// The members on which a read was abandoned.
    abandoned_on: Vec<Arc<Member>>,
    /// Set once an attempt was abandoned on a connection from which no data arrived during it.
    no_data: bool,
    /// The minimum revision of a linearizable response.
    min_revision: i64,
    token: TokenOfCall,
    observed: ObservedCall,
}

impl<'a> CallState<'a> {
    pub(crate) fn start(channel: &Channel, call: Call<'a>) -> Result<Self, Error> {
        Self::check(call)?;
        Ok(Self::new(channel, call))
    }

    /// Rejects a call that is invalid or outside a runtime.
    pub(crate) fn check(call: Call<'_>) -> Result<(), Error> {
        check_runtime()
            .and_then(|()| call.options.validate())
            .map_err(|error| error.with_operation(call.method.operation()))
    }

    /// Creates the state of a [checked](Self::check) call. Separate from the check, so that the state is not copied
    /// out of a `Result`.
    pub(crate) fn new(channel: &Channel, call: Call<'a>) -> Self {
        let started = Instant::now();
        let deadline = channel.time_limit(call).and_then(|timeout| started.checked_add(timeout));
        Self {
            call,
            started,
            attempt_started: started,
            deadline,
            attempts: Vec::new(),
            failures: 0,
            free_retries: 0,
            tried: Vec::new(),
            outcome: Outcome::NotApplied,
            abandoned: 0,
            abandoned_on: Vec::new(),
            no_data: false,
            min_revision: 0,
            token: TokenOfCall::default(),
            observed: ObservedCall::start(channel, &call, started),
        }
    }

    /// Returns a connection for the next attempt, waiting for one if none is ready. A call that needs a token waits
    /// for it first.
    ///
    /// The waits are boxed, because a call's future is copied when it is boxed, and most calls wait only for their
    /// response.
    pub(crate) async fn connection(&mut self, channel: &Channel) -> Result<Permit, Error> {
        self.check_time(channel)?;
        if self.lacks_token(channel) {
            Box::pin(self.first_token(channel)).await?;
        }
        self.check_endpoint(channel)?;
        let selection = self.selection(channel);
        let pool = channel.pool();
        let permit = if self.call.method.waits_for_others() {
            let waited = Box::pin(self.until_connected(channel, pool.acquire_waiting(&selection))).await;
            self.acquired(channel, waited)?
        } else if let Some(permit) = pool.try_acquire(&selection) {
            permit
        } else {
            let waited = Box::pin(self.until_connected(channel, pool.acquire(&selection))).await;
            self.acquired(channel, waited)?
        };
        self.attempt_begins(&permit);
        Ok(permit)
    }

    /// Like [`connection`](Self::connection), for streams.
    pub(crate) async fn stream_connection(&mut self, channel: &Channel) -> Result<Permit, Error> {
        self.check_time(channel)?;
        if self.lacks_token(channel) {
            self.first_token(channel).await?;
        }
        self.check_endpoint(channel)?;
        let selection = self.selection(channel);
        let pool = channel.pool();
        let waited = self.until_connected(channel, pool.acquire_stream(&selection)).await;
        let permit = self.acquired(channel, waited)?;
        self.attempt_begins(&permit);
        Ok(permit)
    }

    /// Fails a call whose deadline has passed. If a write were sent now, its outcome would be unknown for no benefit.
    fn check_time(&mut self, channel: &Channel) -> Result<(), Error> {
        if self.deadline.is_none_or(|deadline| self.attempt_started < deadline) {
            return Ok(());
        }
        let text = "the deadline had passed before anything was sent";
        Err(self.fail(channel, Error::new(ErrorKind::Timeout, text)))
    }

    /// Returns the connection, or the error that lists the reason of each endpoint.
    fn acquired(
        &mut self,
        channel: &Channel,
        waited: Option<Result<Permit, Error>>,
    ) -> Result<Permit, Error> {
        waited.unwrap_or_else(|| Err(channel.pool().unready(self.started.elapsed()))).map_err(|error| {
            self.attempts.extend(channel.pool().last_errors());
            self.fail(channel, error)
        })
    }

    /// Rejects a call for an endpoint that is not configured.
    fn check_endpoint(&mut self, channel: &Channel) -> Result<(), Error> {
        match self.call.options.endpoint.as_ref() {
            Some(endpoint) if !channel.pool().has(endpoint) => {
                let complaint = format!("endpoint {endpoint} is not configured on this client");
                Err(self.fail(channel, Error::invalid_request("endpoint", complaint)))
            }
            _ => Ok(()),
        }
    }

    fn selection(&self, channel: &Channel) -> Selection<'_> {
        let pool = channel.pool();
        let preference = channel.preference(&self.call);
        Selection {
            tried: self.avoided(pool.size()),
            shunned: &[],
            preference,
            scope: self.scope(),
            proven_since: self.proof(pool).unwrap_or(0),
            write: self.call.class != Class::Read,
            now: pool.at(self.attempt_started),
        }
    }

    fn scope(&self) -> Scope {
        let local = self.call.class == Class::Read && !self.call.linearizable;
        if local { Scope::Member } else { Scope::Quorum }
    }

    /// Waits until the deadline. A call without a deadline that is for a single endpoint waits for a default time,
    /// since the endpoint may never return.
    async fn until_connected<T>(&self, channel: &Channel, work: impl Future<Output = T>) -> Option<T> {
        let pinned = self.call.options.endpoint.as_ref().is_some();
        if self.deadline.is_some() || !pinned {
            return self.until_deadline(work).await;
        }
        let limit = channel.timeout(&CallOptions::default()).unwrap_or(DEFAULT_TIMEOUT);
        timeout(limit, work).await.ok()
    }

    async fn until_deadline<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self.deadline {
            Some(deadline) => timeout_at(deadline, work).await.ok(),
            None => Some(work.await),
        }
    }

    fn attempt_begins(&mut self, permit: &Permit) {
        if self.call.linearizable {
            self.min_revision = permit.connection.history.min_revision();
        }
    }

    /// Returns the minimum revision of the response, for a linearizable call.
    pub(crate) fn min_revision(&self) -> Option<i64> {
        self.call.linearizable.then_some(self.min_revision)
    }

    /// Returns the conditions that end the wait for this attempt's response.
    pub(crate) fn watchdog<'b>(
        &self,
        channel: &'b Channel,
        connection: &'b Connection,
        begun: &'b AtomicBool,
    ) -> AttemptWatchdog<'b, PoolPaths<'b>> {
        let options = self.call.options;
        let repeatable = self.call.class.is_repeatable() && !options.never_retried();
        let pinned = options.endpoint.as_ref().is_some();
        let another = repeatable && self.abandoned > 0 && self.has_untried_besides(channel, connection);
        AttemptWatchdog {
            paths: PoolPaths { pool: channel.pool(), connection },
            started: self.attempt_started,
            deadline: self.deadline,
            hedge_at: if repeatable && !self.call.method.waits_for_others() {
                self.hedge_at(another)
            } else {
                None
            },
            proof: self.proof(channel.pool()),
            repeatable,
            pinned,
            begun,
        }
    }

    /// Returns the time since which a connection must have received data to be considered proven, once an attempt got
    /// no data. One millisecond is added, because data in the starting millisecond may belong to an earlier call.
    fn proof(&self, pool: &Pool) -> Option<u64> {
        self.no_data.then(|| pool.at(self.started) + 1)
    }

    /// Returns `true` if a member is ready on which this call has not been tried.
    fn has_untried_besides(&self, channel: &Channel, connection: &Connection) -> bool {
        let mut met = self.tried.clone();
        met.push(connection.member.id);
        channel.pool().has_ready_besides(&met)
    }

    /// Returns the time at which to hedge although the member responds to PINGs: a member cut off from its peers does,
    /// but serves no linearizable read. With a deadline, each member is tried at most once, so that a call which is
    /// slow everywhere gets the remaining time.
    fn hedge_at(&self, another: bool) -> Option<Instant> {
        let wait = match self.deadline {
            Some(deadline) if self.abandoned == 0 || another => {
                (deadline - self.attempt_started).mul_f64(HEDGE_SHARE).clamp(MIN_HEDGE_DELAY, MAX_HEDGE_DELAY)
            }
            Some(_) => return None,
            None => MAX_HEDGE_DELAY.saturating_mul(1 << self.abandoned.min(10)),
        };
        self.attempt_started.checked_add(wait)
    }

    /// Records that the attempt succeeded.
    pub(crate) fn succeeded(&self, channel: &Channel, connection: &Connection) {
        let pool = channel.pool();
        let answered = Instant::now();
        let (now, began) = (pool.at(answered), pool.at(self.attempt_started));
        let member = &connection.member;
        connection.load.answered();
        member.answered(now);
        if !self.call.method.waits_for_others() {
            member.latency.record(micros(answered - self.attempt_started), now);
        }
        member.record(self.scope(), CallQuality::Good, began..began);
    }

    /// Records the size of the response. The members on which the call was abandoned may be unable to send it.
    pub(crate) fn received(&mut self, channel: &Channel, connection: &Connection, size: usize) {
        if size < LARGE {
            return;
        }
        let pool = channel.pool();
        connection.member.large.came(size, pool.at(self.attempt_started));
        for member in self.abandoned_on.drain(..).filter(|member| member.id != connection.member.id) {
            member.large.missed(size, pool.now());
        }
    }

    /// Reports the call as successful: it has its response, or its stream is open.
    pub(crate) fn finished(&mut self, connection: &Connection) {
        connection.load.answered();
        self.observed.succeeded(connection.endpoint(), self.attempt_started);
    }

    /// Returns the header block of the next attempt.
    pub(crate) fn headers(&mut self, channel: &Channel) -> HeaderMap {
        self.headers_with_token(channel, self.timeout_header(channel))
    }

    /// Returns the header block of a stream. Its deadline bounds each wait instead of the whole stream, so no timeout
    /// is sent.
    pub(crate) fn headers_without_timeout(&mut self, channel: &Channel) -> HeaderMap {
        self.headers_with_token(channel, TimeoutHeader::None)
    }

    fn timeout_header(&self, channel: &Channel) -> TimeoutHeader {
        match self.deadline {
            None => TimeoutHeader::None,
            Some(_) if self.is_first() && channel.is_default_timeout(self.call) => TimeoutHeader::Default,
            Some(deadline) => TimeoutHeader::Left(deadline.saturating_duration_since(Instant::now())),
        }
    }

    /// Returns `true` if no attempt has failed yet.
    pub(crate) fn is_first(&self) -> bool {
        self.failures == 0
    }

    pub(crate) fn record(&mut self, channel: &Channel, connection: &Connection, failure: &Failure) {
        let member = &connection.member;
        let elapsed = self.attempt_started.elapsed();
        // Blocking RPCs (Lock, Campaign, Observe) say nothing about a member's latency.
        let owed = if self.call.method.waits_for_others() { Duration::ZERO } else { elapsed };
        let took = channel.pool().at(self.attempt_started)..channel.pool().now();
        member.record(self.scope(), usefulness(failure.observation, owed), took.clone());
        self.failures = self.failures.saturating_add(1);
        if failure.observation == Observation::Abandoned {
            self.abandoned += 1;
            self.abandoned_on.push(Arc::clone(member));
            // The connection was silent during the whole attempt: later attempts prefer connections that have
            // received data since.
            self.no_data |= !connection.has_received_since(took.start + 1);
        }
        // Sticky: a later attempt that definitely was not applied does not undo an earlier one that may have
        // been.
        if retry::outcome(self.call.class, failure.observation) == Outcome::Unknown {
            self.outcome = Outcome::Unknown;
        }
        // Moved to the end: once every member was tried, only the last one is avoided.
        self.tried.retain(|&tried| tried != member.id);
        self.tried.push(member.id);
        if self.attempts.len() == LISTED_ATTEMPTS {
            self.attempts.remove(LISTED_ATTEMPTS / 2);
        }
        self.attempts.push(failure.attempt(connection.endpoint()).with_elapsed(elapsed));
        self.observed.attempt_failed();
    }

    /// Waits until the next attempt may start, or ends the call.
    pub(crate) async fn next(&mut self, channel: &Channel, failure: Failure) -> Result<(), Error> {
        if let Some(recovery) = self.recovery(channel, &failure) {
            return self.apply(channel, recovery, failure).await;
        }
        let pool = channel.pool();
        let decision = retry::decide(self.call.class, failure.observation, self.untried(pool));
        let free = failure.is_free_to_retry();
        let error = failure.into_error();
        if decision == Decision::GiveUp || self.call.options.never_retried() {
            return Err(self.fail(channel, error));
        }
        let failures = self.failures - self.free_retries;
        if free {
            self.free_retries += 1;
            // Yields, because the tasks that replace the connection may run on this thread.
            tokio::task::yield_now().await;
        } else if failures > 1 || pool.size() == 1 {
            // The first retry on another member needs no backoff.
            let wait = Backoff::RETRY.wait(failures, fastrand::u64(..)).max(channel.take_retry());
            let Some(wait) = self.fitting(wait) else { return Err(self.fail(channel, error)) };
            // Reported before the wait, so that an observer sees the retry while the call is backing off.
            self.observed.report_attempt(self.attempts.last(), &error, true);
            // The wait can be long when the retry budget is exhausted, so it also ends when the client is closed.
            tokio::select! {
                () = sleep(wait) => {}
                () = pool.shutdown() => return Err(self.fail(channel, error)),
            }
        }
        self.observed.report_attempt(self.attempts.last(), &error, true);
        self.attempt_started = Instant::now();
        Ok(())
    }

    /// Shortens the wait so that the following attempt has enough time. Returns `None` if too little time is left for
    /// one.
    fn fitting(&self, wait: Duration) -> Option<Duration> {
        let Some(deadline) = self.deadline else { return Some(wait) };
        // An eighth for calls with very short timeouts, for which the fixed minimum would rule out any
        // retry.
        let least = LEAST_TIME.min((deadline - self.started) / 8);
        let left = deadline.saturating_duration_since(Instant::now());
        left.checked_sub(least).filter(|spare| !spare.is_zero()).map(|spare| wait.min(spare))
    }

    /// Returns the members that the next attempt avoids: all that were tried or, once all were, only the last one.
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

    /// Completes an error with the call's attempts and outcome. If the client is closed or its runtime has shut down,
    /// that is the reported cause.
    pub(crate) fn fail(&mut self, channel: &Channel, error: Error) -> Error {
        self.observed.report_attempt(self.attempts.last(), &error, false);
        let error = channel.pool().check_alive().err().unwrap_or(error);
        let error = self
            .blamed(error)
            .with_operation(self.call.method.operation())
            .with_outcome(self.outcome)
            .with_attempts(std::mem::take(&mut self.attempts))
            .with_elapsed(self.started.elapsed());
        self.ended(&error);
        error
    }

    /// Adds the reason of an earlier attempt to a plain timeout, which itself does not explain anything.
    fn blamed(&self, error: Error) -> Error {
        let is_bare = error.kind() == ErrorKind::Timeout && error.code().is_none();
        let before =
            self.attempts.iter().rev().map(Attempt::reason).find(|reason| *reason != error.message());
        match before {
            Some(before) if is_bare => {
                Error::new(ErrorKind::Timeout, format!("{}; before that: {before}", error.message()))
            }
            _ => error,
        }
    }

    /// Reports the end of the call with a complete error.
    pub(crate) fn ended(&mut self, error: &Error) {
        self.observed.failed(error.attempts().last().map(Attempt::endpoint), error);
    }
}
