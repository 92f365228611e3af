//! What services call on: the pool, the headers of every request, and the client's defaults.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use etcd_errors::{Error, ErrorKind};
use etcd_proto::etcdserverpb as pb;
use http::HeaderMap;
use tokio::{runtime::Handle, time::timeout};

use super::{
    call::Call,
    connection::Connection,
    headers::{Headers, TimeoutHeader},
    identity::disbelief,
    leader::{self, Leader},
    method::Patience,
    origin::Origins,
    pool::{Pool, PoolSettings},
    token::Tokens,
    wish::{Balance, Preference},
};
use crate::{
    mechanism::{
        budget::Budget,
        history::{History, Origin, Regression, Violation},
        retry::Class,
    },
    model::Endpoint,
    op::Limits,
    service::{CallOptions, Timeout},
};

/// A handle on the connections of a client. Cheap to clone; the last one dropped ends them.
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pool: Arc<Pool>,
    settings: Settings,
    headers: Headers,
    leader: Arc<Leader>,
    /// Whether a task keeps the leader known.
    follows_leader: AtomicBool,
    budget: Mutex<Budget>,
    /// The channel that this one was made from.
    parent: Weak<Self>,
}

impl fmt::Debug for Channel {
    /// Short whatever the client does: it may be in every line of a log.
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

/// What a channel is made of.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) pool: PoolSettings,
    pub(crate) limits: Limits,
    pub(crate) timeout: Option<Duration>,
    /// A channel to one endpoint shares them: a token is valid on every member.
    pub(crate) tokens: Arc<Tokens>,
    /// Whether spans may show the keys of single-key operations.
    pub(crate) trace_keys: bool,
}

impl Channel {
    /// Starts connecting in the background. Fails only outside of a tokio runtime.
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

    /// Keeps the leader known from now on.
    pub(crate) fn follow_leader(&self) {
        if self.shared.follows_leader.swap(true, Ordering::Relaxed) {
            return;
        }
        let (changes, shutdown) = (self.pool().changes(), self.pool().shutdown_token().clone());
        let leader = Arc::clone(&self.shared.leader);
        self.pool().spawn(leader::follow(self.downgrade(), leader, changes, shutdown));
    }

    /// The id of the member that leads, where that is known and a connection to it is ready.
    pub(crate) fn reachable_leader(&self) -> Option<u64> {
        let id = self.shared.leader.id();
        (id != 0 && self.pool().has_ready_member(id)).then_some(id)
    }

    pub(super) fn upgrade(shared: &Weak<Shared>) -> Option<Self> {
        shared.upgrade().map(|shared| Self { shared })
    }

    pub(super) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }

    /// A channel of its own to one endpoint, with everything else as it is here. It closes when it is dropped.
    ///
    /// Fails for an endpoint that asks for more or less security than this client has, and outside of a tokio runtime.
    pub(crate) fn only(&self, endpoint: Endpoint) -> Result<Self, Error> {
        self.check_endpoint(&endpoint)?;
        let settings = Settings { endpoints: vec![endpoint], ..self.shared.settings.clone() };
        Self::start_below(Arc::downgrade(&self.shared), settings)
    }

    /// Whether a client with these settings may use the endpoint: it must be as secure as they ask for.
    pub(crate) fn check_endpoint(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let origins = self.origins();
        origins.check(endpoint)?;
        self.tokens().check_endpoint(endpoint, origins.is_secure(endpoint))
    }

    /// The channel to authenticate on: that of all members, so that nobody waits for the one that this channel is for.
    pub(super) fn for_tokens(&self) -> Self {
        let parent = Self::upgrade(&self.shared.parent).filter(|parent| parent.pool().check_alive().is_ok());
        parent.map_or_else(|| self.clone(), |parent| parent.for_tokens())
    }

    /// The tokens of the client.
    pub(crate) fn tokens(&self) -> &Arc<Tokens> {
        &self.shared.settings.tokens
    }

    /// A channel to the member at `endpoint` alone, whether or not it is one of this channel's endpoints.
    ///
    /// Fails for a text that is no endpoint, for one that this channel's TLS does not fit, and where no call can succeed.
    pub(crate) fn at(&self, endpoint: &str) -> Result<Self, Error> {
        let refuse = |why: Error| Error::invalid_request("endpoint", why.message().to_owned());
        let endpoint: Endpoint = endpoint.parse().map_err(refuse)?;
        self.origins().check(&endpoint).map_err(refuse)?;
        self.pool().check_alive()?;
        self.only(endpoint)
    }

    /// Waits until an endpoint is ready, at most `limit`.
    ///
    /// Cancel safe.
    pub(crate) async fn ready_within(&self, limit: Duration) -> Result<(), Error> {
        self.ready_once(limit, self.pool().ready()).await
    }

    /// Waits for `condition`, at most `limit`; then says why the endpoints are not ready.
    pub(crate) async fn ready_once(
        &self,
        limit: Duration,
        condition: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        timeout(limit, condition).await.unwrap_or_else(|_elapsed| {
            Err(self.pool().unready(limit).with_attempts(self.pool().troubles()).with_elapsed(limit))
        })
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.shared.pool
    }

    pub(super) fn leader(&self) -> &Leader {
        &self.shared.leader
    }

    /// The history that requests are held against which are sent from now on.
    pub(crate) fn history(&self) -> Arc<History> {
        self.pool().histories().current()
    }

    /// Learns from the header of an answer that came on this connection, or says why the answer is not to be believed. Its member
    /// is asked again whose it is then.
    pub(super) fn examine(
        &self,
        header: &pb::ResponseHeader,
        floor: Option<i64>,
        connection: &Connection,
    ) -> Result<(), Error> {
        self.learn(header, &connection.history, floor).map_err(|violation| {
            if let Violation::Older { seen, found } = violation {
                // A linearizable answer proves it as a barrier does, of this connection and of all that were checked after it.
                let check = History::check_before(connection.number);
                let regression = Regression { seen, found };
                self.pool().histories().regressed(&connection.history, regression, check);
            }
            if !matches!(violation, Violation::Unsound { .. }) {
                self.pool().retire(&connection.member);
            }
            disbelief(violation)
        })?;
        // Zero where a proxy answered for a member: which one is behind it is not known.
        if header.member_id != 0 {
            connection.member.set_server(header.member_id);
        }
        Ok(())
    }

    /// The same for an answer whose connection is not known.
    pub(super) fn admit(
        &self,
        header: &pb::ResponseHeader,
        history: &History,
        floor: Option<i64>,
    ) -> Result<(), Error> {
        self.learn(header, history, floor).map_err(disbelief)
    }

    fn learn(
        &self,
        header: &pb::ResponseHeader,
        history: &History,
        floor: Option<i64>,
    ) -> Result<(), Violation> {
        let origin = Origin { cluster: header.cluster_id, revision: header.revision };
        history.admit(origin, floor)?;
        if origin.cluster != 0 {
            self.shared.leader.term_seen(header.raft_term);
        }
        Ok(())
    }

    /// Begins another history, of the cluster that the refused endpoints are of, which it gives.
    pub(crate) fn accept_cluster(&self) -> Result<u64, Error> {
        let pool = self.pool();
        pool.check_alive()?;
        match pool.acceptable()[..] {
            [cluster] => {
                pool.accept(&self.history(), cluster);
                Ok(cluster)
            }
            [] => Err(Error::invalid_request("cluster", "no endpoint is refused")),
            [first, second, ..] => {
                let text = format!(
                    "the refused endpoints belong to more than one cluster, {first:x} and {second:x} among them: set the endpoints first"
                );
                Err(Error::invalid_request("cluster", text))
            }
        }
    }

    /// How long the next resend has to wait for its turn.
    pub(super) fn take_resend(&self) -> Duration {
        let mut budget = self.shared.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.take(Duration::from_millis(self.shared.pool.now()))
    }

    /// The member that a call prefers.
    pub(super) fn preference<'a>(&self, call: &Call<'a>) -> Preference<'a> {
        if let Some(endpoint) = call.options.chosen_endpoint() {
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

    /// What requests say they are for, and TLS.
    pub(crate) fn origins(&self) -> &Origins {
        &self.shared.settings.pool.origins
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.settings.limits
    }

    pub(crate) fn max_receive_bytes(&self) -> usize {
        self.shared.settings.limits.max_receive_bytes
    }

    pub(super) fn traces_keys(&self) -> bool {
        self.shared.settings.trace_keys
    }

    /// The time that a call has, `None` for any: its own, else what suits its RPC.
    pub(crate) fn time_limit(&self, call: Call<'_>) -> Option<Duration> {
        let unlimited = call.method.patience() == Patience::Unlimited;
        let chosen = call.options.chosen_timeout();
        if unlimited && chosen == Timeout::Default { None } else { self.timeout(call.options) }
    }

    /// The time that a call of most RPCs with these options has, `None` for any.
    pub(crate) fn timeout(&self, options: &CallOptions) -> Option<Duration> {
        match options.chosen_timeout() {
            Timeout::Default => self.shared.settings.timeout,
            Timeout::None => None,
            Timeout::After(duration) => Some(duration),
        }
    }

    /// Whether the call has the client's own timeout, for which a header is prepared.
    pub(crate) fn is_default_timeout(&self, call: Call<'_>) -> bool {
        call.options.chosen_timeout() == Timeout::Default && call.method.patience() == Patience::Default
    }

    /// The header block of a request without a token.
    pub(crate) fn headers(&self, options: &CallOptions, timeout: TimeoutHeader) -> HeaderMap {
        self.shared.headers.of(options, timeout)
    }

    /// The headers that every request carries, for requests that bring their own.
    pub(crate) fn base_headers(&self) -> &HeaderMap {
        self.shared.headers.base()
    }
}

/// A typed error where timers and sockets would panic.
pub(crate) fn check_runtime() -> Result<(), Error> {
    Handle::try_current().map(drop).map_err(|_| no_runtime())
}

fn no_runtime() -> Error {
    Error::new(ErrorKind::NoRuntime, "there is no tokio runtime here: call this inside of one")
}
