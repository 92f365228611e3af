//! The watches of one stream as a state machine: server messages go in, requests and deliveries come out.
//!
//! It outlives the stream. When a stream is lost, each watch is re-created at its [`Position`].

pub(crate) mod idle_timeout;

pub(crate) mod assembly;
pub(crate) mod filter;
pub(crate) mod numbers;
pub(crate) mod position;
pub(crate) mod rules;
pub(crate) mod stream;
#[cfg(test)]
mod tests;

use crate::{
    types::{Event, ResponseHeader},
    watch::state::position::Position,
};

/// The id of a watch, which is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) u64);

/// A request to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Create {
        ticket: Ticket,
        start: i64,
        fragment: bool,
        /// The watch id that the server is asked to assign.
        number: i64,
    },
    Cancel(i64),
    Progress,
    Echo,
}

/// An action for the stream task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Send(Request),
    Created {
        ticket: Ticket,
        header: ResponseHeader,
        /// True if the member's store is behind what the watch has seen.
        behind: bool,
        /// True if the watch starts after the end of the store.
        future: bool,
    },
    Deliver {
        ticket: Ticket,
        header: ResponseHeader,
        events: Vec<Event>,
    },
    Progress {
        ticket: Ticket,
        header: ResponseHeader,
    },
    /// The server ended the watch. It sends nothing more, and the state machine has removed the watch.
    Ended {
        ticket: Ticket,
        position: Position,
        end: End,
    },
    /// The stream can no longer be used. Its watches are to be re-created on another one.
    Broken(&'static str),
}

/// The reason why a server ended a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was not created.
    Denied { reason: String },
    /// The events that it needs next were compacted. History starts at this revision.
    Compacted { revision: i64 },
    /// It was cancelled after its creation.
    Canceled { reason: String },
    /// The server sent invalid events.
    ProtocolViolation(&'static str),
}
