//! The watches of one stream as a state machine: server messages go in, requests and deliveries come out.
//!
//! It outlives the stream. When a stream is lost, each watch is re-created at its [`Position`](position::Position).

pub(crate) mod idle_timeout;

pub(crate) mod action;
pub(crate) mod assembly;
pub(crate) mod filter;
pub(crate) mod numbers;
pub(crate) mod position;
pub(crate) mod rules;
pub(crate) mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod versions;
