//! The two counters of the store: its revision, and the version of a key.

use std::{cmp::Ordering, fmt};

macro_rules! counter {
    ($name:ident) => {
        impl $name {
            /// The value zero.
            pub const ZERO: Self = Self(0);

            /// Creates the counter from etcd's number.
            pub const fn new(number: i64) -> Self {
                Self(number)
            }

            /// Returns etcd's number.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self(number)
            }
        }

        impl From<$name> for i64 {
            fn from(it: $name) -> Self {
                it.0
            }
        }

        impl PartialEq<i64> for $name {
            fn eq(&self, number: &i64) -> bool {
                self.0 == *number
            }
        }

        impl PartialOrd<i64> for $name {
            fn partial_cmp(&self, number: &i64) -> Option<Ordering> {
                self.0.partial_cmp(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// A revision of the store. It increases by one with every request that changes anything.
///
/// Zero means "the current revision" in a request and "no such key" in a compare.
///
/// # Examples
/// ```
/// use etcd_client_core::Revision;
///
/// assert!(Revision::new(7) > Revision::from(3));
/// assert_eq!(Revision::new(7).next(), 8);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(i64);

counter!(Revision);

impl Revision {
    /// Returns the next revision. The highest revision returns itself.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The version of a key: how many times it was put since its creation. 1 for a new key, 0 for one that does not
/// exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(i64);

counter!(Version);

#[cfg(test)]
mod tests {
    use crate::types::Revision;

    #[test]
    fn highest_revision_has_no_successor() {
        assert_eq!(Revision::new(i64::MAX).next().get(), i64::MAX);
        assert_eq!(Revision::ZERO.next().to_string(), "1");
    }
}
