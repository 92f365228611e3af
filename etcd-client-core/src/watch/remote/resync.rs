//! Resuming from a listing after history was compacted or replaced.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use etcd_errors::{Code, Error, ErrorKind};
use tokio::time::{Instant, sleep};

use crate::{
    kv::{Get, GetResponse, codec},
    request::CallOptions,
    transport::{
        backoff::Backoff,
        call::{
            channel::{Channel, WeakChannel},
            unary::Call,
        },
        connection::identity::{is_of_identity, superseded},
        grpc::method::Method,
        pool::closed,
    },
    types::{KeyRange, KeyValue, ResponseHeader, Revision},
    watch::{
        WatchResponse, WatchStatus,
        remote::{
            side_requests::Done,
            stream_task::StreamTask,
            subscription::{Fill, Subscription},
        },
        state::{Ticket, filter::Filter, position::Position},
    },
};

/// The number of pairs per page. With values of usual size, a page stays far below the message size limit.
const PAGE: i64 = 512;

/// The pairs of a range at one revision.
#[derive(Debug)]
pub(crate) struct Listing {
    header: ResponseHeader,
    kvs: Vec<KeyValue>,
}

#[cfg(test)]
impl Listing {
    pub(crate) fn new(header: ResponseHeader, kvs: Vec<KeyValue>) -> Self {
        Self { header, kvs }
    }
}

impl StreamTask {
    /// Lists the keys that exist where the watch begins, because a later compaction may hide their deletion. Returns
    /// true while the listing is in progress; the creation of the watch waits for it.
    pub(crate) fn prime(&mut self, ticket: Ticket) -> bool {
        let Some(position) = self.machine.position(ticket) else { return false };
        let Some(entry) = self.entries.get_mut(&ticket) else { return false };
        let Some(known) = entry.known.as_mut() else { return false };
        let before = Revision::new(position.next() - 1);
        if !known.begins() || before == Revision::ZERO {
            return known.is_awaited();
        }
        known.await_listing();
        let (channel, range) = (self.hub.channel.clone(), entry.shared.spec.range.clone());
        self.side_requests.push(Box::pin(async move {
            let mut listing = list(&channel, &range, true, before).await;
            if listing.as_ref().is_err_and(|error| error.code() == Some(Code::FutureRev)) {
                // The watch starts in the future, so the current keys are the best approximation.
                listing = list(&channel, &range, true, Revision::ZERO).await;
            }
            // Without the listing the watch still works. It only misses deletions that a compaction hides.
            Done::Primed(ticket, listing.map_or_else(|_gone| Vec::new(), |listing| listing.kvs))
        }));
        true
    }

    pub(crate) fn primed(&mut self, ticket: Ticket, kvs: &[KeyValue]) {
        let Some(entry) = self.entries.get_mut(&ticket) else { return };
        entry.known.iter_mut().for_each(|known| known.listed(kvs));
        entry.announce();
    }

    /// Lists the range of a watch whose history is gone. The watch stays with this task, but off the stream, until
    /// the listing has arrived.
    pub(crate) fn resync(&mut self, entry: Subscription, compacted: Error) {
        let ticket = entry.shared.ticket;
        entry.shared.set_status(WatchStatus::Resuming { since: Instant::now(), error: compacted });
        let (channel, range) = (self.hub.channel.clone(), entry.shared.spec.range.clone());
        self.commands.watches.fetch_add(1, Ordering::Relaxed);
        self.entries.insert(ticket, entry);
        self.side_requests.push(Box::pin(async move {
            Done::Listed(ticket, list(&channel, &range, false, Revision::ZERO).await)
        }));
    }

    pub(crate) fn listed(&mut self, ticket: Ticket, listing: Result<Listing, Error>) {
        let Some(entry) = self.entries.get_mut(&ticket) else { return };
        if let Some(channel) = self.hub.channel.upgrade()
            && channel.history().number() != entry.history
        {
            // Another history was accepted in the meantime, so the listing may belong to either one.
            let history = channel.history();
            if let Some(mut entry) = self.take(ticket)
                && entry.enter(&history)
            {
                self.resync(entry, superseded(&history));
            }
            return;
        }
        let listing = listing.and_then(|listing| not_older(entry.position, listing));
        let (listing, known) = match (listing, &mut entry.known) {
            (Ok(listing), Some(known)) => (listing, known),
            (Ok(_), None) => return,
            (Err(error), _) => {
                if let Some(mut entry) = self.take(ticket) {
                    entry.end(error);
                }
                return;
            }
        };
        let revision = listing.header.revision;
        let mut events = known.differences(listing.kvs, revision.get());
        events.retain(|event| !(event.is_delete() && entry.shared.spec.no_delete));
        entry.position = Position::after(revision.get());
        entry.shared.counters.resynced.fetch_add(1, Ordering::Relaxed);
        entry.shared.reached(entry.position);
        let filter = Filter::of(&entry.shared.spec);
        let position = entry.position;
        let fill = entry.deliver(WatchResponse::resynced(listing.header, revision, events));
        if fill == Fill::Failed {
            self.take(ticket);
            return;
        }
        // Last, so that no event of the new watch can precede the listing in the buffer.
        self.machine.add(ticket, filter, position, self.now());
        if fill == Fill::Pause {
            self.machine.park(ticket);
        }
    }
}

/// Rejects a listing older than the delivered events, because it would undo them.
pub(crate) fn not_older(position: Position, listing: Listing) -> Result<Listing, Error> {
    if position.is_beyond(listing.header.revision.get()) {
        let text = "the cluster is at an earlier revision than the watch has seen: it may have been restored from an older backup";
        return Err(Error::new(ErrorKind::RevisionRegressed, text));
    }
    Ok(listing)
}

/// Lists a range page by page, at `revision` or at the current one. Retries until it has succeeded or cannot succeed.
async fn list(
    channel: &WeakChannel,
    range: &KeyRange,
    keys_only: bool,
    revision: Revision,
) -> Result<Listing, Error> {
    let mut failures = 0;
    loop {
        let channel = channel.upgrade().ok_or_else(closed)?;
        let error = match pages(&channel, range, keys_only, revision).await {
            Ok(listing) => return Ok(listing),
            Err(error) => error,
        };
        // Not held during the delay: a listing must not keep a client open that the user has dropped.
        drop(channel);
        // The revision of the first page may be compacted before the last page is read.
        let again = error.is_unavailable()
            || is_of_identity(&error)
            || error.is_timeout()
            || (revision == Revision::ZERO && error.code() == Some(Code::Compacted));
        if !again {
            return Err(error);
        }
        failures += 1;
        sleep(Backoff::RECONNECT.wait_at_least_half(failures, fastrand::u64(..))).await;
    }
}

async fn pages(
    channel: &Channel,
    range: &KeyRange,
    keys_only: bool,
    revision: Revision,
) -> Result<Listing, Error> {
    let (mut key, range_end) = range.bounds();
    let (mut kvs, mut at) = (Vec::new(), revision);
    loop {
        let page = page(channel, KeyRange::from_bounds(key, range_end.clone()), keys_only, at).await?;
        // The header of a page has the store's current revision. If no revision was requested, that of the
        // first page is the revision of the listing.
        if at == Revision::ZERO {
            at = page.header.revision;
        }
        kvs.extend(page.kvs);
        let (true, Some(last)) = (page.more, kvs.last()) else {
            return Ok(Listing { header: ResponseHeader { revision: at, ..page.header }, kvs });
        };
        key = Bytes::from([&last.key[..], b"\0"].concat());
    }
}

async fn page(
    channel: &Channel,
    range: KeyRange,
    keys_only: bool,
    at: Revision,
) -> Result<GetResponse, Error> {
    let mut get = Get::from_range(range).limit(PAGE).revision(at);
    if keys_only {
        get = get.keys_only();
    }
    let options = CallOptions::default();
    channel.unary(Call::new(Method::Range, &options), &codec::get_request(get), codec::get_response).await
}
