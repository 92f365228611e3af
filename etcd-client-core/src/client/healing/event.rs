//! The events of a self-healing lease.

use etcd_errors::Error;

use crate::{
    lease::LeaseLost,
    types::{Key, LeaseId},
};

/// An event of a self-healing lease.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HealingEvent {
    /// The lease was lost. Treat its keys as deleted until the lease is healed.
    Lost(LeaseLost),
    /// Another lease was granted, and every attached key was put with it.
    Healed {
        /// The new lease.
        lease: LeaseId,
    },
    /// Another client has put an attached key. The key is detached and keeps the value of the other client.
    Taken {
        /// The key.
        key: Key,
    },
    /// Putting an attached key failed. The key stays attached.
    ///
    /// During healing the put is retried until it succeeds or the next lease is lost. After a failed
    /// [`attach`](crate::client::HealingLease::attach) of a key that was attached before, the key keeps its earlier value.
    AttachFailed {
        /// The key.
        key: Key,
        /// The error of the put.
        error: Error,
    },
    /// Granting another lease failed. The grant is retried.
    Failed(Error),
    /// Healing has ended: the lease was revoked, or the client was closed.
    Ended(LeaseLost),
}
