//! Leases and the keys attached to them. Time is an argument: the duration since the member was started.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bytes::Bytes;

use crate::rejection::{LEASE_EXISTS, LEASE_NOT_FOUND, LEASE_TTL_TOO_LARGE, Rejection};

/// The longest time to live that etcd grants, in seconds: `MaxLeaseTTL` of `server/lease/lessor.go`.
const MAX_TTL: i64 = 9_000_000_000;

/// The first identifier that a member chooses. It is large, like those of etcd, and leaves small ones to clients.
const FIRST_CHOSEN: i64 = 0x694d_0000_0000_0000;

/// One lease.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    /// The granted time to live, in seconds.
    pub(crate) ttl: i64,
    /// The time at which the lease ends unless it is renewed.
    pub(crate) expiry: Duration,
    pub(crate) keys: BTreeSet<Bytes>,
}

impl Lease {
    /// Returns the remaining time to live in whole seconds.
    pub(crate) fn remaining(&self, now: Duration) -> i64 {
        i64::try_from(self.expiry.saturating_sub(now).as_secs()).unwrap_or(i64::MAX)
    }
}

/// The leases of a member.
#[derive(Debug, Clone)]
pub(crate) struct Leases {
    by_id: BTreeMap<i64, Lease>,
    /// The lease of each key that has one.
    by_key: HashMap<Bytes, i64>,
    /// All leases, the next one to expire first.
    by_expiry: BTreeSet<(Duration, i64)>,
    next_id: i64,
    min_ttl: i64,
}

impl Leases {
    /// Creates an empty set of leases, which grants at least `min_ttl` seconds.
    pub(crate) fn new(min_ttl: i64) -> Self {
        Self {
            by_id: BTreeMap::new(),
            by_key: HashMap::new(),
            by_expiry: BTreeSet::new(),
            next_id: FIRST_CHOSEN,
            min_ttl,
        }
    }

    pub(crate) fn exists(&self, id: i64) -> bool {
        self.by_id.contains_key(&id)
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Lease> {
        self.by_id.get(&id)
    }

    /// Returns the identifiers, the next one to expire first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = i64> {
        self.by_expiry.iter().map(|(_, id)| *id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &Lease)> {
        self.by_id.iter().map(|(id, lease)| (*id, lease))
    }

    /// Grants a lease. An `id` of zero chooses one. Returns the identifier and the time to live.
    pub(crate) fn grant(&mut self, id: i64, ttl: i64, now: Duration) -> Result<(i64, i64), Rejection> {
        if ttl > MAX_TTL {
            return Err(LEASE_TTL_TOO_LARGE);
        }
        let id = if id == 0 { self.choose_id() } else { id };
        if self.exists(id) {
            return Err(LEASE_EXISTS);
        }
        let ttl = ttl.max(self.min_ttl);
        let expiry = expiry(now, ttl);
        self.by_id.insert(id, Lease { ttl, expiry, keys: BTreeSet::new() });
        self.by_expiry.insert((expiry, id));
        Ok((id, ttl))
    }

    fn choose_id(&mut self) -> i64 {
        loop {
            let id = self.next_id;
            self.next_id += 1;
            if !self.exists(id) {
                return id;
            }
        }
    }

    /// Renews a lease. Returns its time to live, or nothing if there is no such lease.
    pub(crate) fn renew(&mut self, id: i64, now: Duration) -> Option<i64> {
        let lease = self.by_id.get_mut(&id)?;
        let expiry = expiry(now, lease.ttl);
        self.by_expiry.remove(&(lease.expiry, id));
        self.by_expiry.insert((expiry, id));
        lease.expiry = expiry;
        Some(lease.ttl)
    }

    /// Ends a lease. Returns its keys, which are to be deleted, in order.
    pub(crate) fn revoke(&mut self, id: i64) -> Result<BTreeSet<Bytes>, Rejection> {
        let lease = self.by_id.remove(&id).ok_or(LEASE_NOT_FOUND)?;
        self.by_expiry.remove(&(lease.expiry, id));
        for key in &lease.keys {
            self.by_key.remove(key);
        }
        Ok(lease.keys)
    }

    /// Returns when the next lease expires.
    pub(crate) fn next_expiry(&self) -> Option<Duration> {
        self.by_expiry.first().map(|(expiry, _)| *expiry)
    }

    /// Returns a lease that has expired.
    pub(crate) fn expired(&self, now: Duration) -> Option<i64> {
        self.by_expiry.first().filter(|(expiry, _)| *expiry <= now).map(|(_, id)| *id)
    }

    /// Attaches `key` to the lease `id`, instead of any other. Zero detaches it.
    pub(crate) fn attach(&mut self, key: &Bytes, id: i64) {
        let old = self.by_key.get(key).copied().unwrap_or(0);
        if old == id {
            return;
        }
        if let Some(lease) = self.by_id.get_mut(&old) {
            lease.keys.remove(key);
        }
        self.by_key.remove(key);
        if let Some(lease) = self.by_id.get_mut(&id) {
            lease.keys.insert(key.clone());
            self.by_key.insert(key.clone(), id);
        }
    }

    /// Gives every lease its full time to live again, as a new leader does.
    pub(crate) fn extend_all(&mut self, now: Duration) {
        let ids: Vec<_> = self.by_id.keys().copied().collect();
        for id in ids {
            self.renew(id, now);
        }
    }
}

/// Returns the end of `ttl` seconds from `now`.
fn expiry(now: Duration, ttl: i64) -> Duration {
    now.saturating_add(Duration::from_secs(u64::try_from(ttl).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;

    #[test]
    fn a_lease_expires_when_its_ttl_is_over() {
        let mut leases = Leases::new(2);
        assert_eq!(leases.grant(7, 10, START), Ok((7, 10)));
        assert_eq!(leases.expired(Duration::from_millis(9_999)), None);
        assert_eq!(leases.expired(Duration::from_secs(10)), Some(7));
        assert_eq!(leases.renew(7, Duration::from_secs(9)), Some(10));
        assert_eq!(leases.next_expiry(), Some(Duration::from_secs(19)));
    }

    #[test]
    fn a_short_ttl_is_raised_and_a_long_one_rejected() {
        let mut leases = Leases::new(2);
        assert_eq!(leases.grant(1, -100, START), Ok((1, 2)));
        assert_eq!(leases.grant(2, MAX_TTL, START), Ok((2, MAX_TTL)));
        assert_eq!(leases.grant(1, MAX_TTL + 1, START), Err(LEASE_TTL_TOO_LARGE));
        assert_eq!(leases.grant(1, 10, START), Err(LEASE_EXISTS));
    }

    #[test]
    fn a_key_has_one_lease_at_a_time() {
        let mut leases = Leases::new(2);
        let key = Bytes::from_static(b"k");
        leases.grant(1, 10, START).expect("a new lease");
        leases.grant(2, 10, START).expect("a new lease");
        leases.attach(&key, 1);
        leases.attach(&key, 2);
        assert_eq!(leases.revoke(1).expect("a lease"), BTreeSet::new());
        assert_eq!(leases.revoke(2).expect("a lease"), BTreeSet::from([key]));
    }
}
