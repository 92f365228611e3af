//! What follows from what came in on a stream of watches: what is to be sent, and what to be told.

use super::position::Position;
use crate::model::{Event, ResponseHeader};

/// A watch, by a number that is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) u64);

/// What is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Create {
        ticket: Ticket,
        start: i64,
        fragment: bool,
        /// The number that the server is asked to give it.
        number: i64,
    },
    Cancel(i64),
    Progress,
    Echo,
}

/// What follows from what came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Send(Request),
    Created {
        ticket: Ticket,
        header: ResponseHeader,
        /// The member's store has less than the watch has seen.
        behind: bool,
        /// The watch begins after what the store has.
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
    /// The server ended it: nothing more comes, and the machine has forgotten it.
    Ended {
        ticket: Ticket,
        position: Position,
        end: End,
    },
    /// The stream is of no use any more. What it carried is to be created again on another one.
    Broken(&'static str),
}

/// Why a server ended a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was not created.
    Denied { reason: String },
    /// What it has not delivered is gone: history begins at this revision.
    Compacted { revision: i64 },
    /// It was cancelled after its creation.
    Canceled { reason: String },
    /// What was sent cannot be.
    Nonsense(&'static str),
}
