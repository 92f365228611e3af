//! Watches that share one stream, as a state machine: what a server says goes in, what is to be sent and delivered comes out.
//!
//! It survives the stream: when that is lost, each watch is created again where it stopped, which its [`Position`] knows.

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
