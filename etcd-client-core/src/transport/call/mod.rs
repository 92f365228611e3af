//! Unary calls: attempts, retries, hedging and the deadline.

pub(crate) mod attempt;
pub(crate) mod attempt_timeout;
pub(crate) mod authenticate;
pub(crate) mod budget;
pub(crate) mod call_state;
pub(crate) mod channel;
pub(crate) mod deadline;
pub(crate) mod leader;
pub(crate) mod member_version;
pub(crate) mod observed_call;
pub(crate) mod operation;
pub(crate) mod retry;
pub(crate) mod unary;
