//! The requests of the Cluster service.

pub(crate) mod add;
pub(crate) mod list;
pub(crate) mod promote;
pub(crate) mod remove;
pub(crate) mod update;
