//! The cache and the ownership of keys. Pure: the time is an argument, and I/O happens elsewhere.
//!
//! An owned key has an *ownership key* in the store, which this handle created under its lease. The create revision
//! identifies an ownership, because etcd never uses a revision twice.

mod entry;
pub(crate) mod evaluate;
pub(crate) mod targets;
#[cfg(test)]
mod tests;
mod writes;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, Instant},
};

use self::entry::Entry;
pub(crate) use self::writes::{WriteEnd, WriteTicket};
use crate::{
    kv::{Get, GetResponse},
    leasing::state::evaluate::respond,
    types::{Key, KeyValue, LeaseId, ResponseHeader, Revision},
};

/// The time after a release during which a key is not acquired again, so that the client that asked for it can write:
/// `revokeBackoff` in client/v3/leasing/cache.go.
const BACKOFF: Duration = Duration::from_secs(2);

/// An ownership to give up: the ownership key of `key`, if it was created at `created`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) key: Key,
    pub(crate) created: Revision,
}

/// The result of reading a key from the cache.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The key is owned, and this is its current state.
    Cached(GetResponse),
    /// A write to the key was in flight when the read began. Its effect may already be visible to others.
    Wait,
    /// The key is not owned.
    Missing,
}

/// What the store contains under an ownership key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) created: Revision,
    pub(crate) lease: Option<LeaseId>,
    /// Whether another client asks the owner to give the key up.
    pub(crate) revoked: bool,
}

/// The end of an attempt to acquire a key.
#[derive(Debug)]
pub(crate) enum AcquireEnd {
    /// The ownership key was created at the revision of the header, together with this read of the key.
    Created(ResponseHeader, Option<KeyValue>),
    /// The ownership key exists already.
    Taken(Owner),
    /// The key has a lease, or the request was not applied.
    NotApplied,
    /// The ownership key may have been created, or may be created later.
    Unknown,
}

/// An attempt to acquire a key whose response has not arrived.
#[derive(Debug, Default)]
struct Attempt {
    /// A write to a range with the key began during the attempt, so what the attempt reads may be outdated.
    tainted: bool,
    /// Ownerships of this session that were seen during the attempt. One of them can be its own.
    seen: Vec<Revision>,
    /// Ownerships of this session that were given up during the attempt. It must not use them.
    given_up: Vec<Revision>,
}

/// The keys that a handle owns during a session, with their pairs.
#[derive(Debug)]
pub(crate) struct State {
    session: Option<LeaseId>,
    entries: BTreeMap<Key, Entry>,
    attempts: HashMap<Key, Attempt>,
    /// Keys whose ownership key may still be created by an attempt of unknown outcome.
    suspects: HashSet<Key>,
    /// The keys that were given up recently, with the time.
    given_up: HashMap<Key, Instant>,
    next_ticket: u64,
    max_keys: usize,
    releases: Vec<Release>,
}

impl State {
    pub(crate) fn new(max_keys: usize) -> Self {
        Self {
            session: None,
            entries: BTreeMap::new(),
            attempts: HashMap::new(),
            suspects: HashSet::new(),
            given_up: HashMap::new(),
            next_ticket: 0,
            max_keys,
            releases: Vec::new(),
        }
    }

    /// Starts a session. Its lease is attached to each ownership key.
    pub(crate) fn start_session(&mut self, lease: LeaseId) {
        self.end_session();
        self.session = Some(lease);
    }

    /// Ends the session and drops the cache.
    pub(crate) fn end_session(&mut self) {
        self.session = None;
        self.entries.clear();
        self.attempts.clear();
        self.suspects.clear();
        self.given_up.clear();
        // The ownership keys end with the lease.
        self.releases.clear();
    }

    pub(crate) fn session(&self) -> Option<LeaseId> {
        self.session
    }

    pub(crate) fn owned(&self) -> usize {
        self.entries.len()
    }

    /// Returns the ownerships to give up, once.
    pub(crate) fn take_releases(&mut self) -> Vec<Release> {
        std::mem::take(&mut self.releases)
    }

    /// Returns a barrier for a read that begins now: it has to wait for the writes that began earlier.
    pub(crate) fn barrier(&self) -> u64 {
        self.next_ticket
    }

    /// Reads a key from the cache at the time `now`. `deadline` is the time until which the lease certainly exists.
    ///
    /// Only writes from before `barrier` delay the read. A later write was not applied when the read began, so the read
    /// may precede it.
    pub(crate) fn read(&self, get: &Get, barrier: u64, now: Instant, deadline: Instant) -> Read {
        if self.session.is_none() || now >= deadline {
            return Read::Missing;
        }
        match self.entries.get(get.range.key()) {
            None => Read::Missing,
            Some(entry) if entry.waits_before(barrier) => Read::Wait,
            Some(entry) => Read::Cached(respond(get, entry.header, entry.kv.as_ref())),
        }
    }

    /// Begins an attempt to acquire a key. Returns `None` if the key must not be acquired now.
    pub(crate) fn begin_acquire(&mut self, key: &Key, now: Instant, deadline: Instant) -> Option<LeaseId> {
        let lease = self.session.filter(|_| now < deadline)?;
        let held = self.entries.len() + self.attempts.len() + self.suspects.len();
        let busy = self.entries.contains_key(key) || self.attempts.contains_key(key);
        let rests = self.given_up.get(key).is_some_and(|at| now.saturating_duration_since(*at) < BACKOFF);
        if busy || rests || held >= self.max_keys {
            return None;
        }
        self.attempts.insert(key.clone(), Attempt::default());
        Some(lease)
    }

    /// Ends an attempt to acquire a key for the session `lease`. Returns true if the key has to be monitored from now
    /// on.
    pub(crate) fn finish_acquire(
        &mut self,
        key: &Key,
        lease: LeaseId,
        end: AcquireEnd,
        now: Instant,
    ) -> bool {
        if self.session != Some(lease) {
            return false;
        }
        let Some(attempt) = self.attempts.remove(key) else { return false };
        let created = if let AcquireEnd::Created(header, _) = &end { Some(header.revision) } else { None };
        for other in attempt.seen.iter().filter(|other| Some(**other) != created) {
            self.releases.push(Release { key: key.clone(), created: *other });
        }
        match end {
            AcquireEnd::Created(header, _)
                if attempt.tainted || attempt.given_up.contains(&header.revision) =>
            {
                self.release(key, header.revision, now);
                false
            }
            AcquireEnd::Created(header, kv) => {
                self.suspects.remove(key);
                self.entries.insert(key.clone(), Entry::new(header, kv));
                true
            }
            AcquireEnd::Taken(owner) => {
                // Only an ownership whose creation this handle saw is used. This one is the rest of another attempt, and
                // writes of unknown outcome may still depend on it.
                if owner.lease == Some(lease) {
                    self.release(key, owner.created, now);
                }
                false
            }
            AcquireEnd::NotApplied => {
                self.rest(key, now);
                false
            }
            AcquireEnd::Unknown => self.suspects.insert(key.clone()),
        }
    }

    /// Returns whether the ownership key of `key` has to be monitored.
    pub(crate) fn is_monitored(&self, key: &Key) -> bool {
        self.entries.contains_key(key) || self.suspects.contains(key)
    }

    /// Returns the create revision of the ownership of a key.
    pub(crate) fn ownership(&self, key: &Key) -> Option<Revision> {
        self.entries.get(key).map(|entry| entry.created)
    }

    /// Takes note of an ownership key in the store.
    pub(crate) fn observe_owner(&mut self, key: &Key, owner: Owner, now: Instant) {
        let ours = owner.lease.is_some() && owner.lease == self.session;
        match self.entries.get(key) {
            // An event from before this ownership.
            Some(entry) if owner.created < entry.created => {}
            Some(entry) if owner.created == entry.created && !owner.revoked => {}
            Some(entry) if owner.created > entry.created => {
                self.entries.remove(key);
                self.observe_stray(key, owner, ours, now);
            }
            Some(_) => self.release(key, owner.created, now),
            None => self.observe_stray(key, owner, ours, now),
        }
    }

    /// Gives up an ownership of this session that no entry uses.
    fn observe_stray(&mut self, key: &Key, owner: Owner, ours: bool, now: Instant) {
        if !ours {
            return;
        }
        match self.attempts.get_mut(key) {
            // The event of a creation may precede the response to the attempt. The end of the attempt decides.
            Some(attempt) if !owner.revoked => attempt.seen.push(owner.created),
            Some(attempt) => {
                attempt.given_up.push(owner.created);
                self.release(key, owner.created, now);
            }
            None => {
                self.suspects.remove(key);
                self.release(key, owner.created, now);
            }
        }
    }

    /// Takes note that the ownership key did not exist at `revision`.
    pub(crate) fn observe_absence(&mut self, key: &Key, revision: Revision, now: Instant) {
        if self.entries.get(key).is_some_and(|entry| entry.created < revision) {
            self.entries.remove(key);
            self.rest(key, now);
        }
    }

    /// Drops the ownership of a key: the store showed that it has ended.
    pub(crate) fn disown(&mut self, key: &Key, created: Revision, now: Instant) {
        if self.ownership(key) == Some(created) {
            self.entries.remove(key);
            self.rest(key, now);
        }
    }

    /// Evicts the key if this ownership is cached, and gives the ownership up.
    fn release(&mut self, key: &Key, created: Revision, now: Instant) {
        if self.ownership(key) == Some(created) {
            self.entries.remove(key);
        }
        self.releases.push(Release { key: key.clone(), created });
        self.rest(key, now);
    }

    fn rest(&mut self, key: &Key, now: Instant) {
        // Old marks are removed when they are as many as the keys, so that the map has a bound and its cleaning is cheap.
        if self.given_up.len() >= self.max_keys {
            self.given_up.retain(|_, at| now.saturating_duration_since(*at) < BACKOFF);
        }
        if self.given_up.len() < self.max_keys {
            self.given_up.insert(key.clone(), now);
        }
    }
}
