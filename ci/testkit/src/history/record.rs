//! One line of a history: an edge of something that takes time, and when it was seen.

use serde::{Deserialize, Serialize};

use super::{Action, HoldId, LeaseId, Nanos, OpId, Rev, Value, WatchId, WatchRequest};

/// The version of the file format. A reader rejects all others.
pub const SCHEMA: u32 = 1;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The time of the record.
    pub t: Nanos,
    /// The recorded event.
    #[serde(flatten)]
    pub edge: Edge,
}

/// A recorded event.
///
/// Everything that takes time has one edge at its start and one at its end, so that the history of an interrupted run
/// shows what was in progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Edge {
    /// The first line, which describes the run.
    Run {
        /// [`SCHEMA`].
        schema: u32,
        /// The version of etcd.
        etcd: String,
        /// The seed of the faults and of the load.
        seed: u64,
    },

    /// An operation begins; several actions are one transaction.
    Invoke {
        /// The operation.
        op: OpId,
        /// The operation.
        actions: Vec<Action>,
    },
    /// It was answered.
    Ok {
        /// The operation.
        op: OpId,
        /// The revision of the answer.
        revision: Rev,
        /// Set if the store changed, as far as the response shows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        changed: Option<bool>,
    },
    /// It failed, and is said to have done nothing.
    NotApplied {
        /// The operation.
        op: OpId,
        /// The text of the error.
        reason: String,
    },
    /// It failed, and may have been applied.
    Unknown {
        /// The operation.
        op: OpId,
        /// The text of the error.
        reason: String,
    },
    /// One attempt of an operation on the wire.
    Attempt {
        /// The operation.
        op: OpId,
        /// The endpoint.
        endpoint: String,
        /// Set if the request was sent or may have been sent.
        sent: bool,
        /// The result.
        outcome: String,
    },

    /// A watch is asked for.
    WatchRequested {
        /// The watch.
        watch: WatchId,
        /// The request.
        request: WatchRequest,
    },
    /// It is there.
    WatchCreated {
        /// The watch.
        watch: WatchId,
        /// The revision before the first one that the watch delivers, if the client reported it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<Rev>,
    },
    /// It gave one response with events.
    WatchEvents {
        /// The watch.
        watch: WatchId,
        /// The events, in their order.
        events: Vec<Event>,
    },
    /// It said that everything up to a revision was given.
    WatchProgress {
        /// The watch.
        watch: WatchId,
        /// The revision.
        revision: Rev,
    },
    /// It skipped history that is gone.
    WatchResynced {
        /// The watch.
        watch: WatchId,
        /// The revision whose state it now stands at.
        revision: Rev,
        /// The changes between the delivered revision and the new one.
        events: Vec<Event>,
    },
    /// It ended.
    WatchEnded {
        /// The watch.
        watch: WatchId,
        /// The reason.
        reason: String,
    },
    /// The load is over and its last revision is this: each watch that is open here must have given everything up to
    /// it.
    Quiesced {
        /// The revision.
        revision: Rev,
    },

    /// A lease was granted.
    LeaseGranted {
        /// The lease.
        lease: LeaseId,
        /// The time at which the request was sent.
        sent: Nanos,
        /// The time to live that was granted, in milliseconds.
        ttl_ms: u64,
    },
    /// A renewal leaves.
    KeepaliveSent {
        /// The lease.
        lease: LeaseId,
    },
    /// A renewal was answered.
    KeepaliveAcked {
        /// The lease.
        lease: LeaseId,
        /// The time at which the answered renewal was sent.
        sent: Nanos,
        /// The time to live from then on, in milliseconds; zero for a lease that the server does not know.
        ttl_ms: u64,
    },
    /// The client says that the lease may be gone.
    LeaseLost {
        /// The lease.
        lease: LeaseId,
        /// The reason.
        reason: String,
    },

    /// A lock is held from here on.
    LockAcquired {
        /// The hold.
        hold: HoldId,
        /// The lock.
        name: String,
        /// The number that orders the holders of a lock.
        fence: Rev,
        /// The lease that the hold depends on.
        lease: LeaseId,
        /// The others that may hold the lock at the same time.
        #[serde(default)]
        share: Share,
    },
    /// The client reports that it may no longer hold the lock.
    LockLost {
        /// The hold.
        hold: HoldId,
        /// The reason.
        reason: String,
    },
    /// The holder gives the lock back: it does not rely on it from here on.
    Unlock {
        /// The hold.
        hold: HoldId,
    },

    /// The load rests, every request that was under way was applied, and what was given up had time to be removed:
    /// every key at or below these names belongs to a hold.
    Settled {
        /// The revision.
        revision: Rev,
        /// The names of locks, elections, barriers and the like.
        names: Vec<String>,
    },

    /// A put of an item into a queue starts. Its result is recorded as for any operation.
    Enqueue {
        /// The operation.
        op: OpId,
        /// The queue.
        queue: String,
        /// The item, which is no other's.
        item: Value,
    },
    /// An item is to be taken from a queue.
    Dequeue {
        /// The operation.
        op: OpId,
        /// The queue.
        queue: String,
    },
    /// It was taken, or there was none. Otherwise one may have been taken: that is `Unknown`, or `NotApplied` where
    /// none was.
    Dequeued {
        /// The operation.
        op: OpId,
        /// The item.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<Value>,
    },

    /// A wait for a barrier begins.
    Passing {
        /// The wait.
        op: OpId,
        /// The barrier, which is held as locks are.
        name: String,
    },
    /// The wait is over: the barrier was down.
    Passed {
        /// The wait.
        op: OpId,
    },
    /// A participant arrives at a double barrier.
    Entering {
        /// The participation.
        hold: HoldId,
        /// The barrier.
        name: String,
        /// The number of participants.
        of: usize,
    },
    /// All have come, as far as the participant knows.
    Entered {
        /// The participation.
        hold: HoldId,
    },
    /// The participant leaves.
    Leaving {
        /// The participation.
        hold: HoldId,
    },
    /// All have left, as far as the participant knows.
    Left {
        /// The participation.
        hold: HoldId,
    },
    /// The participant gave up and did not wait for the others.
    Withdrawn {
        /// The participation.
        hold: HoldId,
    },

    /// A fault begins, or is healed.
    Fault {
        /// The member, by its place in the cluster.
        member: usize,
        /// The fault or its end.
        what: String,
    },

    /// An event of a watch of all keys on one member: the actual changes, as far as this member reports them.
    Witness {
        /// The member, by its place in the cluster.
        member: usize,
        /// Whole revisions, in order.
        events: Vec<Event>,
    },
    /// A member's own watch met a compaction: it did not see these revisions.
    WitnessGap {
        /// The member, by its place in the cluster.
        member: usize,
        /// The first that it did not see.
        from: Rev,
        /// The last that it did not see.
        to: Rev,
    },
}

/// The clients that may hold a lock at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// One at a time.
    #[default]
    Alone,
    /// Any number of those that share it so.
    Readers,
    /// Up to this many holders.
    Permits(usize),
    /// Any number, together with all others: several holders that exclude others but not each other.
    Anybody,
}

/// The change of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was put.
    Put,
    /// It was deleted.
    Delete,
}

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The revision that made it.
    pub revision: Rev,
    /// The kind of the change.
    pub change: Change,
    /// The key.
    pub key: String,
    /// The value; empty for a deletion.
    #[serde(default)]
    pub value: Value,
    /// Set if the reporter calls the change a creation.
    #[serde(default)]
    pub is_create: bool,
    /// The lease that the key is attached to from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseId>,
    /// The pair before the change, where it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Previous>,
}

/// The pair before a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// The revision that had put it.
    pub revision: Rev,
    /// The value.
    pub value: Value,
}
