//! The numbers that records refer to each other by.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($raw:ty)) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $raw);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A revision of the store.
    Rev(i64)
}
number! {
    /// One operation of one caller; its outcome names it again.
    OpId(u64)
}
number! {
    /// One watch as its user holds it, however many streams it takes.
    WatchId(u64)
}
number! {
    /// A lease, by the number that etcd knows it by.
    LeaseId(i64)
}
number! {
    /// One hold of a lock, from being acquired to being lost or given back.
    HoldId(u64)
}
number! {
    /// Nanoseconds since the recorder began, on its clock.
    Nanos(u64)
}

impl Rev {
    /// The revision after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The revision before it.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl Nanos {
    /// So much later.
    #[must_use]
    pub fn after(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// So much earlier, at the soonest when the recorder began.
    #[must_use]
    pub fn before(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// In milliseconds, for people.
    #[must_use]
    pub fn millis(self) -> f64 {
        self.0 as f64 / 1e6
    }
}
