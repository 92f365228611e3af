//! The watches of one stream as a state machine: server messages go in, requests and deliveries come out.
//!
//! It outlives the stream. When a stream is lost, each watch is re-created at its [`Position`].

mod action;
mod assembly;
mod filter;
mod numbers;
mod position;
mod rules;
mod silence;
mod stream;
#[cfg(test)]
mod tests;
mod versions;

pub(crate) use action::{Action, End, Request, Ticket};
pub(crate) use filter::Filter;
pub(crate) use position::Position;
pub(crate) use stream::WatchStream;
pub(crate) use versions::answers_progress_in_order;
