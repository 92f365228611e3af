//! The names of the keys in a recipe's queue, as the Go client writes them.

use etcd_client_core::{Key, LeaseId};

/// Returns the prefix under which the contenders for `name` queue.
///
/// Every contender's key starts with this prefix, and no other key of the recipe does. The prefix is `name` followed by a slash,
/// even if `name` already ends with one. The slash separates the queue of `lock` from that of `lock2`.
///
/// # Examples
///
/// ```
/// use etcd_concurrency::keys::contender_prefix;
///
/// assert_eq!(contender_prefix("jobs/nightly"), "jobs/nightly/");
/// ```
#[must_use]
pub fn contender_prefix(name: impl Into<Key>) -> Key {
    // As `NewMutex` and `NewElection` in client/v3/concurrency of etcd v3.7.1.
    let mut prefix = name.into().as_bytes().to_vec();
    prefix.push(b'/');
    prefix.into()
}

/// Returns the key under which the owner of `lease` queues for `name`.
///
/// A lease has at most one key in each queue. The lease is written in hexadecimal without leading zeros, unlike its `Display`.
///
/// # Examples
///
/// ```
/// use etcd_client_core::LeaseId;
/// use etcd_concurrency::keys::contender_key;
///
/// let lease = LeaseId::new(0xff).unwrap();
/// assert_eq!(contender_key("jobs/nightly", lease), "jobs/nightly/ff");
/// ```
#[must_use]
pub fn contender_key(name: impl Into<Key>, lease: LeaseId) -> Key {
    // As `Lock` and `Campaign` in client/v3/concurrency of etcd v3.7.1, which format the lease with `%x`.
    below(&contender_prefix(name), &format!("{lease:x}"))
}

/// Returns whether recipes with these two names would mistake each other's keys for their own.
///
/// Two names collide if they are equal, or if one starts with the other followed by a slash. A lock `jobs` waits for the holder
/// of a lock `jobs/nightly`, an election does the same, and a queue `jobs` takes the items of a queue `jobs/urgent`, because all
/// of their keys start with `jobs/`. Go's recipes behave the same way. Choose names such as `jobs-nightly` or `jobs.nightly` for
/// recipes that are used together.
///
/// # Examples
///
/// ```
/// use etcd_concurrency::keys::names_collide;
///
/// assert!(names_collide("jobs", "jobs/nightly"));
/// assert!(!names_collide("jobs/weekly", "jobs/nightly"));
/// ```
#[must_use]
pub fn names_collide(one: impl Into<Key>, other: impl Into<Key>) -> bool {
    let (one, other) = (contender_prefix(one), contender_prefix(other));
    let (one, other) = (one.as_bytes(), other.as_bytes());
    one.starts_with(other) || other.starts_with(one)
}

/// Returns `prefix` followed by `name`.
pub(crate) fn below(prefix: &Key, name: &str) -> Key {
    [prefix.as_bytes(), name.as_bytes()].concat().into()
}

/// Returns a unique key below `prefix` that names the lease. A session can queue several times with such keys.
pub(crate) fn unique_key(prefix: &Key, lease: LeaseId) -> Key {
    below(prefix, &format!("{lease:x}-{:016x}", fastrand::u64(..)))
}

/// Returns a unique key below `prefix` for a key without a lease.
pub(crate) fn random_key(prefix: &Key) -> Key {
    below(prefix, &format!("{:032x}", fastrand::u128(..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(number: i64) -> LeaseId {
        LeaseId::new(number).expect("not zero")
    }

    #[test]
    fn contender_key_matches_go() {
        for (name, number, key) in [
            ("jobs/nightly", 0x694d_8141_7acd_4754, "jobs/nightly/694d81417acd4754"),
            ("lock", 0xff, "lock/ff"),
            ("lock/", 0xff, "lock//ff"),
            ("", 1, "/1"),
            // Servers accept negative ids; Go prints them with a sign.
            ("lock", -255, "lock/-ff"),
        ] {
            assert_eq!(contender_key(name, lease(number)), key);
        }
    }

    #[test]
    fn prefix_matches_only_its_own_contenders() {
        let queue = contender_prefix("lock");
        assert!(contender_key("lock", lease(1)).as_bytes().starts_with(queue.as_bytes()));
        assert!(!contender_key("lock2", lease(1)).as_bytes().starts_with(queue.as_bytes()));
    }

    #[test]
    fn accepts_names_that_are_not_utf8() {
        assert_eq!(contender_key(b"\xff", lease(0x10)), b"\xff/10".as_slice());
    }

    #[test]
    fn nested_names_collide() {
        for (one, other, collide) in [
            ("a", "a", true),
            ("a", "a/b", true),
            ("a/b", "a", true),
            ("a", "a/", true),
            ("a", "ab", false),
            ("a/b", "a/c", false),
            ("a", "a.b", false),
            ("", "/x", true),
        ] {
            assert_eq!(names_collide(one, other), collide, "{one:?} {other:?}");
        }
    }
}
