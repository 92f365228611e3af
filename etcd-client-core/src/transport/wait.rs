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

/// How long an attempt waits on a path that is not proven, after an earlier one met silence: longer than most round trips, and
/// short enough for the 3 s of a read.
const UNPROVEN_PATIENCE: Duration = Duration::from_millis(300);

/// What ends a wait besides an answer.
#[derive(Debug)]
pub(crate) struct Lookout<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) connection: &'a Connection,
    pub(crate) started: Instant,
    pub(crate) deadline: Option<Instant>,
    /// When to ask elsewhere although the member lives; it may be cut off from the others.
    pub(crate) patience: Option<Instant>,
    /// Since when a connection must have been heard from to be proven, in the pool's milliseconds, where an earlier attempt met
    /// silence: what broke one path may have broken this one too.
    pub(crate) proof: Option<u64>,
    /// Whether the request may be sent a second time.
    pub(crate) repeatable: bool,
    /// Whether it is for the endpoint of this connection only.
    pub(crate) pinned: bool,
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
        let wait = if self.proof.is_some() { LOOK_EVERY } else { FIRST_LOOK };
        let first = self.repeatable.then(|| self.started + wait);
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
        let begun = self.begun.load(Ordering::Relaxed);
        let impatient = self.patience.is_some_and(|end| now >= end) && !begun;
        let text = if silent && self.has_another_path() {
            "the member went silent: it answers no PING either".into()
        } else if impatient && !self.pinned && self.pool.has_ready_besides(&[self.connection.member.id]) {
            format!("no answer within {}, asking another member", seconds(now - self.started))
        } else if !begun && now >= self.started + UNPROVEN_PATIENCE && self.has_proven_path() {
            "nothing was heard on this connection, and another one is known to work".into()
        } else {
            return Ok(());
        };
        Err(Failure::new(Observation::Abandoned, text))
    }

    /// Whether the request can go over another connection: to another member, or a fresh one to the same member, since a NAT
    /// or a tunnel that forgot one connection takes new ones.
    fn has_another_path(&self) -> bool {
        self.pool.has_ready_connection(|other| self.is_alternative(other))
    }

    /// Whether this connection is not proven, and another one is.
    fn has_proven_path(&self) -> bool {
        self.proof.is_some_and(|since| {
            let proven = |other: &Connection| other.is_heard_since(since) && self.is_alternative(other);
            !self.connection.is_heard_since(since) && self.pool.has_ready_connection(proven)
        })
    }

    fn is_alternative(&self, other: &Connection) -> bool {
        let same_member = other.member.id == self.connection.member.id;
        !std::ptr::eq(other, self.connection) && (same_member || !self.pinned)
    }
}
