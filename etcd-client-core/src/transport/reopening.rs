//! Streams that are opened again and again, for as long as their user wants one: on which member next, with which token, and
//! how long to wait before.

use std::{
    ops::Range,
    sync::{Arc, Weak},
    time::Duration,
};

use etcd_errors::{Code, Error};
use tokio::time::Instant;

use super::{
    channel::{Channel, Shared},
    connection::Connection,
    duplex::Duplex,
    failure::Failure,
    headers::TimeoutHeader,
    method::Method,
    pool::{Pool, closed},
    record::Need,
    token::{Carried, TokenOfCall, Tokens, is_transient},
    wish::{Preference, Wish},
};
use crate::{
    mechanism::{
        backoff::Backoff,
        ejection::{Use, usefulness},
        rejection::{self, Remedy},
        retry::Observation,
    },
    service::CallOptions,
};

/// A stream that lasted so long was of use, though it brought nothing.
const STEADY: Duration = Duration::from_secs(5);

/// A channel that does not keep its client open.
#[derive(Clone, Debug)]
pub(crate) struct WeakChannel(Weak<Shared>);

impl WeakChannel {
    /// The channel, unless the client is gone.
    pub(crate) fn upgrade(&self) -> Option<Channel> {
        Channel::upgrade(&self.0)
    }
}

impl Channel {
    pub(crate) fn weak(&self) -> WeakChannel {
        WeakChannel(self.downgrade())
    }
}

/// Opens one stream after the other. It does not keep the client open.
#[derive(Debug)]
pub(crate) struct Reopening {
    channel: WeakChannel,
    pool: Arc<Pool>,
    tokens: Arc<Tokens>,
    method: Method,
    options: CallOptions,
    max_receive: usize,
    /// The member that the last stream was lost on.
    tried: Vec<usize>,
    /// The connection that the last stream was lost on.
    shunned: Vec<usize>,
    /// Streams in a row that were of no use.
    failures: u32,
    token: TokenOfCall,
    remedy: Option<Remedy>,
    opened: Instant,
}

impl Reopening {
    /// `options` say what each of the streams carries, and which endpoint it is for where it is for one.
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
            remedy: None,
            opened: Instant::now(),
        }
    }

    /// The next stream: at once after the first failure, later ones wait. Ends with an error only where no stream can be had any
    /// more, or no token.
    ///
    /// Cancel safe.
    pub(crate) async fn open<Resp: prost::Message + Default>(&mut self) -> Result<Opened<Resp>, Error> {
        if self.failures > 1 {
            tokio::time::sleep(Backoff::RESEND.wait(self.failures - 1, fastrand::u64(..))).await;
        }
        self.authenticated().await?;
        let preference = self.options.chosen_endpoint().map_or(Preference::Any, Preference::Only);
        let wish =
            Wish { tried: &self.tried, shunned: &self.shunned, preference, ..Wish::any(self.pool.now()) };
        let flight = self.pool.acquire_stream(&wish).await?;
        flight.connection.member.picked(Need::Quorum, self.pool.now());
        let connection = Arc::clone(&flight.connection);
        let headers = self.token.headers(&self.tokens, &self.options, TimeoutHeader::None);
        self.opened = Instant::now();
        Ok(match Duplex::open(flight, self.method, headers, self.max_receive) {
            Ok(stream) => Opened::Stream(stream),
            Err(failure) => Opened::Failed(connection, failure),
        })
    }

    /// The stream was answered: its member is of use.
    pub(crate) fn answered(&mut self, connection: &Connection) {
        self.tried.clear();
        self.shunned.clear();
        self.token = self.token.begun_anew();
        connection.member.judge(Need::Quorum, Use::Good, self.took());
    }

    /// From when the stream was opened until now.
    fn took(&self) -> Range<u64> {
        self.pool.at(self.opened)..self.pool.now()
    }

    /// No member may be used for now: the next stream waits.
    pub(crate) fn refused(&mut self) {
        self.failures = self.failures.saturating_add(2);
    }

    /// The stream brought what it is for: what fails from now on is a first failure.
    pub(crate) fn worked(&mut self) {
        self.failures = 0;
    }

    /// The stream was lost: the next one goes elsewhere, and gets another token where that is why.
    pub(crate) fn lost(&mut self, connection: &Connection, failure: &Failure) {
        let end = usefulness(failure.observation, self.opened.elapsed());
        connection.member.judge(Need::Quorum, end, self.took());
        self.tried = vec![connection.member.id];
        // What a member said, or the end of the connection, is no reason to leave a connection that works.
        let silent = matches!(failure.observation, Observation::Malformed | Observation::Abandoned);
        self.shunned = silent.then_some(connection.id).into_iter().collect();
        let lasted = self.opened.elapsed() >= STEADY;
        self.failures = if lasted { 1 } else { self.failures.saturating_add(1) };
        self.remedy = self.token.remedy(&self.tokens, failure.observation);
    }

    /// What the streams opened from now on should do about a refusal of this kind on one that is open, where anything helps.
    pub(crate) fn can_renew(&self, code: Code) -> bool {
        let refused = Observation::Refused(code, code.outcome());
        self.token.remedy(&self.tokens, refused).is_some()
            || (code == Code::PermissionDenied
                && self.tokens.kind() == rejection::Credentials::Renewable
                && self.token.carried().had_token())
    }

    /// What the open stream carries.
    pub(crate) fn carried(&self) -> Carried {
        self.token.carried()
    }

    /// Has the next stream get another token than this first.
    pub(crate) fn renew_first(&self, rejected: Carried) {
        self.tokens.reject(rejected);
    }

    /// Gets the token that is missing, or was rejected. A refusal is final; what passes is waited for.
    async fn authenticated(&mut self) -> Result<(), Error> {
        let rejected = match self.remedy {
            Some(Remedy::Renew) => Some(self.token.carried()),
            Some(Remedy::Resend) | None => None,
        };
        if self.remedy.is_some() {
            let wait = self.token.count_rejection();
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
        }
        let mut failures = 0;
        while rejected.is_some() || self.tokens.is_missing() {
            let channel = self.channel.upgrade().ok_or_else(closed)?;
            let Err(error) = self.tokens.renew(&channel, rejected.unwrap_or_default()).await else { break };
            drop(channel);
            if self.pool.check_alive().is_err() || !is_transient(&error) {
                return Err(self.pool.check_alive().err().unwrap_or(error));
            }
            failures += 1;
            let least = Duration::from_millis(10);
            tokio::time::sleep(Backoff::RESEND.wait(failures, fastrand::u64(..)).max(least)).await;
        }
        self.remedy = None;
        Ok(())
    }
}

/// What came of opening a stream.
#[derive(Debug)]
pub(crate) enum Opened<Resp> {
    Stream(Duplex<Resp>),
    /// The connection did not take it.
    Failed(Arc<Connection>, Failure),
}
