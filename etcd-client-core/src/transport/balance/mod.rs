//! TODO-HEADER transport::balance

pub(crate) mod ejection;
pub(crate) mod large;
pub(crate) mod latency;
pub(crate) mod leader;
pub(crate) mod member_health;
pub(crate) mod pick;
pub(crate) mod policy;
