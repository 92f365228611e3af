//! The endpoints of a client: set by the user, and synced with the members of the cluster.

use std::sync::{Mutex, MutexGuard, PoisonError};

use etcd_errors::{Error, ErrorKind};
use tokio::sync::Semaphore;

use crate::{
    client::{Client, background::Background, builder},
    cluster::{
        member_sync::{NothingUsable, Rules, plan},
        membership::MemberList,
    },
    transport::{call::channel::Channel, caller::Caller, grpc::method::Method, pool::Unsent},
    types::{ClusterId, Endpoint},
};

impl Client {
    /// Returns the endpoints in use: first those set by the user, then those found by [`sync`](Self::sync).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// for endpoint in client.endpoints() {
    ///     println!("{endpoint}");
    /// }
    /// # }
    /// ```
    #[doc(alias = "Endpoints")]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.background().endpoints.all()
    }

    /// Replaces all endpoints, including those found by [`sync`](Self::sync).
    ///
    /// Connections to endpoints that are kept stay open. A call in flight to a removed endpoint is completed there.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](ErrorKind::InvalidConfig) if there is no endpoint, or one that cannot be used. Nothing is changed then.
    /// [`Closed`](ErrorKind::Closed) and [`NoRuntime`](ErrorKind::NoRuntime) as for every call.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.set_endpoints(["http://10.0.0.4:2379", "http://10.0.0.5:2379"])?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "SetEndpoints")]
    #[doc(alias = "add_endpoint")]
    #[doc(alias = "remove_endpoint")]
    #[doc(alias = "update_endpoints")]
    pub fn set_endpoints<E: AsRef<str>>(&self, endpoints: impl IntoIterator<Item = E>) -> Result<(), Error> {
        self.background().endpoints.set(endpoints).map_err(|error| error.with_operation("set endpoints"))
    }

    /// Adds the endpoints of the cluster's members and returns the endpoints in use.
    ///
    /// - Endpoints set by the user are always kept.
    /// - A listed endpoint is used once it has responded as a voting member of the same cluster.
    /// - Learners, members that were never started, and URLs that work only on the member's own host, such as loopback addresses, are
    ///   skipped. So are plaintext URLs if all endpoints set by the user use TLS.
    /// - An endpoint that was found earlier and is no longer listed is removed.
    ///
    /// [`auto_sync`](crate::client::ClientBuilder::auto_sync) does this periodically.
    ///
    /// # Errors
    ///
    /// Returns the errors of any read; see [`ErrorKind`]. [`Protocol`](ErrorKind::Protocol) if the member list contains no usable
    /// endpoint. Nothing is changed after an error.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. The endpoints change at the end of the call, or not at all.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// println!("{} endpoints", client.sync().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Sync")]
    pub async fn sync(&self) -> Result<Vec<Endpoint>, Error> {
        self.background().endpoints.sync().await
    }

    /// Accepts the cluster, or the history, that the rejected endpoints serve, and forgets the previous one. Returns the id of the cluster
    /// that is used from now on.
    ///
    /// An endpoint is [`Rejected`](crate::transport::EndpointPhase::Rejected) if its member belongs to another cluster than the client has used so far, or
    /// if its store is at an earlier revision: it was re-created or restored from a backup. No request is sent there until this method is
    /// called. An earlier revision applies to all members of the cluster, even after the store has grown past the highest revision seen.
    /// Afterwards:
    ///
    /// - every connection is opened and checked again, and endpoints that still serve the old cluster are rejected;
    /// - watches end with [`WrongCluster`](ErrorKind::WrongCluster) or [`RevisionRegressed`](ErrorKind::RevisionRegressed), except those
    ///   that [resync](crate::watch::Watch::resync);
    /// - leases that are kept alive are lost, and healing leases grant another lease and put their keys again;
    /// - caches and endpoint watches re-list their range and report the difference.
    ///
    /// Call it only if the replacement is intended. The decision applies to clones of this client and to clients made by
    /// [`for_endpoint`](Self::for_endpoint).
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) if no endpoint is rejected, or if the rejected endpoints belong to more than one cluster.
    /// Nothing is changed then. [`Closed`](ErrorKind::Closed) and [`NoRuntime`](ErrorKind::NoRuntime) as for every call.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: &etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// // An operator has restored the backup on purpose.
    /// let cluster = client.accept_cluster()?;
    /// println!("now using cluster {cluster}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn accept_cluster(&self) -> Result<ClusterId, Error> {
        let accepted = self.channel().accept_cluster();
        accepted.map(ClusterId::new).map_err(|error| error.with_operation("accept cluster"))
    }

    /// Creates a client for one member, with separate connections and all other settings of this client, its namespace
    /// included. Middleware of [`with_service`](Client::with_service) is not part of it.
    ///
    /// Use it for operations on a single member of this client's cluster, whether or not it is an endpoint of this client. A member of another
    /// cluster is rejected. The new client neither syncs nor checks versions, and has no other member to fail over to.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](ErrorKind::InvalidConfig) for an endpoint that cannot be used.
    /// [`NoRuntime`](ErrorKind::NoRuntime) outside of a Tokio runtime.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let member = client.for_endpoint("http://10.0.0.2:2379")?;
    /// let local = member.get("config/limit").serializable().await?;
    /// println!("this member is at revision {}", local.header.revision);
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_endpoint(&self, endpoint: impl TryInto<Endpoint, Error: Into<Error>>) -> Result<Self, Error> {
        let channel = self.channel();
        let channel = channel.only(endpoint.try_into().map_err(Into::into)?)?;
        let background = Background::none(channel.clone());
        let client = Self::calling(Caller::Pool(channel), background.into());
        Ok(self.namespace().map_or_else(|| client.clone(), |prefix| client.under(prefix)))
    }
}

/// The endpoints of one client.
#[derive(Debug)]
pub(crate) struct Endpoints {
    channel: Channel,
    set: Mutex<Set>,
    /// Limits syncs to one at a time, because the plan for a member list depends on the endpoints in use.
    syncing: Semaphore,
}

#[derive(Clone, Debug)]
struct Set {
    /// The endpoints set by the user.
    seeds: Vec<Endpoint>,
    /// The endpoints found by a sync, which have responded.
    adopted: Vec<Endpoint>,
    /// The number of times the user has set endpoints.
    choices: u64,
}

impl Set {
    fn all(&self) -> Vec<Endpoint> {
        self.seeds.iter().chain(&self.adopted).cloned().collect()
    }
}

impl Endpoints {
    pub(crate) fn new(channel: Channel) -> Self {
        let set = Set { seeds: channel.pool().endpoints(), adopted: Vec::new(), choices: 0 };
        Self { channel, set: Mutex::new(set), syncing: Semaphore::new(1) }
    }

    pub(crate) fn all(&self) -> Vec<Endpoint> {
        self.lock().all()
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    fn set<E: AsRef<str>>(&self, endpoints: impl IntoIterator<Item = E>) -> Result<(), Error> {
        let texts: Vec<_> = endpoints.into_iter().map(|endpoint| endpoint.as_ref().to_owned()).collect();
        let seeds = builder::parse(&texts)?;
        seeds.iter().try_for_each(|seed| self.channel.check_endpoint(seed))?;
        self.channel.pool().check_alive()?;
        let unsent = {
            let mut set = self.lock();
            let chosen = Set { seeds, adopted: Vec::new(), choices: set.choices + 1 };
            let unsent = self.apply(&chosen)?;
            *set = chosen;
            unsent
        };
        unsent.send();
        Ok(())
    }

    pub(crate) async fn sync(&self) -> Result<Vec<Endpoint>, Error> {
        let _turn = self.syncing.acquire().await;
        let list = MemberList::of_quorum(&self.channel).await?;
        let before = self.lock().clone();
        let origins = self.channel.origins();
        let rules = Rules::of(&before.seeds, before.seeds.iter().any(|seed| origins.is_secure(seed)));
        let plan = plan(&before.seeds, &before.adopted, &list.members, rules).map_err(nothing_usable)?;
        let found = list.probed(&self.channel, plan.probe).await;
        let (all, unsent) = {
            let mut set = self.lock();
            // If the user has set other endpoints during the sync, the plan is based on the earlier ones and is discarded.
            if set.choices != before.choices || (found.is_empty() && plan.drop.is_empty()) {
                return Ok(set.all());
            }
            tracing::info!(adopted = ?found, dropped = ?plan.drop, ignored = plan.ignored, "members changed");
            let synced = Set { adopted: plan.keep.into_iter().chain(found).collect(), ..set.clone() };
            let unsent = self.apply(&synced)?;
            *set = synced;
            (set.all(), unsent)
        };
        unsent.send();
        Ok(all)
    }

    /// Passes the endpoints to the pool. Called with the set locked, so that concurrent changes reach the pool in order.
    fn apply(&self, set: &Set) -> Result<Unsent<'_>, Error> {
        self.channel.pool().set_endpoints(set.all())
    }

    /// Locks the set. It is only replaced as a whole, so a poisoned lock holds consistent data.
    fn lock(&self) -> MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nothing_usable(NothingUsable { members, ignored }: NothingUsable) -> Error {
    let text =
        format!("the member list contains no usable endpoint: {members} members, {ignored} URLs skipped");
    Error::new(ErrorKind::Protocol, text).with_operation(Method::MemberList.operation())
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex, OnceLock, mpsc},
        time::Duration,
    };

    use etcd_errors::ErrorKind;
    use futures_util::FutureExt as _;

    use crate::{
        Client,
        transport::observe::{event::EndpointEvent, observer::Observer},
    };

    type Call = Box<dyn Fn(&str) + Send + Sync>;

    /// Records events, and passes the endpoint of each new phase to a closure that may call the client.
    #[derive(Clone, Default)]
    struct Calling {
        seen: Arc<Mutex<Vec<String>>>,
        call: Arc<OnceLock<Call>>,
    }

    impl Calling {
        fn on_phase(&self, call: impl Fn(&str) + Send + Sync + 'static) {
            assert!(self.call.set(Box::new(call)).is_ok(), "set once");
        }

        fn seen(&self) -> Vec<String> {
            self.seen.lock().expect("no panic").clone()
        }
    }

    impl Observer for Calling {
        fn endpoint(&self, event: &EndpointEvent<'_>) {
            self.seen.lock().expect("no panic").push(event.endpoint.to_owned());
            if let Some(call) = self.call.get() {
                call(event.endpoint);
            }
        }

        fn endpoint_removed(&self, endpoint: &str) {
            self.seen.lock().expect("no panic").push(format!("removed {endpoint}"));
        }
    }

    /// A client without a network, because its runtime is not polled during the calls of a test.
    fn observed() -> (Client, Calling) {
        let observer = Calling::default();
        let client = Client::builder(["http://a:1"]).observer(observer.clone()).build().expect("valid");
        observer.seen.lock().expect("no panic").clear();
        (client, observer)
    }

    /// Runs `call` on another thread, which stays behind in a deadlock.
    fn within_a_minute<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, returned) = mpsc::channel();
        std::thread::spawn(move || done.send(call()));
        returned.recv_timeout(Duration::from_secs(60)).expect("the call returns")
    }

    #[tokio::test]
    async fn an_observer_may_read_and_set_the_endpoints() {
        let (client, observer) = observed();
        let nested = client.clone();
        observer.on_phase(move |endpoint| {
            if endpoint == "http://b:1" {
                assert_eq!(nested.endpoints().len(), 1);
                nested.set_endpoints(["http://c:1"]).expect("valid");
            }
        });
        let setting = client.clone();
        within_a_minute(move || setting.set_endpoints(["http://b:1"])).expect("valid");
        let expected =
            ["http://b:1", "removed http://a:1", "http://c:1", "removed http://b:1"].map(str::to_owned);
        assert_eq!(observer.seen(), expected);
        assert_eq!(client.endpoints(), ["http://c:1".parse().expect("valid")]);
    }

    #[tokio::test]
    async fn no_phase_is_reported_after_the_removal_by_a_close() {
        let (client, observer) = observed();
        let nested = client.clone();
        observer.on_phase(move |_| {
            // The first poll closes the pool; the rest waits for the tasks.
            let _ = nested.close().now_or_never();
        });
        let setting = client.clone();
        within_a_minute(move || setting.set_endpoints(["http://b:1", "http://c:1"])).expect("valid");
        let seen = observer.seen();
        for endpoint in ["http://b:1", "http://c:1"] {
            let last = seen.iter().rposition(|event| event.ends_with(endpoint)).expect("reported");
            assert_eq!(seen[last], format!("removed {endpoint}"), "{seen:?}");
        }
        let error = client.set_endpoints(["http://d:1"]).expect_err("closed");
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert_eq!(observer.seen(), seen);
    }

    #[tokio::test]
    async fn a_client_for_an_endpoint_keeps_the_namespace() {
        let client = Client::builder(["http://127.0.0.1:1"]).build().expect("valid").with_namespace("prod/");
        let member = client.for_endpoint("http://127.0.0.1:2").expect("valid");
        assert_eq!(member.namespace(), client.namespace());
    }
}
