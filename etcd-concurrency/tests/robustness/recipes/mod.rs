//! The interface through which the load of a run uses the recipes, so that another implementation can replace them.

pub(crate) mod ours;
pub(crate) mod present;

use etcd_client_core::{Client, Value};
use etcd_concurrency::{Error, Session};
use etcd_testkit::history::Share;

/// The number of permits.
pub(crate) const PERMITS: usize = 2;

/// The recipes that can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taking {
    Lock,
    TryLock,
    Read,
    Write,
    TryWrite,
    Permit,
    TryPermit,
    Lead,
    Barrier,
}

impl Taking {
    /// The groups of recipes that exclude each other.
    pub(crate) const TOGETHER: [&[Self]; 5] = [
        &[Self::Lock, Self::TryLock],
        &[Self::Read, Self::Write, Self::TryWrite],
        &[Self::Permit, Self::TryPermit],
        &[Self::Lead],
        &[Self::Barrier],
    ];

    /// Its name in etcd.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lock | Self::TryLock => "lock",
            Self::Read | Self::Write | Self::TryWrite => "rw",
            Self::Permit | Self::TryPermit => "permits",
            Self::Lead => "office",
            Self::Barrier => "barrier",
        }
    }

    pub(crate) fn share(self) -> Share {
        match self {
            Self::Read => Share::Readers,
            Self::Permit | Self::TryPermit => Share::Permits(PERMITS),
            _ => Share::Alone,
        }
    }
}

/// The kinds of queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Queue,
    Priority,
    /// A queue with a session, which determines the outcome of each call.
    Known,
    KnownPriority,
}

impl Line {
    pub(crate) const ALL: [Self; 4] = [Self::Queue, Self::Priority, Self::Known, Self::KnownPriority];

    /// Returns whether every outcome is known while the session is alive.
    pub(crate) fn is_known(self) -> bool {
        matches!(self, Self::Known | Self::KnownPriority)
    }

    /// Its name in etcd.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queue => "items",
            Self::Priority => "urgent",
            Self::Known => "known",
            Self::KnownPriority => "known-urgent",
        }
    }
}

/// The name of the double barrier, and its number of participants.
pub(crate) const MEETING: (&str, usize) = ("meeting", 2);

/// The prefixes below which keys can be left behind. Queues are excluded, because their items have no owner, and so is the `ready` key
/// of a double barrier, which stays if all participants leave without waiting. It starts no later round, which needs a newer one.
pub(crate) const PLACES: [&str; 6] = ["lock", "rw", "permits", "office", "barrier", "meeting/waiters"];

/// One contender.
pub(crate) trait Recipes: Clone + Send + Sync + 'static {
    type Held: Held;
    type Inside: Inside;

    /// Queues with a session determine the outcome of each call.
    const FINDS_OUT: bool;

    fn new(client: &Client, session: &Session) -> Self;
    fn session(&self) -> &Session;
    fn take(&self, what: Taking, number: u64) -> impl Future<Output = Result<Self::Held, Error>> + Send;
    fn enqueue(&self, line: Line, item: String) -> impl Future<Output = Result<i64, Error>> + Send;
    fn dequeue(&self, line: Line) -> impl Future<Output = Result<Option<Value>, Error>> + Send;
    fn enter(&self) -> impl Future<Output = Result<Self::Inside, Error>> + Send;
}

/// A held lock, permit or leadership.
pub(crate) trait Held: Send + 'static {
    fn fence(&self) -> i64;
    fn lost(&self) -> impl Future<Output = Error> + Send + 'static;
    fn give_back(self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A participant inside of the double barrier.
pub(crate) trait Inside: Send + 'static {
    fn leave(self) -> impl Future<Output = Result<(), Error>> + Send;
}
