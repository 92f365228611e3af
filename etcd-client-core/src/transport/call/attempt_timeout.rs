//! Waits for a response, and abandons the attempt if the member is unresponsive and the call can be retried elsewhere.

use std::{
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use crate::transport::{
    connection::{liveness::ConnectionHealth, verified::Connection},
    grpc::{
        failure::{Failure, deadline_passed},
        observation::Observation,
        timeout::seconds,
    },
    pool::Pool,
};

/// The time of the first check. No connection becomes suspect sooner than this after a request, and most responses
/// arrive much earlier, so that a call usually needs a single timer.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// The interval of checks, and so the maximum delay until a suspicion takes effect.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The time that an attempt waits on an unproven connection after an earlier attempt got no data. It is longer than
/// most round trips, and short enough for a read to complete within 3 s.
const UNPROVEN_TIMEOUT: Duration = Duration::from_millis(300);

/// The connection of an attempt, and the other ones that its request could use.
pub(crate) trait Paths: Sync {
    /// Returns `true` if the connection does not answer a probe.
    fn is_unresponsive(&self) -> bool;
    /// Returns `true` if data was received on the connection since then, in the pool's milliseconds.
    fn has_received_since(&self, moment: u64) -> bool;
    /// Returns `true` if another member can be called now.
    fn has_other_member(&self) -> bool;
    /// Returns `true` if another connection can be used now: to the same member if the request is pinned to it, and to
    /// any member otherwise. With `proven_since`, data must have been received on it since then.
    fn has_other_connection(&self, pinned: bool, proven_since: Option<u64>) -> bool;
}

/// The paths of an attempt on a connection of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolPaths<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) connection: &'a Connection,
}

impl Paths for PoolPaths<'_> {
    fn is_unresponsive(&self) -> bool {
        self.connection.load.health() >= ConnectionHealth::Suspect
    }

    fn has_received_since(&self, moment: u64) -> bool {
        self.connection.has_received_since(moment)
    }

    fn has_other_member(&self) -> bool {
        self.pool.has_ready_besides(&[self.connection.member.id])
    }

    fn has_other_connection(&self, pinned: bool, proven_since: Option<u64>) -> bool {
        self.pool.has_ready_connection(|other| {
            let same_member = other.member.id == self.connection.member.id;
            !std::ptr::eq(other, self.connection)
                && (same_member || !pinned)
                && proven_since.is_none_or(|since| other.has_received_since(since))
        })
    }
}

/// The conditions that end the wait for a response.
#[derive(Debug)]
pub(crate) struct AttemptWatchdog<'a, P> {
    pub(crate) paths: P,
    pub(crate) started: Instant,
    pub(crate) deadline: Option<Instant>,
    /// The time at which to hedge although the member responds to PINGs, since it may be cut off from its peers.
    pub(crate) hedge_at: Option<Instant>,
    /// The time since which a connection must have received data to be considered proven, in the pool's milliseconds.
    /// Set after an earlier attempt got no data: the same network failure may affect this connection.
    pub(crate) proof: Option<u64>,
    /// `true` if the request may be sent twice.
    pub(crate) repeatable: bool,
    /// `true` if the request is only for the endpoint of this connection.
    pub(crate) pinned: bool,
    /// Set once the response has begun to arrive. It is then worth waiting for.
    pub(crate) begun: &'a AtomicBool,
}

impl<P: Paths> AttemptWatchdog<'_, P> {
    /// Returns the result of the attempt, or the reason why it was abandoned.
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
        // A call that cannot be repeated gains nothing from checks: it waits for its deadline.
        let first = self.repeatable.then(|| self.started + wait);
        [first, self.hedge_at, self.deadline].into_iter().flatten().min()
    }

    fn look(&self, now: Instant) -> Result<Option<Instant>, Failure> {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Err(deadline_passed());
        }
        if self.repeatable {
            self.check_alternatives(now)?;
        }
        let next = self.repeatable.then(|| now + LOOK_EVERY);
        Ok([next, self.deadline].into_iter().flatten().min())
    }

    fn check_alternatives(&self, now: Instant) -> Result<(), Failure> {
        let unresponsive = self.paths.is_unresponsive();
        let begun = self.begun.load(Ordering::Relaxed);
        // A response that has begun proves that the member serves the request, so it is not hedged.
        let hedges = self.hedge_at.is_some_and(|end| now >= end) && !begun;
        // Without an alternative the attempt keeps waiting, since the member may recover.
        // Another connection to the same member may work: a NAT or a tunnel that forgot one connection accepts new ones.
        let text = if unresponsive && self.paths.has_other_connection(self.pinned, None) {
            "member unresponsive: no reply to an HTTP/2 PING".into()
        } else if hedges && !self.pinned && self.paths.has_other_member() {
            format!("no response within {}; hedging on another member", seconds(now - self.started))
        } else if !begun && now >= self.started + UNPROVEN_TIMEOUT && self.has_proven_path() {
            "no data on this connection since the request, while another connection works".into()
        } else {
            return Ok(());
        };
        Err(Failure::new(Observation::Abandoned, text))
    }

    /// Returns `true` if this connection is unproven and another one is proven.
    fn has_proven_path(&self) -> bool {
        self.proof.is_some_and(|since| {
            !self.paths.has_received_since(since) && self.paths.has_other_connection(self.pinned, Some(since))
        })
    }
}

#[cfg(test)]
mod tests;
