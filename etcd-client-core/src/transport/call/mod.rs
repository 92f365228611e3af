//! Unary calls: attempts, retries, hedging, and the deadline that the calls of one operation share.

pub(crate) mod attempt;
pub(crate) mod attempt_timeout;
pub(crate) mod authenticate;
pub(crate) mod budget;
pub(crate) mod call_state;
pub(crate) mod channel;
pub(crate) mod leader;
pub(crate) mod observed_call;
pub(crate) mod retry;
pub(crate) mod unary;

use std::time::Duration;

use tokio::time::Instant;

use crate::{request::CallOptions, transport::call::channel::Channel};

/// The remaining time of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remaining {
    deadline: Option<Instant>,
}

impl Remaining {
    /// Starts the clock of an operation whose calls have the client's default timeout.
    pub(crate) fn start(channel: &Channel, options: &CallOptions) -> Self {
        let deadline = channel.timeout(options).and_then(|timeout| Instant::now().checked_add(timeout));
        Self { deadline }
    }

    /// Returns the remaining time, or `None` if there is no deadline.
    pub(crate) fn left(self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    pub(crate) fn has_passed(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// Returns the remaining time, but at most `limit`.
    pub(crate) fn at_most(self, limit: Duration) -> Duration {
        self.left().map_or(limit, |left| left.min(limit))
    }

    /// Returns the options of the next call.
    pub(crate) fn options(self, options: &CallOptions) -> CallOptions {
        match self.left() {
            Some(left) => options.clone().timeout(left),
            None => options.clone().no_timeout(),
        }
    }
}
