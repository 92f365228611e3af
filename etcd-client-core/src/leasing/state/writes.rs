//! Writes in flight, and their effects on the cache.

use std::time::Instant;

use crate::{
    leasing::state::{State, targets::Span},
    types::{Key, KeyValue, ResponseHeader, Revision},
};

/// A write in flight. It delays the reads of the keys that it may have changed.
#[derive(Debug)]
pub(crate) struct WriteTicket {
    number: u64,
    /// The owned keys that the write names, with their ownerships, in the order of the write.
    pub(crate) owned: Vec<(Key, Revision)>,
    /// The owned keys in the ranges of the write.
    covered: Vec<(Key, Revision)>,
}

/// The end of a write.
#[derive(Debug)]
pub(crate) enum WriteEnd {
    /// The write was applied. It deleted `deleted`, and afterwards the named keys had these pairs.
    Applied { header: ResponseHeader, deleted: Vec<Span>, pairs: Vec<(Key, Option<KeyValue>)> },
    /// The write was not and will not be applied.
    NotApplied,
    /// The write may have been applied, or may be applied later.
    Unknown,
}

impl State {
    /// Begins a write to `keys` and `ranges`. Call it before the request is sent, and pass the ticket to
    /// [`finish_write`](Self::finish_write) in any case.
    pub(crate) fn begin_write(&mut self, keys: &[Key], ranges: &[Span]) -> WriteTicket {
        let number = self.next_ticket;
        self.next_ticket += 1;
        let mut owned = Vec::new();
        for key in keys {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.pending.insert(number);
                owned.push((key.clone(), entry.created));
            }
        }
        let mut covered = Vec::new();
        for range in ranges {
            for (key, entry) in self.entries.range_mut::<[u8], _>(range.bounds()) {
                entry.pending.insert(number);
                covered.push((key.clone(), entry.created));
            }
            // The write may delete a key after an attempt has read it. The write would not find its entry.
            for (_, attempt) in self.attempts.iter_mut().filter(|(key, _)| range.contains(key)) {
                attempt.tainted = true;
            }
        }
        WriteTicket { number, owned, covered }
    }

    /// Ends a write.
    pub(crate) fn finish_write(&mut self, ticket: WriteTicket, end: WriteEnd, now: Instant) {
        for (key, _) in ticket.owned.iter().chain(&ticket.covered) {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.pending.remove(&ticket.number);
            }
        }
        match end {
            WriteEnd::NotApplied => {}
            WriteEnd::Applied { header, deleted, pairs } => {
                let gone = ticket
                    .covered
                    .into_iter()
                    .filter(|(key, _)| deleted.iter().any(|span| span.contains(key)));
                for (key, _) in gone {
                    self.update(&key, header, None, now);
                }
                for (key, kv) in pairs {
                    self.update(&key, header, kv, now);
                }
            }
            // The write may be applied as long as the ownership keys exist, so the ownerships must end before the keys
            // are cached again.
            WriteEnd::Unknown => {
                for (key, created) in ticket.owned.into_iter().chain(ticket.covered) {
                    self.release(&key, created, now);
                }
            }
        }
    }

    /// Sets the pair of a key at the revision of `header`. A key with a lease is not cached, because the lease may
    /// delete it.
    fn update(&mut self, key: &Key, header: ResponseHeader, kv: Option<KeyValue>, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let has_lease = kv.as_ref().is_some_and(|kv| kv.lease.is_some());
        let created = entry.created;
        entry.update(header, kv.map(KeyValue::into_owned));
        if has_lease {
            self.release(key, created, now);
        }
    }
}
