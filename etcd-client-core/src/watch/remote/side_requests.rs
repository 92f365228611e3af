//! Side requests of a stream task to the cluster, outside of its stream.

use std::time::Duration;

use etcd_errors::{Error, ErrorKind};
use etcd_proto::etcdserverpb as pb;
use tokio::time::sleep;

use crate::{
    request::CallOptions,
    transport::{
        backoff::Backoff,
        call::{
            channel::{Channel, WeakChannel},
            unary::{Call, reported_version},
        },
        connection::identity::is_of_identity,
        grpc::method::Method,
    },
    types::{Endpoint, KeyRange, KeyValue},
    watch::{
        remote::{
            resync::Listing,
            stream_task::{ProgressOf, StreamTask},
        },
        state::{Ticket, position::Position, rules::answers_progress_in_order},
    },
};

/// The result of a side request.
#[derive(Debug)]
pub(crate) enum Done {
    /// True if the member of the stream with this generation reports progress in order.
    Version(u64, bool),
    /// The reason why the watch cannot continue, if there is one.
    Verified(Ticket, Option<Error>),
    /// The keys that existed when the watch began.
    Primed(Ticket, Vec<KeyValue>),
    /// The current state of a range whose history was compacted or replaced.
    Listed(Ticket, Result<Listing, Error>),
}

impl StreamTask {
    pub(crate) fn done(&mut self, done: Done) {
        match done {
            Done::Version(generation, _) if generation != self.generation => {}
            Done::Version(_, true) => {
                self.progress = ProgressOf::InOrder;
                self.machine.set_ordered_progress(true);
                self.machine.request_progress();
            }
            Done::Version(_, false) => self.progress = ProgressOf::TooOld,
            Done::Verified(_, None) => {}
            Done::Primed(ticket, kvs) => self.primed(ticket, &kvs),
            Done::Listed(ticket, listing) => self.listed(ticket, listing),
            // It resumes from a listing once the history is accepted.
            Done::Verified(ticket, Some(error)) if self.awaits_listing(ticket, &error) => {}
            Done::Verified(ticket, Some(error)) => {
                self.machine.remove(ticket);
                if let Some(mut entry) = self.take(ticket) {
                    entry.end(error);
                }
            }
        }
    }

    fn awaits_listing(&self, ticket: Ticket, error: &Error) -> bool {
        is_of_identity(error) && self.entries.get(&ticket).is_some_and(|entry| entry.known.is_some())
    }

    pub(crate) fn ask_version(&mut self, endpoint: &Endpoint) {
        let (Some(channel), generation) = (self.hub.channel.upgrade(), self.generation) else { return };
        self.progress = ProgressOf::Asked;
        let endpoint = endpoint.clone();
        self.side_requests.push(Box::pin(async move {
            let version = reported_version(&channel, endpoint).await;
            let version = version.ok().and_then(|version| version.parse().ok());
            Done::Version(generation, version.is_some_and(answers_progress_in_order))
        }));
    }

    /// Verifies with a linearizable read why the member's store is behind the watch: the member lags, or the cluster
    /// has lost history.
    pub(crate) fn verify(&mut self, ticket: Ticket) {
        let (Some(entry), Some(position)) = (self.entries.get(&ticket), self.machine.position(ticket)) else {
            return;
        };
        let (channel, range) = (self.hub.channel.clone(), entry.shared.spec.range.clone());
        self.side_requests
            .push(Box::pin(async move { Done::Verified(ticket, verify(&channel, &range, position).await) }));
    }
}

async fn verify(client: &WeakChannel, range: &KeyRange, position: Position) -> Option<Error> {
    let mut failures = 0;
    loop {
        let channel = client.upgrade()?;
        let error = match current_revision(&channel, range).await {
            Ok(revision) if position.is_beyond(revision) => {
                let text = format!(
                    "the cluster is at revision {revision}, but the watch has seen later ones: \
                     the cluster may have been restored from an older backup"
                );
                // No call may have seen this revision yet. Once the history includes it, the next read detects
                // the regression too, and the member's connection is verified again.
                channel.history().raise(position.seen());
                let _ = current_revision(&channel, range).await;
                return Some(Error::new(ErrorKind::RevisionRegressed, text));
            }
            Ok(_) => return None,
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::WrongCluster
            | ErrorKind::RevisionRegressed
            | ErrorKind::Closed
            | ErrorKind::NoRuntime => return Some(error),
            _ => {}
        }
        // Not held during the delay: a verification must not keep a client open that the user has dropped.
        drop(channel);
        failures += 1;
        sleep(
            Backoff::RECONNECT.wait_at_least_half(failures, fastrand::u64(..)).max(Duration::from_millis(25)),
        )
        .await;
    }
}

/// Returns the revision of the store, by a linearizable read. The read covers the first key of the range only:
/// permission to watch the range includes permission to read that key.
pub(crate) async fn current_revision(channel: &Channel, range: &KeyRange) -> Result<i64, Error> {
    let (key, _) = range.bounds();
    let request = pb::RangeRequest { key, count_only: true, ..Default::default() };
    let options = CallOptions::default();
    let read = |answer: pb::RangeResponse| Ok(answer.header.map_or(0, |header| header.revision));
    channel.unary(Call::new(Method::Range, &options), &request, read).await
}
