//! Tracks the leader. The members are asked when a policy needs it, and again when the term changes.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use etcd_proto::etcdserverpb as pb;
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{
    request::CallOptions,
    transport::{
        backoff::Backoff,
        call::{
            channel::{Channel, Shared},
            unary::Call,
        },
        grpc::method::Method,
    },
};

/// The minimum wait between two rounds. An election takes about a second.
const LEAST_WAIT: Duration = Duration::from_millis(200);

/// The timeout of one Status call, so that a hung member does not delay the others.
const ASK_TIMEOUT: Duration = Duration::from_secs(1);

/// The leader, as far as known.
#[derive(Debug, Default)]
pub(crate) struct Leader {
    id: AtomicU64,
    term: AtomicU64,
    /// The term for which the leader is known.
    known: AtomicU64,
    changed: Notify,
}

impl Leader {
    /// Returns the id of the leader, or zero if it is unknown.
    pub(crate) fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    /// Records the term of a response. A higher term has a new leader.
    pub(crate) fn term_seen(&self, term: u64) {
        if term > self.term.load(Ordering::Relaxed) && self.term.fetch_max(term, Ordering::Relaxed) < term {
            self.changed.notify_one();
        }
    }

    /// Returns `true` if the leader of the current term is known. During an election there is none.
    fn is_known(&self) -> bool {
        let term = self.term.load(Ordering::Relaxed);
        self.id() != 0 && self.known.load(Ordering::Relaxed) == term
    }

    // A response of an earlier term must not overwrite the leader of a later one.
    fn learn(&self, term: u64, id: u64) {
        if id != 0 && term >= self.term.load(Ordering::Relaxed) {
            self.term.fetch_max(term, Ordering::Relaxed);
            self.id.store(id, Ordering::Relaxed);
            self.known.store(term, Ordering::Relaxed);
        }
    }
}

/// Keeps the leader up to date while the channel is in use.
pub(crate) async fn follow(
    shared: Weak<Shared>,
    leader: Arc<Leader>,
    mut connected: watch::Receiver<()>,
    shutdown: CancellationToken,
) {
    let mut failures = 0_u32;
    loop {
        // Before the round: a connection made during it triggers another round, since that member was not
        // asked.
        connected.mark_unchanged();
        match Channel::upgrade(&shared) {
            Some(channel) => ask_all(&channel).await,
            // The task holds only a weak reference, so it does not keep the client open.
            None => return,
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(LEAST_WAIT) => {}
        }
        if leader.is_known() {
            failures = 0;
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = leader.changed.notified() => {}
                _ = connected.changed() => {}
            }
        } else {
            failures += 1;
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(Backoff::RECONNECT.wait(failures, fastrand::u64(..))) => {}
            }
        }
    }
}

async fn ask_all(channel: &Channel) {
    for endpoint in channel.pool().ready_endpoints() {
        let options = CallOptions::default().timeout(ASK_TIMEOUT).endpoint(endpoint);
        let call = Call::new(Method::Status, &options);
        let status =
            channel.unary(call, &pb::StatusRequest {}, |status: pb::StatusResponse| Ok(status)).await;
        if let Ok(status) = status {
            channel.leader().learn(status.raft_term, status.leader);
        }
    }
}
