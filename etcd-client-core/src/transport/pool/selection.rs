//! The connection that a call prefers, and the rating of connections for it.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::transport::{
    balance::{
        Balance, Preference,
        member_health::Scope,
        pick::{Choice, Rating, Standing},
    },
    connection::{limit::Limit, liveness::ConnectionHealth, verified::Connection},
};

/// The properties of a call that determine its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection<'a> {
    /// The members on which this call has failed.
    pub(crate) tried: &'a [usize],
    /// The connections on which this stream has failed. Another one is used, even to the same endpoint.
    pub(crate) shunned: &'a [usize],
    pub(crate) preference: Preference<'a>,
    pub(crate) scope: Scope,
    /// The time since which a connection must have received something to be preferred, in the pool's milliseconds.
    /// Zero disables the preference.
    pub(crate) proven_since: u64,
    /// `true` if the call may write.
    pub(crate) write: bool,
    /// The current time, in the pool's milliseconds.
    pub(crate) now: u64,
}

impl<'a> Selection<'a> {
    /// Returns a selection without preferences.
    pub(crate) fn any(now: u64) -> Self {
        Self {
            tried: &[],
            shunned: &[],
            preference: Preference::Any,
            scope: Scope::Quorum,
            proven_since: 0,
            write: false,
            now,
        }
    }

    /// Returns the same selection for a later time.
    pub(crate) fn at(&self, now: u64) -> Self {
        Self { now, ..*self }
    }

    pub(crate) fn choice(&self, balance: Balance, candidates: usize, turn: &AtomicUsize) -> Choice {
        match (self.preference, balance) {
            (Preference::Nearest, _) => Choice::Cheapest,
            (_, Balance::RoundRobin) => Choice::InTurn(turn.fetch_add(1, Ordering::Relaxed)),
            _ if candidates < 2 => Choice::Cheapest,
            _ => Choice::TwoRandom(fastrand::u64(..)),
        }
    }

    /// Returns the cost of a connection for this call, or `None` if the call cannot use it.
    pub(crate) fn rate(&self, connection: &Connection) -> Option<Rating> {
        self.rate_for(connection, connection.available_load()?)
    }

    /// Returns the cost of a connection at the given load.
    pub(crate) fn rate_for(&self, connection: &Connection, in_flight: usize) -> Option<Rating> {
        // A learner, and a member whose store may be behind the known history, serve only requests without
        // quorum.
        if self.scope == Scope::Quorum && connection.limit() != Limit::None {
            return None;
        }
        let in_flight = in_flight as u64;
        let member = &*connection.member;
        let preferred = match self.preference {
            Preference::Any | Preference::Nearest => true,
            Preference::Member(id) => member.server() == id,
            Preference::Only(endpoint) if member.endpoint == *endpoint => true,
            Preference::Only(_) => return None,
        };
        let standing = Standing::GOOD
            .and_if(!preferred, Standing::OTHERS_PREFERRED)
            .and_if(self.tried.contains(&member.id), Standing::TRIED)
            .and_if(member.is_ejected(self.scope, self.write, self.now), Standing::EJECTED)
            .and_if(!connection.has_received_since(self.proven_since), Standing::UNPROVEN)
            .and_if(connection.load.health() != ConnectionHealth::Alive, Standing::DOUBTFUL);
        let cost = match self.preference {
            // Latency first, load as the tie-breaker: the low 20 bits hold the number of calls in flight.
            Preference::Nearest => u64::from(member.latency.micros(self.now)) << 20 | in_flight.min(0xF_FFFF),
            _ => (in_flight + 1) << member.latency.distance(self.now),
        };
        Some((standing, cost))
    }
}
