//! The endpoints of a client as they change: set by the user, and followed as the cluster's members come and go.

use std::sync::{Mutex, MutexGuard, PoisonError};

use etcd_errors::{Error, ErrorKind};
use tokio::sync::Semaphore;

use super::{builder, handle::Client, upkeep::Upkeep};
use crate::{
    mechanism::member_sync::{NothingUsable, Rules, plan},
    model::{ClusterId, Endpoint},
    remote::MemberList,
    transport::{caller::Caller, channel::Channel, method::Method},
};

impl Client {
    /// The endpoints in use: first those that were given, then those that [`sync`](Self::sync) found.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.upkeep().endpoints.all()
    }

    /// Replaces all endpoints, found ones included. Connections to endpoints that stay go on; a call in flight to one that
    /// goes is finished there.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](ErrorKind::InvalidConfig) for an endpoint that cannot be used, and for none at all: nothing is
    /// changed then. [`Closed`](ErrorKind::Closed) and [`NoRuntime`](ErrorKind::NoRuntime) as for every call.
    pub fn set_endpoints<E: AsRef<str>>(&self, endpoints: impl IntoIterator<Item = E>) -> Result<(), Error> {
        self.upkeep().endpoints.set(endpoints).map_err(|error| error.with_operation("set endpoints"))
    }

    /// Asks the cluster for its members and uses those that were not known; gives the endpoints then in use.
    ///
    /// - The endpoints that the client was given always stay.
    /// - One that the cluster lists is used once it has answered as a voting member of the same cluster. Learners, members
    ///   that were never started, and URLs that make no sense outside of a member's host are passed over; so is what is
    ///   weaker than the given endpoints: where all of them have TLS, plaintext.
    /// - One that was found earlier and is listed no more is used no more.
    ///
    /// [`auto_sync`](crate::ClientBuilder::auto_sync) does the same periodically. Cancel safe: the endpoints change at the
    /// end or not at all.
    ///
    /// # Errors
    ///
    /// Those of a call, and [`Protocol`](ErrorKind::Protocol) when the list holds nothing usable: nothing is changed then.
    pub async fn sync(&self) -> Result<Vec<Endpoint>, Error> {
        self.upkeep().endpoints.sync().await
    }

    /// Accepts the cluster, or the history, that the refused endpoints serve, and forgets the one that was known. Returns the id of
    /// the cluster that is used from now on.
    ///
    /// An endpoint is [`Refused`](crate::EndpointPhase::Refused) when its member belongs to another cluster than the client has used
    /// so far, or when its store is at an earlier revision: it was recreated, or restored from a backup. Until this is called no
    /// request is sent there. An earlier revision is remembered for all members of the cluster, also after its store has grown past the
    /// highest revision seen. Afterwards:
    ///
    /// - every connection is made and checked anew; endpoints that still serve the old cluster are refused;
    /// - watches end with [`WrongCluster`](ErrorKind::WrongCluster) or [`RevisionRegressed`](ErrorKind::RevisionRegressed), except those
    ///   that [resync](crate::WatchCreate::resync);
    /// - leases that are kept alive are lost; healing leases grant another one and put their keys again;
    /// - caches and endpoint watches list their range again, and report it.
    ///
    /// Call it only when the replacement is intended. Clones of this client and clients made by [`only`](Self::only) share the decision.
    ///
    /// ```no_run
    /// # fn example(client: &etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// // An operator has restored the backup on purpose.
    /// let cluster = client.accept_cluster()?;
    /// println!("now using cluster {cluster}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) when no endpoint is refused, and when the refused endpoints belong to more than one
    /// cluster: nothing is changed then. [`Closed`](ErrorKind::Closed) and [`NoRuntime`](ErrorKind::NoRuntime) as for every call.
    pub fn accept_cluster(&self) -> Result<ClusterId, Error> {
        let accepted = self.channel().accept_cluster();
        accepted.map(ClusterId::new).map_err(|error| error.with_operation("accept cluster"))
    }

    /// A client of one member, with connections of its own and every other setting as here.
    ///
    /// For what concerns a single member of this client's cluster, known to it or not; a member of another cluster is refused. It neither syncs nor checks versions. Calls that the
    /// member cannot answer fail: there is no other.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`](ErrorKind::InvalidConfig) for an endpoint that cannot be used;
    /// [`NoRuntime`](ErrorKind::NoRuntime) outside of a tokio runtime.
    pub fn only(&self, endpoint: impl AsRef<str>) -> Result<Self, Error> {
        let channel = self.channel();
        let mut parsed = builder::parse(&[endpoint.as_ref().to_owned()])?;
        let endpoint =
            parsed.pop().ok_or_else(|| Error::invalid_config("endpoint", "no endpoint was given"))?;
        let channel = channel.only(endpoint)?;
        let upkeep = Upkeep::none(channel.clone());
        Ok(Self::calling(Caller::Pool(channel), upkeep.into()))
    }
}

/// The endpoints of one client.
#[derive(Debug)]
pub(super) struct Endpoints {
    channel: Channel,
    set: Mutex<Set>,
    /// One at a time: what a list means depends on the endpoints in use.
    syncing: Semaphore,
}

#[derive(Clone, Debug)]
struct Set {
    /// What the user chose.
    seeds: Vec<Endpoint>,
    /// What the cluster listed, and answered.
    adopted: Vec<Endpoint>,
    /// How often the user chose.
    choices: u64,
}

impl Set {
    fn all(&self) -> Vec<Endpoint> {
        self.seeds.iter().chain(&self.adopted).cloned().collect()
    }
}

impl Endpoints {
    pub(super) fn new(channel: Channel) -> Self {
        let set = Set { seeds: channel.pool().endpoints(), adopted: Vec::new(), choices: 0 };
        Self { channel, set: Mutex::new(set), syncing: Semaphore::new(1) }
    }

    pub(super) fn all(&self) -> Vec<Endpoint> {
        self.lock().all()
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    fn set<E: AsRef<str>>(&self, endpoints: impl IntoIterator<Item = E>) -> Result<(), Error> {
        let texts: Vec<_> = endpoints.into_iter().map(|endpoint| endpoint.as_ref().to_owned()).collect();
        let seeds = builder::parse(&texts)?;
        seeds.iter().try_for_each(|seed| self.channel.check_endpoint(seed))?;
        self.channel.pool().check_alive()?;
        let mut set = self.lock();
        *set = Set { seeds, adopted: Vec::new(), choices: set.choices + 1 };
        self.apply(set.all());
        Ok(())
    }

    pub(super) async fn sync(&self) -> Result<Vec<Endpoint>, Error> {
        let _turn = self.syncing.acquire().await;
        let list = MemberList::of_quorum(&self.channel).await?;
        let before = self.lock().clone();
        let origins = self.channel.origins();
        let rules = Rules::of(&before.seeds, before.seeds.iter().any(|seed| origins.is_secure(seed)));
        let plan = plan(&before.seeds, &before.adopted, &list.members, rules).map_err(nothing_usable)?;
        let found = list.probed(&self.channel, plan.probe).await;
        let mut set = self.lock();
        // What the user chose meanwhile holds, not what was found beside the earlier choice.
        if set.choices == before.choices && !(found.is_empty() && plan.drop.is_empty()) {
            tracing::info!(adopted = ?found, dropped = ?plan.drop, ignored = plan.ignored, "members changed");
            set.adopted = plan.keep.into_iter().chain(found).collect();
            self.apply(set.all());
        }
        Ok(set.all())
    }

    /// Called with the set locked, so that the last choice is what the pool has in the end.
    fn apply(&self, endpoints: Vec<Endpoint>) {
        self.channel.pool().set_endpoints(endpoints);
    }

    /// What it holds is replaced as a whole: a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nothing_usable(NothingUsable { members, ignored }: NothingUsable) -> Error {
    let text = format!(
        "the member list names no endpoint that can be used: {members} members, {ignored} URLs passed over"
    );
    Error::new(ErrorKind::Protocol, text).with_operation(Method::MemberList.operation())
}
