//! Waiting for an answer with open eyes: a caller that can ask elsewhere does not wait for a member that has gone silent.

use std::{
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use super::{
    call::{deadline_passed, seconds},
    connection::Connection,
    failure::Failure,
    pool::Pool,
};
use crate::mechanism::{liveness::Vital, retry::Observation};

/// No connection is suspect sooner than this after the request; most answers come long before, and cost one timer.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// How long a suspicion may go unnoticed.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What ends a wait besides an answer.
#[derive(Debug)]
pub(crate) struct Lookout<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) connection: &'a Connection,
    pub(crate) started: Instant,
    pub(crate) deadline: Option<Instant>,
    /// When to ask elsewhere although the member lives; it may be cut off from the others.
    pub(crate) patience: Option<Instant>,
    /// Whether the request may be sent again elsewhere.
    pub(crate) repeatable: bool,
    /// Whether an answer has begun to come, which is worth waiting for.
    pub(crate) begun: &'a AtomicBool,
}

impl Lookout<'_> {
    /// The attempt's end, or why it is not waited for any longer.
    pub(crate) async fn wait<T>(
        &self,
        attempt: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut attempt = pin!(attempt);
        let mut next = self.first_look();
        while let Some(look) = next {
            if let Ok(end) = timeout_at(look, attempt.as_mut()).await {
                return end;
            }
            next = self.look(Instant::now())?;
        }
        attempt.await
    }

    fn first_look(&self) -> Option<Instant> {
        let first = self.repeatable.then(|| self.started + FIRST_LOOK);
        [first, self.patience, self.deadline].into_iter().flatten().min()
    }

    fn look(&self, now: Instant) -> Result<Option<Instant>, Failure> {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Err(deadline_passed());
        }
        if self.repeatable {
            self.give_up(now)?;
        }
        let next = self.repeatable.then(|| now + LOOK_EVERY);
        Ok([next, self.deadline].into_iter().flatten().min())
    }

    fn give_up(&self, now: Instant) -> Result<(), Failure> {
        let silent = self.connection.gauge.vital() >= Vital::Suspect;
        let impatient = self.patience.is_some_and(|end| now >= end) && !self.begun.load(Ordering::Relaxed);
        if !(silent || impatient) || !self.pool.has_ready_besides(&[self.connection.member.id]) {
            return Ok(());
        }
        let text = if silent {
            "the member went silent: it answers no PING either".into()
        } else {
            format!("no answer within {}, asking another member", seconds(now - self.started))
        };
        Err(Failure::new(Observation::Abandoned, text))
    }
}
