//! The requests of the Lock service.

pub(crate) mod lock;
pub(crate) mod unlock;
