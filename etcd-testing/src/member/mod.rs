//! One member: a store, leases and watches, and the operations on all of them, without I/O.
//!
//! Time is an argument: [`Member::advance`] gets the duration since the member was started, and each operation happens then.

mod access;
mod alarm;
mod auth;
mod kv;
mod lease;
mod range_stream;
mod status;
mod watch;

use std::time::Duration;

use etcd_proto::etcdserverpb::ResponseHeader;

use self::alarm::Alarms;
use crate::auth::Auth;
use crate::lease::Leases;
use crate::line::Line;
use crate::rejection::{REQUEST_TOO_LARGE, Rejection};
use crate::store::{Store, Write};
use crate::watch::Watches;

/// The largest request that etcd proposes to Raft, in bytes: the default of `--max-request-bytes`.
const MAX_REQUEST_BYTES: usize = 1_572_864;

/// The size of what etcd adds to a request when it proposes it, in bytes: an identifier and two field headers.
const PROPOSAL_OVERHEAD: usize = 20;

/// The names and numbers of a member, which it reports in headers, in the list of members and in its status.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) cluster_id: u64,
    pub(crate) member_id: u64,
    pub(crate) name: String,
    pub(crate) line: Line,
    pub(crate) client_urls: Vec<String>,
    /// The largest number of operations of a transaction.
    pub(crate) max_txn_ops: usize,
}

/// The state of one member.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) identity: Identity,
    raft_term: u64,
    /// The number of proposals that were applied.
    raft_index: u64,
    pub(crate) store: Store,
    pub(crate) leases: Leases,
    pub(crate) watches: Watches,
    pub(crate) auth: Auth,
    alarms: Alarms,
    /// The time of the current operation.
    now: Duration,
    /// Leases do not end while the process is stopped.
    stopped: bool,
}

/// The sender of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// The token in the metadata of the request.
    pub(crate) token: Option<String>,
}

impl Member {
    pub(crate) fn new(identity: Identity, min_lease_ttl: i64, token_ttl: Duration) -> Self {
        let raft_term = 2;
        let header = ResponseHeader {
            cluster_id: identity.cluster_id,
            member_id: identity.member_id,
            revision: 0,
            raft_term,
        };
        Self {
            identity,
            raft_term,
            raft_index: 4,
            store: Store::new(),
            leases: Leases::new(min_lease_ttl),
            watches: Watches::new(header),
            auth: Auth::new(token_ttl),
            alarms: Alarms::default(),
            now: Duration::ZERO,
            stopped: false,
        }
    }

    /// Returns the time of the current operation.
    pub(crate) const fn now(&self) -> Duration {
        self.now
    }

    /// Returns when a lease ends next.
    pub(crate) fn next_expiry(&self) -> Option<Duration> {
        self.leases.next_expiry().filter(|_| !self.stopped)
    }

    /// Ends the process. Its data stays.
    pub(crate) const fn stop(&mut self) {
        self.stopped = true;
    }

    /// Begins a new run of the process: a new term, without the tokens, and with full times to live.
    pub(crate) fn restart(&mut self) {
        self.stopped = false;
        self.raft_term += 1;
        self.auth.drop_tokens();
        self.leases.extend_all(self.now);
        self.watches.restart(self.header());
    }

    /// Returns a header with the current revision.
    pub(crate) fn header(&self) -> ResponseHeader {
        ResponseHeader {
            cluster_id: self.identity.cluster_id,
            member_id: self.identity.member_id,
            revision: self.store.revision(),
            raft_term: self.raft_term,
        }
    }

    /// Returns the header of a response that was made at `revision`.
    fn header_at(&self, header: Option<&ResponseHeader>) -> Option<ResponseHeader> {
        let current = self.header();
        let revision = header.map_or(0, |header| header.revision);
        Some(if revision == 0 { current } else { ResponseHeader { revision, ..current } })
    }

    /// Sets the time, and ends the leases that have expired.
    pub(crate) fn advance(&mut self, now: Duration) {
        self.now = now;
        while let Some(id) = self.leases.expired(now).filter(|_| !self.stopped) {
            // The lease is in the queue of expiries, so it exists.
            let _ended = self.end_lease(id);
        }
    }

    /// Counts a proposal to Raft, after its size is checked.
    fn propose(&mut self, request: &impl prost::Message) -> Result<(), Rejection> {
        if request.encoded_len() + PROPOSAL_OVERHEAD > MAX_REQUEST_BYTES {
            return Err(REQUEST_TOO_LARGE);
        }
        self.raft_index += 1;
        Ok(())
    }

    /// Executes `write` at one revision and delivers what it changed. A write that fails has changed nothing.
    fn write<R>(&mut self, write: impl FnOnce(&mut Write<'_>) -> R) -> R {
        let mut writing = Write::begin(&mut self.store, &mut self.leases);
        let result = write(&mut writing);
        let changes = writing.commit();
        if !changes.is_empty() {
            self.watches.notify(&changes, &self.store);
        }
        result
    }
}

#[cfg(test)]
mod tests;
