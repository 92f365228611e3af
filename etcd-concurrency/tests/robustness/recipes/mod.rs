//! The interface through which the load of a run uses the recipes, so that another implementation can replace them.

pub(crate) mod ours;
pub(crate) mod sweeping;

use etcd_client_core::{Client, Value};
use etcd_concurrency::{Error, Session};
use etcd_testkit::history::Share;

/// The number of permits.
pub(crate) const PERMITS: usize = 2;

/// The recipes that can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockKind {
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

impl LockKind {
    /// The groups of recipes that exclude each other.
    pub(crate) const EXCLUSIVE_GROUPS: [&[Self]; 5] = [
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
pub(crate) enum QueueKind {
    Queue,
    Priority,
    /// A queue with a session, which determines the outcome of each call.
    Known,
    KnownPriority,
}

impl QueueKind {
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
pub(crate) const PREFIXES: [&str; 6] = ["lock", "rw", "permits", "office", "barrier", "meeting/waiters"];

/// One contender.
pub(crate) trait Recipes: Clone + Send + Sync + 'static {
    type Held: Held;
    type Participant: Participant;

    /// Queues with a session determine the outcome of each call.
    const RESOLVES_OUTCOMES: bool;

    fn new(client: &Client, session: &Session) -> Self;
    fn session(&self) -> &Session;
    fn take(&self, what: LockKind, number: u64) -> impl Future<Output = Result<Self::Held, Error>> + Send;
    fn enqueue(&self, line: QueueKind, item: String) -> impl Future<Output = Result<i64, Error>> + Send;
    fn dequeue(&self, line: QueueKind) -> impl Future<Output = Result<Option<Value>, Error>> + Send;
    fn enter(&self) -> impl Future<Output = Result<Self::Participant, Error>> + Send;
}

/// A held lock, permit or leadership.
pub(crate) trait Held: Send + 'static {
    fn fence(&self) -> i64;
    fn lost(&self) -> impl Future<Output = Error> + Send + 'static;
    fn give_back(self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A participant inside of the double barrier.
pub(crate) trait Participant: Send + 'static {
    fn leave(self) -> impl Future<Output = Result<(), Error>> + Send;
}
