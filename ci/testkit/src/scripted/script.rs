//! Scripts: the responses of a server to each call, as data.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

/// The steps of one call, in order.
pub type Answer = Vec<Step>;

/// One thing a server does while it has a call.
///
/// [`Reset`](Self::Reset), [`GoAway`](Self::GoAway), [`Frame`](Self::Frame) and [`Close`](Self::Close) first wait until
/// the client has read what the call sent before.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Reads the request to its end. The call counts as received from here on.
    ReadRequest,
    /// Sends the header block of the answer.
    Head(Head),
    /// Sends one DATA frame, or as many as flow control wants.
    Data(Bytes),
    /// Sends DATA of these bytes for as long as the client reads.
    Repeat(Bytes),
    /// Ends the stream with an empty DATA frame.
    End,
    /// Sends trailers, which end the stream. Names must be valid header names; values may hold bytes above ASCII.
    Trailers(Vec<(String, Bytes)>),
    /// Sends RST_STREAM with this reason.
    Reset(u32),
    /// Sends GOAWAY and continues.
    GoAway {
        /// The last stream that it says was processed.
        last: Last,
        /// The reason, 0 for an orderly end.
        reason: u32,
    },
    /// Sends one HTTP/2 frame, right or wrong.
    Frame {
        /// The frame type.
        kind: u8,
        /// Its flags.
        flags: u8,
        /// Its stream, `None` for the call's own.
        stream: Option<u32>,
        /// The payload after the frame header.
        payload: Bytes,
    },
    /// Closes the connection, with all calls on it.
    Close,
    /// Waits until the gate is open.
    Pause(Gate),
    /// Waits for this time.
    Sleep(Duration),
    /// Does nothing until the client ends the call.
    Hang,
}

impl Step {
    /// Returns `true` if the step shows that the request of the call was not processed.
    pub(super) fn disowns(&self) -> bool {
        match self {
            Self::Reset(reason) => *reason == super::reply::REFUSED_STREAM,
            Self::GoAway { last, .. } => *last == Last::Below,
            _ => false,
        }
    }
}

/// The header block of an answer.
#[derive(Clone, Debug)]
pub struct Head {
    /// The HTTP status.
    pub status: u16,
    /// The headers. Names must be valid header names; values may hold bytes above ASCII.
    pub headers: Vec<(String, Bytes)>,
    /// Set if the header block ends the stream.
    pub end: bool,
}

/// The last stream that a GOAWAY says was or may be processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// The one before the call's own: the call was not processed.
    Below,
    /// The call's own.
    This,
    /// The highest there is: the first GOAWAY of an orderly end.
    Max,
}

/// Holds calls back until a test lets them go on.
#[derive(Clone, Debug)]
pub struct Gate {
    open: watch::Sender<bool>,
}

impl Gate {
    /// A closed gate; clones are the same gate.
    #[must_use]
    pub fn closed() -> Self {
        Self { open: watch::Sender::new(false) }
    }

    /// Lets every call through, those that wait and later ones.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    pub(super) async fn passed(&self) {
        // The sender lives as long as this gate.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }
}

/// A call as it begins.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method, as in `/etcdserverpb.KV/Put`.
    pub path: String,
    /// The number of the call among those of this method on this server, from 1.
    pub number: usize,
    /// The number of the connection of this server, from 1.
    pub connection: usize,
}

/// Chooses the answer of each call. Any `Fn(&Call) -> Answer` is one.
pub trait Script: Send + Sync + 'static {
    /// The steps for this call.
    fn answer(&self, call: &Call) -> Answer;
}

impl<F: Fn(&Call) -> Answer + Send + Sync + 'static> Script for F {
    fn answer(&self, call: &Call) -> Answer {
        self(call)
    }
}

/// Gives the first call of each method the first answer, and so on; the last answer is for all that follow.
///
/// # Panics
/// When a call comes and there is no answer at all.
pub fn in_turn(answers: impl IntoIterator<Item = Answer>) -> impl Script {
    let answers: Vec<Answer> = answers.into_iter().collect();
    move |call: &Call| {
        let last = answers.len().checked_sub(1).expect("a script holds an answer");
        answers[(call.number - 1).min(last)].clone()
    }
}
