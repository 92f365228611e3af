//! One line of a history: an edge of something that takes time, and when it was seen.

use serde::{Deserialize, Serialize};

use super::{Action, HoldId, LeaseId, Nanos, OpId, Rev, Value, WatchId, WatchRequest};

/// Which version of the format a file holds; a reader refuses any other.
pub const SCHEMA: u32 = 1;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When it was seen.
    pub t: Nanos,
    /// What was seen.
    #[serde(flatten)]
    pub edge: Edge,
}

/// What was seen.
///
/// Whatever takes time has one edge where it begins and one where it ends, so that a run that was cut short still tells what was
/// under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Edge {
    /// The first line: what was run.
    Run {
        /// [`SCHEMA`].
        schema: u32,
        /// The version of etcd.
        etcd: String,
        /// What the faults and the load were drawn from.
        seed: u64,
    },

    /// An operation begins; several actions are one transaction.
    Invoke {
        /// Which.
        op: OpId,
        /// What it does.
        actions: Vec<Action>,
    },
    /// It was answered.
    Ok {
        /// Which.
        op: OpId,
        /// The revision of the answer.
        revision: Rev,
        /// Whether the store changed, where the answer tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        changed: Option<bool>,
    },
    /// It failed, and is said to have done nothing.
    NotApplied {
        /// Which.
        op: OpId,
        /// What the error says.
        reason: String,
    },
    /// It failed, and may have been applied.
    Unknown {
        /// Which.
        op: OpId,
        /// What the error says.
        reason: String,
    },
    /// One attempt of an operation on the wire.
    Attempt {
        /// Which.
        op: OpId,
        /// The endpoint.
        endpoint: String,
        /// Whether the request left the process, or may have.
        sent: bool,
        /// How it ended.
        outcome: String,
    },

    /// A watch is asked for.
    WatchRequested {
        /// Which.
        watch: WatchId,
        /// What it asks for.
        request: WatchRequest,
    },
    /// It is there.
    WatchCreated {
        /// Which.
        watch: WatchId,
        /// The revision before the first one that it gives, where it is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<Rev>,
    },
    /// It gave one response with events.
    WatchEvents {
        /// Which.
        watch: WatchId,
        /// The events, in their order.
        events: Vec<Event>,
    },
    /// It said that everything up to a revision was given.
    WatchProgress {
        /// Which.
        watch: WatchId,
        /// The revision.
        revision: Rev,
    },
    /// It skipped history that is gone.
    WatchResynced {
        /// Which.
        watch: WatchId,
        /// The revision whose state it now stands at.
        revision: Rev,
        /// What leads there from what was given.
        events: Vec<Event>,
    },
    /// It ended.
    WatchEnded {
        /// Which.
        watch: WatchId,
        /// Why.
        reason: String,
    },
    /// The load is over and its last revision is this: each watch that is open here must have given everything up to it.
    Quiesced {
        /// The revision.
        revision: Rev,
    },

    /// A lease was granted.
    LeaseGranted {
        /// Which.
        lease: LeaseId,
        /// When the request was sent.
        sent: Nanos,
        /// The time to live that was granted, in milliseconds.
        ttl_ms: u64,
    },
    /// A renewal leaves.
    KeepaliveSent {
        /// Which lease.
        lease: LeaseId,
    },
    /// A renewal was answered.
    KeepaliveAcked {
        /// Which lease.
        lease: LeaseId,
        /// When the renewal that this answers was sent.
        sent: Nanos,
        /// The time to live from then on, in milliseconds; zero for a lease that the server does not know.
        ttl_ms: u64,
    },
    /// The client says that the lease may be gone.
    LeaseLost {
        /// Which.
        lease: LeaseId,
        /// Why.
        reason: String,
    },

    /// A lock is held from here on.
    LockAcquired {
        /// Which hold.
        hold: HoldId,
        /// The lock.
        name: String,
        /// The number that orders the holders of a lock.
        fence: Rev,
        /// What the hold lives on.
        lease: LeaseId,
        /// Who else may hold it at the same time.
        #[serde(default)]
        share: Share,
    },
    /// The client says that the lock may not be held any more.
    LockLost {
        /// Which hold.
        hold: HoldId,
        /// Why.
        reason: String,
    },
    /// The holder gives the lock back: it does not rely on it from here on.
    Unlock {
        /// Which hold.
        hold: HoldId,
    },

    /// The load rests, every request that was under way was applied, and what was given up had time to be removed: every key at or below
    /// these names belongs to a hold.
    Settled {
        /// The revision.
        revision: Rev,
        /// The names of locks, elections, barriers and the like.
        names: Vec<String>,
    },

    /// An item is to be put into a queue; how that ends is told as of any operation.
    Enqueue {
        /// Which operation.
        op: OpId,
        /// The queue.
        queue: String,
        /// The item, which is no other's.
        item: Value,
    },
    /// An item is to be taken from a queue.
    Dequeue {
        /// Which operation.
        op: OpId,
        /// The queue.
        queue: String,
    },
    /// It was taken, or there was none. Otherwise one may have been taken: that is `Unknown`, or `NotApplied` where none was.
    Dequeued {
        /// Which operation.
        op: OpId,
        /// The item.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<Value>,
    },

    /// A wait for a barrier begins.
    Passing {
        /// Which wait.
        op: OpId,
        /// The barrier, which is held as locks are.
        name: String,
    },
    /// The wait is over: the barrier was down.
    Passed {
        /// Which wait.
        op: OpId,
    },
    /// A participant comes to a double barrier.
    Entering {
        /// Which participation.
        hold: HoldId,
        /// The barrier.
        name: String,
        /// How many are to come.
        of: usize,
    },
    /// All have come, as far as the participant knows.
    Entered {
        /// Which participation.
        hold: HoldId,
    },
    /// The participant leaves.
    Leaving {
        /// Which participation.
        hold: HoldId,
    },
    /// All have left, as far as the participant knows.
    Left {
        /// Which participation.
        hold: HoldId,
    },
    /// The participant does not take part any more, and did not wait for the others.
    Withdrawn {
        /// Which participation.
        hold: HoldId,
    },

    /// A fault begins, or is healed.
    Fault {
        /// The member, by its place in the cluster.
        member: usize,
        /// What happens to it.
        what: String,
    },

    /// What a member's own watch of all keys gave: what really happened, as far as this member knows.
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

/// Who may hold a lock at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// One at a time.
    #[default]
    Alone,
    /// Any number of those that share it so.
    Readers,
    /// So many.
    Permits(usize),
    /// Any number, together with everybody: what several may hold up without keeping each other out.
    Anybody,
}

/// What happened to a key.
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
    /// What happened.
    pub change: Change,
    /// The key.
    pub key: String,
    /// The value; empty for a deletion.
    #[serde(default)]
    pub value: Value,
    /// Whether the reporter calls it a creation.
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
