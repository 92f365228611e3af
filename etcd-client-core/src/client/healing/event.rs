//! What is told of a lease that heals itself.

use etcd_errors::Error;

use crate::{
    model::{Key, LeaseId},
    service::LeaseLost,
};

/// What happened to a lease that heals itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HealingEvent {
    /// The lease was lost. Its keys must be taken for gone until it is healed.
    Lost(LeaseLost),
    /// Another one was granted, and the attached keys were put with it.
    Healed {
        /// The new lease.
        lease: LeaseId,
    },
    /// Somebody else has put an attached key: it is not attached any more.
    Taken {
        /// The key.
        key: Key,
    },
    /// A step of the healing failed, and is tried again.
    Failed(Error),
    /// It is over: the lease was revoked, or the client closed.
    Ended(LeaseLost),
}
