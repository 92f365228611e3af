//! One call under way: its deadline, the attempts so far, and whether there is another.

mod tokens;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use etcd_errors::{Attempt, Error, ErrorKind, Outcome};
use http::HeaderMap;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    call::Call,
    channel::{Channel, check_runtime},
    connection::{Connection, InFlight, micros},
    failure::Failure,
    headers::TimeoutHeader,
    large::LARGE,
    member::Member,
    method::DEFAULT_TIMEOUT,
    observe::ObservedCall,
    pool::Pool,
    record::Need,
    token::TokenOfCall,
    wait::Lookout,
    wish::Wish,
};
use crate::{
    mechanism::{
        backoff::Backoff,
        ejection::{Use, usefulness},
        retry::{self, Decision, Observation, Untried},
    },
    service::CallOptions,
};

/// The attempts an error lists at most: the first ones and the last; what lies between is left out.
const LISTED_ATTEMPTS: usize = 32;

/// The time that a resend gets at least, or an eighth of the call's where that is less: with less left the call says how it
/// failed, not that a last try was cut off.
const LEAST_TIME: Duration = Duration::from_millis(100);

/// The share of a read's time after which it asks another member.
const PATIENCE: f64 = 0.4;

/// A short deadline is no reason to ask two members for every read of a slow cluster.
const LEAST_PATIENCE: Duration = Duration::from_millis(500);

/// The most that a read waits before it asks another member, whatever its deadline: an answer within 3 s is promised while a
/// member works. A read without a deadline waits twice as long each time, so that one which takes long everywhere ends.
const MOST_PATIENCE: Duration = Duration::from_secs(2);

/// One call under way: its deadline and what happened to it so far.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    pub(crate) call: Call<'a>,
    started: Instant,
    attempt_started: Instant,
    pub(crate) deadline: Option<Instant>,
    attempts: Vec<Attempt>,
    failures: u32,
    /// Those of the failures after which the call was retried at once.
    free_retries: u32,
    /// The members tried, the last one at the end.
    tried: Vec<usize>,
    outcome: Outcome,
    /// Attempts given up for silence.
    abandoned: u32,
    /// The members that a read was given up on.
    given_up: Vec<Arc<Member>>,
    /// Whether an attempt was given up on a connection from which nothing was heard meanwhile.
    met_silence: bool,
    /// What a linearizable answer has to show at least.
    floor: i64,
    token: TokenOfCall,
    observed: ObservedCall,
}

impl<'a> Progress<'a> {
    pub(crate) fn start(channel: &Channel, call: Call<'a>) -> Result<Self, Error> {
        Self::check(call)?;
        Ok(Self::new(channel, call))
    }

    /// Refuses a call that cannot be made at all.
    pub(crate) fn check(call: Call<'_>) -> Result<(), Error> {
        check_runtime()
            .and_then(|()| call.options.validate())
            .map_err(|error| error.with_operation(call.method.operation()))
    }

    /// A call that was [checked](Self::check): apart from that, so that it is not copied out of a result.
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
            given_up: Vec::new(),
            met_silence: false,
            floor: 0,
            token: TokenOfCall::default(),
            observed: ObservedCall::start(channel, &call, started),
        }
    }

    /// A connection to try next: at once where one is ready, else as soon as one is. Who needs a token and has none gets it
    /// first.
    ///
    /// The waits are boxed: the future of a call is copied when it is boxed, and most calls wait for nothing but their answer.
    pub(crate) async fn connection(&mut self, channel: &Channel) -> Result<InFlight, Error> {
        self.check_time(channel)?;
        if self.lacks_token(channel) {
            Box::pin(self.first_token(channel)).await?;
        }
        self.check_endpoint(channel)?;
        let wish = self.wish(channel);
        let pool = channel.pool();
        let flight = if self.call.method.waits_for_others() {
            let waited = Box::pin(self.until_connected(channel, pool.acquire_waiting(&wish))).await;
            self.acquired(channel, waited)?
        } else if let Some(flight) = pool.try_acquire(&wish) {
            flight
        } else {
            let waited = Box::pin(self.until_connected(channel, pool.acquire(&wish))).await;
            self.acquired(channel, waited)?
        };
        self.attempt_begins(&flight);
        Ok(flight)
    }

    /// As [`connection`](Self::connection), one for streams.
    pub(crate) async fn stream_connection(&mut self, channel: &Channel) -> Result<InFlight, Error> {
        self.check_time(channel)?;
        if self.lacks_token(channel) {
            self.first_token(channel).await?;
        }
        self.check_endpoint(channel)?;
        let wish = self.wish(channel);
        let pool = channel.pool();
        let waited = self.until_connected(channel, pool.acquire_stream(&wish)).await;
        let flight = self.acquired(channel, waited)?;
        self.attempt_begins(&flight);
        Ok(flight)
    }

    /// Ends a call that had no time from the start: sent all the same, a write would be in doubt for nothing.
    fn check_time(&mut self, channel: &Channel) -> Result<(), Error> {
        if self.deadline.is_none_or(|deadline| self.attempt_started < deadline) {
            return Ok(());
        }
        let text = "the deadline had passed before anything was sent";
        Err(self.fail(channel, Error::new(ErrorKind::Timeout, text)))
    }

    /// What a wait for a connection gave, or why each endpoint had none.
    fn acquired(
        &mut self,
        channel: &Channel,
        waited: Option<Result<InFlight, Error>>,
    ) -> Result<InFlight, Error> {
        waited.unwrap_or_else(|| Err(channel.pool().unready(self.started.elapsed()))).map_err(|error| {
            self.attempts.extend(channel.pool().troubles());
            self.fail(channel, error)
        })
    }

    /// Refuses a call that is for an endpoint of somebody else.
    fn check_endpoint(&mut self, channel: &Channel) -> Result<(), Error> {
        match self.call.options.chosen_endpoint() {
            Some(endpoint) if !channel.pool().has(endpoint) => {
                let complaint = format!("endpoint {endpoint} is none of this client's");
                Err(self.fail(channel, Error::invalid_request("endpoint", complaint)))
            }
            _ => Ok(()),
        }
    }

    fn wish(&self, channel: &Channel) -> Wish<'_> {
        let pool = channel.pool();
        let preference = channel.preference(&self.call);
        Wish {
            tried: self.avoided(pool.size()),
            shunned: &[],
            preference,
            need: self.need(),
            proven_since: self.proof(pool).unwrap_or(0),
            write: self.call.class != retry::Class::Read,
            now: pool.at(self.attempt_started),
        }
    }

    fn need(&self) -> Need {
        let local = self.call.class == retry::Class::Read && !self.call.linearizable;
        if local { Need::Member } else { Need::Quorum }
    }

    /// A call without a deadline still does not wait for ever for the one endpoint that it is for.
    async fn until_connected<T>(&self, channel: &Channel, work: impl Future<Output = T>) -> Option<T> {
        let pinned = self.call.options.chosen_endpoint().is_some();
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

    fn attempt_begins(&mut self, flight: &InFlight) {
        if self.call.linearizable {
            self.floor = flight.connection.history.floor();
        }
    }

    /// What an answer has to show at least, where that matters.
    pub(crate) fn floor(&self) -> Option<i64> {
        self.call.linearizable.then_some(self.floor)
    }

    /// What ends the wait for the answer of this attempt.
    pub(crate) fn lookout<'b>(
        &self,
        channel: &'b Channel,
        connection: &'b Connection,
        begun: &'b AtomicBool,
    ) -> Lookout<'b> {
        let options = self.call.options;
        let repeatable = self.call.class.is_repeatable() && !options.never_resent();
        let pinned = options.chosen_endpoint().is_some();
        let another = repeatable && self.abandoned > 0 && self.has_untried_besides(channel, connection);
        Lookout {
            pool: channel.pool(),
            connection,
            started: self.attempt_started,
            deadline: self.deadline,
            patience: if repeatable && !self.call.method.waits_for_others() {
                self.patience(another)
            } else {
                None
            },
            proof: self.proof(channel.pool()),
            repeatable,
            pinned,
            begun,
        }
    }

    /// Since when a connection must have been heard from to be proven, once an attempt met silence. What was heard in the
    /// millisecond of the start may have been an answer to an earlier call.
    fn proof(&self, pool: &Pool) -> Option<u64> {
        self.met_silence.then(|| pool.at(self.started) + 1)
    }

    /// Whether a member is ready that this call has not met.
    fn has_untried_besides(&self, channel: &Channel, connection: &Connection) -> bool {
        let mut met = self.tried.clone();
        met.push(connection.member.id);
        channel.pool().has_ready_besides(&met)
    }

    /// When to ask another member although this one lives: a member that is cut off from the others answers PINGs, but no
    /// linearizable read. With a deadline at most once for each member, so that what takes long everywhere gets the rest of the time.
    fn patience(&self, another: bool) -> Option<Instant> {
        let wait = match self.deadline {
            Some(deadline) if self.abandoned == 0 || another => {
                (deadline - self.attempt_started).mul_f64(PATIENCE).clamp(LEAST_PATIENCE, MOST_PATIENCE)
            }
            Some(_) => return None,
            None => MOST_PATIENCE.saturating_mul(1 << self.abandoned.min(10)),
        };
        self.attempt_started.checked_add(wait)
    }

    /// The attempt was answered.
    pub(crate) fn succeeded(&self, channel: &Channel, connection: &Connection) {
        let pool = channel.pool();
        let answered = Instant::now();
        let (now, began) = (pool.at(answered), pool.at(self.attempt_started));
        let member = &connection.member;
        connection.gauge.answered();
        member.answered(now);
        if !self.call.method.waits_for_others() {
            member.latency.record(micros(answered - self.attempt_started), now);
        }
        member.judge(self.need(), Use::Good, began..began);
    }

    /// The answer has this size, which the members that the call was given up on may be unable to send.
    pub(crate) fn received(&mut self, channel: &Channel, connection: &Connection, size: usize) {
        if size < LARGE {
            return;
        }
        let pool = channel.pool();
        connection.member.large.came(size, pool.at(self.attempt_started));
        for member in self.given_up.drain(..).filter(|member| member.id != connection.member.id) {
            member.large.missed(size, pool.now());
        }
    }

    /// The call has its answer, or its stream.
    pub(crate) fn finished(&mut self, connection: &Connection) {
        connection.gauge.answered();
        self.observed.succeeded(connection.endpoint(), self.attempt_started);
    }

    /// The header block of the next attempt.
    pub(crate) fn headers(&mut self, channel: &Channel) -> HeaderMap {
        self.headers_with_token(channel, self.timeout_header(channel))
    }

    /// The header block of a stream, whose deadline bounds each wait and not the whole.
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

    /// Whether no attempt has failed yet.
    pub(crate) fn is_first(&self) -> bool {
        self.failures == 0
    }

    pub(crate) fn record(&mut self, channel: &Channel, connection: &Connection, failure: &Failure) {
        let member = &connection.member;
        let elapsed = self.attempt_started.elapsed();
        // Who waits for others learns nothing of the member by how long it took.
        let owed = if self.call.method.waits_for_others() { Duration::ZERO } else { elapsed };
        let took = channel.pool().at(self.attempt_started)..channel.pool().now();
        member.judge(self.need(), usefulness(failure.observation, owed), took.clone());
        self.failures = self.failures.saturating_add(1);
        if failure.observation == Observation::Abandoned {
            self.abandoned += 1;
            self.given_up.push(Arc::clone(member));
            self.met_silence |= !connection.is_heard_since(took.start + 1);
        }
        if retry::outcome(self.call.class, failure.observation) == Outcome::Unknown {
            self.outcome = Outcome::Unknown;
        }
        self.tried.retain(|&tried| tried != member.id);
        self.tried.push(member.id);
        if self.attempts.len() == LISTED_ATTEMPTS {
            self.attempts.remove(LISTED_ATTEMPTS / 2);
        }
        let sent = failure.observation != Observation::NotSent;
        self.attempts.push(
            Attempt::new(connection.endpoint(), failure.text.to_string())
                .with_sent(sent)
                .with_elapsed(elapsed),
        );
        self.observed.attempt_failed();
    }

    /// Waits for the next attempt, or ends the call.
    pub(crate) async fn next(&mut self, channel: &Channel, failure: Failure) -> Result<(), Error> {
        if let Some(remedy) = self.remedy(channel, &failure) {
            return self.apply(channel, remedy, failure).await;
        }
        let pool = channel.pool();
        let decision = retry::decide(self.call.class, failure.observation, self.untried(pool));
        let free = failure.is_free_to_retry();
        let error = failure.into_error();
        if decision == Decision::GiveUp || self.call.options.never_resent() {
            return Err(self.fail(channel, error));
        }
        let failures = self.failures - self.free_retries;
        if free {
            self.free_retries += 1;
            // The tasks that replace the connection may share this thread.
            tokio::task::yield_now().await;
        } else if failures > 1 || pool.size() == 1 {
            // The first resend on another member is free.
            let wait = Backoff::RESEND.wait(failures, fastrand::u64(..)).max(channel.take_resend());
            let Some(wait) = self.fitting(wait) else { return Err(self.fail(channel, error)) };
            self.observed.attempt_judged(self.attempts.last(), &error, true);
            tokio::select! {
                () = sleep(wait) => {}
                () = pool.shutdown() => return Err(self.fail(channel, error)),
            }
        }
        self.observed.attempt_judged(self.attempts.last(), &error, true);
        self.attempt_started = Instant::now();
        Ok(())
    }

    /// The wait, cut so that the attempt after it has some time; `None` where too little is left for one.
    fn fitting(&self, wait: Duration) -> Option<Duration> {
        let Some(deadline) = self.deadline else { return Some(wait) };
        let least = LEAST_TIME.min((deadline - self.started) / 8);
        let left = deadline.saturating_duration_since(Instant::now());
        left.checked_sub(least).filter(|spare| !spare.is_zero()).map(|spare| wait.min(spare))
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
        self.observed.attempt_judged(self.attempts.last(), &error, false);
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

    /// A deadline that passed says nothing of why: an earlier attempt may have failed for a better reason.
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

    /// The call ended with an error that is complete.
    pub(crate) fn ended(&mut self, error: &Error) {
        self.observed.failed(error.attempts().last().map(Attempt::endpoint), error);
    }
}
