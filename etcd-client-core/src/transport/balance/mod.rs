//! Decides which member and which connection serve a call.

pub(crate) mod ejection;
pub(crate) mod large;
pub(crate) mod latency;
pub(crate) mod leader;
pub(crate) mod member_health;
pub(crate) mod pick;
pub(crate) mod policy;
