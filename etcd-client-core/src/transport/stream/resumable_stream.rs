//! Streams that are re-opened as long as their user needs one. Decides on the next member, the token and the backoff.

use std::{ops::Range, sync::Arc, time::Duration};

use etcd_errors::{Code, Error};
use tokio::time::Instant;

use crate::{
    request::CallOptions,
    transport::{
        backoff::Backoff,
        balance::{
            Preference,
            ejection::{CallQuality, usefulness},
            member_health::Scope,
        },
        call::{
            authenticate,
            channel::{Channel, WeakChannel},
        },
        connection::verified::Connection,
        grpc::{failure::Failure, headers::TimeoutHeader, method::Method, observation::Observation},
        pool::{Pool, closed, selection::Selection},
        stream::duplex::Duplex,
        token::{
            Carried, Tokens,
            of_call::TokenOfCall,
            rejection::{self, Recovery},
            renewal::is_transient,
        },
    },
};

/// The lifetime after which a stream counts as successful, even if it delivered nothing.
const STEADY: Duration = Duration::from_secs(5);

/// Opens one stream after another, without keeping the client open.
#[derive(Debug)]
pub(crate) struct ResumableStream {
    channel: WeakChannel,
    pool: Arc<Pool>,
    tokens: Arc<Tokens>,
    method: Method,
    options: CallOptions,
    max_receive: usize,
    /// The member on which the last stream was lost.
    tried: Vec<usize>,
    /// The connection on which the last stream was lost.
    shunned: Vec<usize>,
    /// The number of consecutive unsuccessful streams.
    failures: u32,
    token: TokenOfCall,
    recovery: Option<Recovery>,
    opened: Instant,
}

impl ResumableStream {
    /// `options` apply to each of the streams, including the endpoint if one is set.
    pub(crate) fn new(channel: &Channel, method: Method, options: CallOptions) -> Self {
        Self {
            channel: channel.weak(),
            pool: Arc::clone(channel.pool()),
            tokens: Arc::clone(channel.tokens()),
            method,
            options,
            max_receive: channel.max_receive_bytes(),
            tried: Vec::new(),
            shunned: Vec::new(),
            failures: 0,
            token: TokenOfCall::default(),
            recovery: None,
            opened: Instant::now(),
        }
    }

    /// Opens the next stream: immediately after the first failure, after a backoff later. Returns an error only if no
    /// further stream can be opened, or if the credentials were rejected.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn open<Resp: prost::Message + Default>(&mut self) -> Result<Opened<Resp>, Error> {
        if self.failures > 1 {
            tokio::time::sleep(Backoff::RETRY.wait(self.failures - 1, fastrand::u64(..))).await;
        }
        self.authenticated().await?;
        let preference = self.options.endpoint.as_ref().map_or(Preference::Any, Preference::Only);
        let selection = Selection {
            tried: &self.tried,
            shunned: &self.shunned,
            preference,
            ..Selection::any(self.pool.now())
        };
        let permit = self.pool.acquire_stream(&selection).await?;
        permit.connection.member.picked(Scope::Quorum, self.pool.now());
        let connection = Arc::clone(&permit.connection);
        let headers = self.token.headers(&self.tokens, &self.options, TimeoutHeader::None);
        self.opened = Instant::now();
        Ok(match Duplex::open(permit, self.method, headers, self.max_receive) {
            Ok(stream) => Opened::Stream(stream),
            Err(failure) => Opened::Failed(connection, failure),
        })
    }

    /// Records that the member responded on the stream.
    pub(crate) fn answered(&mut self, connection: &Connection) {
        self.tried.clear();
        self.shunned.clear();
        self.token = self.token.restarted();
        connection.member.record(Scope::Quorum, CallQuality::Good, self.took());
    }

    /// Returns the time range since the stream was opened.
    fn took(&self) -> Range<u64> {
        self.pool.at(self.opened)..self.pool.now()
    }

    /// Records that no member may be used at the moment, so that the next stream waits.
    pub(crate) fn rejected(&mut self) {
        // Two, because `open` does not wait after a single failure.
        self.failures = self.failures.saturating_add(2);
    }

    /// Records that the stream served its purpose, so that the next failure counts as the first.
    pub(crate) fn worked(&mut self) {
        self.failures = 0;
    }

    /// Records that the stream was lost. The next one uses another member, and fetches a new token if that was the
    /// reason.
    pub(crate) fn lost(&mut self, connection: &Connection, failure: &Failure) {
        let end = usefulness(failure.observation, self.opened.elapsed());
        connection.member.record(Scope::Quorum, end, self.took());
        // Only the last member. Avoiding all that ever failed would leave none after an outage.
        self.tried = vec![connection.member.id];
        // After an error of the member or the end of the connection, other connections to it remain good.
        let unresponsive = matches!(failure.observation, Observation::Malformed | Observation::Abandoned);
        self.shunned = unresponsive.then_some(connection.id).into_iter().collect();
        let lasted = self.opened.elapsed() >= STEADY;
        self.failures = if lasted { 1 } else { self.failures.saturating_add(1) };
        self.recovery = self.token.recovery(&self.tokens, failure.observation);
    }

    /// Returns `true` if a new token may help against a rejection with this code on an open stream.
    pub(crate) fn can_renew(&self, code: Code) -> bool {
        let rejected = Observation::Rejected(code, code.outcome());
        self.token.recovery(&self.tokens, rejected).is_some()
            || (code == Code::PermissionDenied
                && self.tokens.kind() == rejection::Credentials::Renewable
                && self.token.carried().had_token())
    }

    /// Returns the token of the open stream.
    pub(crate) fn carried(&self) -> Carried {
        self.token.carried()
    }

    /// Makes the next stream fetch a new token, unless there is a newer one than `rejected`.
    pub(crate) fn renew_first(&self, rejected: Carried) {
        self.tokens.reject(rejected);
    }

    /// Fetches a missing or rejected token. A rejection of the credentials is final; temporary errors are retried.
    async fn authenticated(&mut self) -> Result<(), Error> {
        let rejected = match self.recovery {
            Some(Recovery::Renew) => Some(self.token.carried()),
            Some(Recovery::Retry) | None => None,
        };
        if self.recovery.is_some() {
            let wait = self.token.count_rejection();
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
        }
        let mut failures = 0;
        while rejected.is_some() || self.tokens.is_missing() {
            // Upgraded per iteration: the client must be able to close while this waits between renewals.
            let channel = self.channel.upgrade().ok_or_else(closed)?;
            let Err(error) = authenticate::renew(&channel, rejected.unwrap_or_default()).await else { break };
            // Dropped before the wait, so that the client can close in the meantime.
            drop(channel);
            if self.pool.check_alive().is_err() || !is_transient(&error) {
                return Err(self.pool.check_alive().err().unwrap_or(error));
            }
            failures += 1;
            // A lower bound, because the jitter may draw zero, and a renewal that fails immediately would
            // cause a busy loop.
            let least = Duration::from_millis(10);
            tokio::time::sleep(Backoff::RETRY.wait(failures, fastrand::u64(..)).max(least)).await;
        }
        self.recovery = None;
        Ok(())
    }
}

/// The result of opening a stream.
#[derive(Debug)]
pub(crate) enum Opened<Resp> {
    Stream(Duplex<Resp>),
    /// The connection did not accept the stream.
    Failed(Arc<Connection>, Failure),
}
