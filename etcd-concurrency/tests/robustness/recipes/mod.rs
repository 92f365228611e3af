//! The recipes as the load of a run uses them, so that another implementation can take their place.

pub(crate) mod ours;
pub(crate) mod present;

use etcd_client_core::{Client, Value};
use etcd_concurrency::{Error, Session};
use etcd_testkit::history::Share;

/// How many hold a permit at a time.
pub(crate) const PERMITS: usize = 2;

/// What can be held.
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
    /// What contends with each other.
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

/// What can be queued in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Queue,
    Priority,
    /// A queue that is used by a session, which finds out what became of each call.
    Known,
    KnownPriority,
}

impl Line {
    pub(crate) const ALL: [Self; 4] = [Self::Queue, Self::Priority, Self::Known, Self::KnownPriority];

    /// Whether no outcome stays unknown while the session lives.
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

/// The name of the double barrier, and how many take part.
pub(crate) const MEETING: (&str, usize) = ("meeting", 2);

/// Where keys of these recipes can be left over: not queues, whose items have no owner, and not a double barrier's `ready`, which stays
/// where all who were inside left without waiting for each other. It opens no later round: a participant looks for one newer than itself.
pub(crate) const PLACES: [&str; 6] = ["lock", "rw", "permits", "office", "barrier", "meeting/waiters"];

/// One contender.
pub(crate) trait Recipes: Clone + Send + Sync + 'static {
    type Held: Held;
    type Inside: Inside;

    /// Whether queues used by a session find out what became of each call.
    const FINDS_OUT: bool;

    fn new(client: &Client, session: &Session) -> Self;
    fn session(&self) -> &Session;
    fn take(&self, what: Taking, number: u64) -> impl Future<Output = Result<Self::Held, Error>> + Send;
    fn enqueue(&self, line: Line, item: String) -> impl Future<Output = Result<i64, Error>> + Send;
    fn dequeue(&self, line: Line) -> impl Future<Output = Result<Option<Value>, Error>> + Send;
    fn enter(&self) -> impl Future<Output = Result<Self::Inside, Error>> + Send;
}

/// Something that is held.
pub(crate) trait Held: Send + 'static {
    fn fence(&self) -> i64;
    fn lost(&self) -> impl Future<Output = Error> + Send + 'static;
    fn give_back(self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// One that is inside of the double barrier.
pub(crate) trait Inside: Send + 'static {
    fn leave(self) -> impl Future<Output = Result<(), Error>> + Send;
}
