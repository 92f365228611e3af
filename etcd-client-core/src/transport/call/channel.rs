//! The channel: the pool, the headers of every request, and the client's defaults.

use std::{
    any::Any,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use etcd_errors::Error;
use etcd_proto::etcdserverpb as pb;
use http::HeaderMap;
use tokio::{runtime::Handle, time::timeout};

use crate::{
    request::{CallOptions, Limits, Timeout},
    transport::{
        balance::{Balance, Preference},
        call::{
            budget::Budget,
            leader::{self, Leader},
            unary::Call,
        },
        connection::{
            history::{History, Origin, Regression, Violation},
            identity::inconsistency,
            verified::Connection,
        },
        endpoint::authority::Origins,
        grpc::{
            headers::{Headers, TimeoutHeader},
            method::DefaultTimeout,
            observation::Class,
        },
        no_runtime,
        pool::{Pool, PoolSettings},
        token::Tokens,
    },
    types::Endpoint,
};

/// A part of the client, besides its connections, that lives as long as a handle: the background task that maintains
/// the endpoints.
pub(crate) type ClientPart = Arc<dyn Any + Send + Sync>;

/// A handle to the connections of a client. It is cheap to clone. Dropping the last handle closes the connections.
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pool: Arc<Pool>,
    settings: Settings,
    headers: Headers,
    leader: Arc<Leader>,
    /// Set once a task keeps the leader up to date.
    follows_leader: AtomicBool,
    budget: Mutex<Budget>,
    /// The channel from which this one was made.
    parent: Weak<Self>,
}

/// A channel that does not keep its client open.
#[derive(Clone, Debug)]
pub(crate) struct WeakChannel(Weak<Shared>);

impl WeakChannel {
    /// Returns the channel, unless the client is gone.
    pub(crate) fn upgrade(&self) -> Option<Channel> {
        Channel::upgrade(&self.0)
    }
}

impl fmt::Debug for Channel {
    /// Prints a bounded summary, since it may appear in every line of a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        let endpoints = self.pool().endpoints();
        let shown: Vec<&str> = endpoints.iter().take(SHOWN).map(Endpoint::as_str).collect();
        let mut out = f.debug_struct("Channel");
        out.field("endpoints", &shown);
        if endpoints.len() > SHOWN {
            out.field("more_endpoints", &(endpoints.len() - SHOWN));
        }
        out.field("ready", &self.pool().ready_endpoints().len()).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.pool.close();
    }
}

/// The settings of a channel.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) pool: PoolSettings,
    pub(crate) limits: Limits,
    pub(crate) timeout: Option<Duration>,
    /// Shared with the channels for single endpoints: a token is valid on every member.
    pub(crate) tokens: Arc<Tokens>,
    /// Allows spans to contain the keys of single-key operations.
    pub(crate) trace_keys: bool,
}

impl Channel {
    /// Starts connecting in the background. Fails only outside a Tokio runtime.
    pub(crate) fn start(settings: Settings) -> Result<Self, Error> {
        Self::start_below(Weak::new(), settings)
    }

    fn start_below(parent: Weak<Shared>, settings: Settings) -> Result<Self, Error> {
        let runtime = Handle::try_current().map_err(|_| no_runtime())?;
        let pool = Pool::start(settings.endpoints.clone(), settings.pool.clone(), &runtime);
        let headers = Headers::new(settings.timeout);
        let leader = Arc::new(Leader::default());
        let budget = Mutex::new(Budget::full());
        let follows_leader = AtomicBool::new(false);
        let shared = Arc::new(Shared { pool, settings, headers, leader, follows_leader, budget, parent });
        let channel = Self { shared };
        if channel.pool().balance() == Balance::PreferLeader {
            channel.follow_leader();
        }
        Ok(channel)
    }

    /// Starts the task that keeps the leader up to date, unless it runs already.
    pub(crate) fn follow_leader(&self) {
        // One task per channel, regardless of how many features need the leader.
        if self.shared.follows_leader.swap(true, Ordering::Relaxed) {
            return;
        }
        let (changes, shutdown) = (self.pool().changes(), self.pool().shutdown_token().clone());
        let leader = Arc::clone(&self.shared.leader);
        self.pool().spawn(leader::follow(self.downgrade(), leader, changes, shutdown));
    }

    /// Returns the id of the leader, if it is known and a connection to it is ready.
    pub(crate) fn reachable_leader(&self) -> Option<u64> {
        let id = self.shared.leader.id();
        (id != 0 && self.pool().has_ready_member(id)).then_some(id)
    }

    pub(crate) fn upgrade(shared: &Weak<Shared>) -> Option<Self> {
        shared.upgrade().map(|shared| Self { shared })
    }

    pub(crate) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }

    pub(crate) fn weak(&self) -> WeakChannel {
        WeakChannel(self.downgrade())
    }

    /// Creates a separate channel to one endpoint, with the same settings. It closes when it is dropped.
    ///
    /// Fails for an endpoint whose security does not match the client's settings, and outside a Tokio runtime.
    pub(crate) fn only(&self, endpoint: Endpoint) -> Result<Self, Error> {
        self.check_endpoint(&endpoint)?;
        let settings = Settings { endpoints: vec![endpoint], ..self.shared.settings.clone() };
        Self::start_below(Arc::downgrade(&self.shared), settings)
    }

    /// Checks whether the endpoint is as secure as the client's settings require.
    pub(crate) fn check_endpoint(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let origins = self.origins();
        origins.check(endpoint)?;
        self.tokens().check_endpoint(endpoint, origins.is_secure(endpoint))
    }

    /// Returns the channel for Authenticate calls: the one to all members, so that the token does not depend on the
    /// single member of this channel.
    pub(crate) fn for_tokens(&self) -> Self {
        let parent = Self::upgrade(&self.shared.parent).filter(|parent| parent.pool().check_alive().is_ok());
        parent.map_or_else(|| self.clone(), |parent| parent.for_tokens())
    }

    /// Returns the tokens of the client.
    pub(crate) fn tokens(&self) -> &Arc<Tokens> {
        &self.shared.settings.tokens
    }

    /// Creates a channel to the member at `endpoint`, which need not be one of this channel's endpoints.
    ///
    /// Fails for a malformed endpoint, for one that does not fit this channel's TLS settings, and on a closed client.
    pub(crate) fn at(&self, endpoint: Endpoint) -> Result<Self, Error> {
        self.origins().check(&endpoint).map_err(|why| invalid_endpoint(&why))?;
        self.pool().check_alive()?;
        self.only(endpoint)
    }

    /// Waits until an endpoint is ready, for at most `limit`.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn wait_ready(&self, limit: Duration) -> Result<(), Error> {
        self.ready_once(limit, self.pool().ready()).await
    }

    /// Waits for `condition`, for at most `limit`. The error states why the endpoints are not ready.
    pub(crate) async fn ready_once(
        &self,
        limit: Duration,
        condition: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        timeout(limit, condition).await.unwrap_or_else(|_elapsed| {
            Err(self.pool().unready(limit).with_attempts(self.pool().last_errors()).with_elapsed(limit))
        })
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.shared.pool
    }

    pub(crate) fn leader(&self) -> &Leader {
        &self.shared.leader
    }

    /// Returns the history against which new requests are checked.
    pub(crate) fn history(&self) -> Arc<History> {
        self.pool().histories().current()
    }

    /// Checks the header of a response on this connection, and learns from it. An error means that the response must
    /// be rejected; the identity of its member is then checked again.
    pub(crate) fn check_header(
        &self,
        header: &pb::ResponseHeader,
        min_revision: Option<i64>,
        connection: &Connection,
    ) -> Result<(), Error> {
        self.learn(header, &connection.history, min_revision).map_err(|violation| {
            if let Violation::Older { seen, found } = violation {
                // A linearizable response is as conclusive as a quorum read, for this connection and all that
                // were checked after it.
                let check = History::check_before(connection.number);
                let regression = Regression { seen, found };
                self.pool().histories().regressed(&connection.history, regression, check);
            }
            if !matches!(violation, Violation::Unsound { .. }) {
                self.pool().retire(&connection.member);
            }
            inconsistency(violation)
        })?;
        // A proxy that responds for a member sends zero; the member behind it is unknown.
        if header.member_id != 0 {
            connection.member.set_server(header.member_id);
        }
        Ok(())
    }

    /// Checks a header like [`check_header`](Self::check_header), for a response whose connection is unknown.
    pub(crate) fn admit(
        &self,
        header: &pb::ResponseHeader,
        history: &History,
        min_revision: Option<i64>,
    ) -> Result<(), Error> {
        self.learn(header, history, min_revision).map_err(inconsistency)
    }

    fn learn(
        &self,
        header: &pb::ResponseHeader,
        history: &History,
        min_revision: Option<i64>,
    ) -> Result<(), Violation> {
        let origin = Origin { cluster: header.cluster_id, revision: header.revision };
        history.admit(origin, min_revision)?;
        if origin.cluster != 0 {
            self.shared.leader.term_seen(header.raft_term);
        }
        Ok(())
    }

    /// Starts a new history, of the cluster to which the rejected endpoints belong. Returns its id.
    pub(crate) fn accept_cluster(&self) -> Result<u64, Error> {
        let pool = self.pool();
        pool.check_alive()?;
        match pool.acceptable()[..] {
            [cluster] => {
                pool.accept(&self.history(), cluster);
                Ok(cluster)
            }
            [] => Err(Error::invalid_request(
                "cluster",
                "no endpoint was rejected, so there is nothing to accept",
            )),
            [first, second, ..] => {
                let text = format!(
                    "the rejected endpoints belong to several clusters, including {first:x} and {second:x}: keep those of one cluster with set_endpoints"
                );
                Err(Error::invalid_request("cluster", text))
            }
        }
    }

    /// Returns the time that the next retry must wait for the retry budget.
    pub(crate) fn take_retry(&self) -> Duration {
        let mut budget = self.shared.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.take(Duration::from_millis(self.shared.pool.now()))
    }

    /// Returns the member that a call prefers.
    pub(crate) fn preference<'a>(&self, call: &Call<'a>) -> Preference<'a> {
        if let Some(endpoint) = call.options.endpoint.as_ref() {
            return Preference::Only(endpoint);
        }
        match self.shared.pool.balance() {
            Balance::PreferLeader if call.class != Class::Read && self.shared.leader.id() != 0 => {
                Preference::Member(self.shared.leader.id())
            }
            Balance::PreferNearest if call.class == Class::Read && !call.linearizable => Preference::Nearest,
            _ => Preference::Any,
        }
    }

    /// Returns the origins of requests, and the TLS state.
    pub(crate) fn origins(&self) -> &Origins {
        &self.shared.settings.pool.origins
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.settings.limits
    }

    pub(crate) fn max_receive_bytes(&self) -> usize {
        self.shared.settings.limits.max_receive_bytes
    }

    pub(crate) fn traces_keys(&self) -> bool {
        self.shared.settings.trace_keys
    }

    /// Returns the timeout of a call: its own, else the default of its RPC. `None` means no timeout.
    pub(crate) fn time_limit(&self, call: Call<'_>) -> Option<Duration> {
        let unlimited = call.method.default_timeout() == DefaultTimeout::Unlimited;
        let chosen = call.options.timeout;
        if unlimited && chosen == Timeout::Default { None } else { self.timeout(call.options) }
    }

    /// Returns the timeout that these options give to most RPCs. `None` means no timeout.
    pub(crate) fn timeout(&self, options: &CallOptions) -> Option<Duration> {
        match options.timeout {
            Timeout::Default => self.shared.settings.timeout,
            Timeout::None => None,
            Timeout::After(duration) => Some(duration),
        }
    }

    /// Returns `true` if the call uses the client's default timeout, for which a header block is prepared.
    pub(crate) fn is_default_timeout(&self, call: Call<'_>) -> bool {
        call.options.timeout == Timeout::Default && call.method.default_timeout() == DefaultTimeout::Default
    }

    /// Returns the header block of a request without a token.
    pub(crate) fn headers(&self, options: &CallOptions, timeout: TimeoutHeader) -> HeaderMap {
        self.shared.headers.of(options, timeout)
    }

    /// Returns the headers of every request, for requests with headers of their own.
    pub(crate) fn base_headers(&self) -> &HeaderMap {
        self.shared.headers.base()
    }
}

/// Returns the error for a request whose endpoint was rejected with `why`.
pub(crate) fn invalid_endpoint(why: &Error) -> Error {
    Error::invalid_request("endpoint", why.message().to_owned())
}
