//! The events of a lease that heals itself.

use etcd_errors::Error;

use crate::{
    model::{Key, LeaseId},
    service::LeaseLost,
};

/// What happened to a lease that heals itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HealingEvent {
    /// The lease was lost. Consider its keys deleted until it is healed.
    Lost(LeaseLost),
    /// Another lease was granted, and every attached key was put with it.
    Healed {
        /// The new lease.
        lease: LeaseId,
    },
    /// Another client has put an attached key. The key is left alone and is not attached any more.
    Taken {
        /// The key.
        key: Key,
    },
    /// Putting an attached key failed. The key stays attached.
    ///
    /// During healing the put is retried until it succeeds or the next lease is lost. After a failed
    /// [`attach`](super::HealingLease::attach) of a key that was attached before, the key keeps its earlier value.
    AttachFailed {
        /// The key.
        key: Key,
        /// Why the put failed.
        error: Error,
    },
    /// Granting another lease failed. It is retried.
    Failed(Error),
    /// Healing has ended: the lease was revoked, or the client was closed.
    Ended(LeaseLost),
}
