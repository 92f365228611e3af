//! The keys of those who contend for a lock or an office. How they wait for each other is not decided here.

use etcd_client_core::{Key, LeaseId};

/// Where the contenders for `name` queue: every contender's key, and nothing else of this recipe, begins with it.
///
/// This is `name` and a slash, a second one if `name` ends in one already: as `NewMutex` and `NewElection` of
/// `client/v3/concurrency` (etcd v3.7.1) have it. The slash keeps the queue of `lock` apart from that of `lock2`.
#[must_use]
pub fn contender_prefix(name: impl Into<Key>) -> Key {
    let mut prefix = name.into().as_bytes().to_vec();
    prefix.push(b'/');
    prefix.into()
}

/// The key under which the holder of `lease` queues for `name`.
///
/// One lease has one place in each queue. The lease is written in hexadecimal without leading zeros, unlike
/// its `Display`: as `Lock` and `Campaign` of `client/v3/concurrency` (etcd v3.7.1) write it.
#[must_use]
pub fn contender_key(name: impl Into<Key>, lease: LeaseId) -> Key {
    let mut key = contender_prefix(name).as_bytes().to_vec();
    key.extend_from_slice(format!("{lease:x}").as_bytes());
    key.into()
}

/// Whether recipes of these two names would take each other's keys for their own: where one name is the other, or begins with
/// the other and a slash.
///
/// A lock `jobs` waits for the holder of a lock `jobs/nightly`, an election likewise, and a queue `jobs` takes the items of a queue
/// `jobs/urgent`: all of these keys begin with `jobs/`. Go's recipes do the same. Keep names that are used together apart, with
/// `jobs-nightly` or `jobs.nightly` for instance.
///
/// ```
/// use etcd_concurrency::names_collide;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(number: i64) -> LeaseId {
        LeaseId::new(number).expect("not zero")
    }

    #[test]
    fn a_key_is_name_slash_lease_as_go_writes_it() {
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
    fn a_queue_holds_its_contenders_and_no_others() {
        let queue = contender_prefix("lock");
        assert!(contender_key("lock", lease(1)).as_bytes().starts_with(queue.as_bytes()));
        assert!(!contender_key("lock2", lease(1)).as_bytes().starts_with(queue.as_bytes()));
    }

    #[test]
    fn a_name_need_not_be_text() {
        assert_eq!(contender_key(b"\xff", lease(0x10)), b"\xff/10".as_slice());
    }

    #[test]
    fn a_name_below_another_collides_with_it() {
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
