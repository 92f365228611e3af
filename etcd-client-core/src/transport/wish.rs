//! Which connection a call would like, and how one is rated by that.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    connection::{Connection, Limit},
    record::Need,
};
use crate::{
    mechanism::{
        liveness::Vital,
        pick::{Choice, Rating, Standing},
    },
    model::Endpoint,
};

/// How calls are shared among the members that can take them.
///
/// Whatever is chosen, a member that is down, silent, or of no use of late gets calls only where no other is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Balance {
    /// The less loaded and nearer of two random members.
    #[default]
    Balanced,
    /// Each member in turn.
    RoundRobin,
    /// Writes to the leader, which saves them a hop; reads as [`Balanced`](Self::Balanced). Balanced where the members do
    /// not say who leads.
    PreferLeader,
    /// Serializable reads to the member that answers fastest; everything else as [`Balanced`](Self::Balanced).
    PreferNearest,
}

/// The member that a call prefers or must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preference<'a> {
    Any,
    /// The member with this id, where it is known and ready.
    Member(u64),
    Nearest,
    /// This endpoint and no other.
    Only(&'a Endpoint),
}

/// What is known of a call when it needs a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    /// The members that this call has failed on.
    pub(crate) tried: &'a [usize],
    /// The connections that a stream like this has failed on: another one is used, also to the same endpoint.
    pub(crate) shunned: &'a [usize],
    pub(crate) preference: Preference<'a>,
    pub(crate) need: Need,
    /// Since when a connection must have been heard from to be preferred, in the pool's milliseconds; zero for no preference.
    pub(crate) proven_since: u64,
    /// Whether the call may change something.
    pub(crate) write: bool,
    /// Now, in the pool's milliseconds.
    pub(crate) now: u64,
}

impl<'a> Wish<'a> {
    /// Any member.
    pub(crate) fn any(now: u64) -> Self {
        Self {
            tried: &[],
            shunned: &[],
            preference: Preference::Any,
            need: Need::Quorum,
            proven_since: 0,
            write: false,
            now,
        }
    }

    /// The same wish later.
    pub(crate) fn at(&self, now: u64) -> Self {
        Self { now, ..*self }
    }

    pub(super) fn choice(&self, balance: Balance, candidates: usize, turn: &AtomicUsize) -> Choice {
        match (self.preference, balance) {
            (Preference::Nearest, _) => Choice::Cheapest,
            (_, Balance::RoundRobin) => Choice::InTurn(turn.fetch_add(1, Ordering::Relaxed)),
            _ if candidates < 2 => Choice::Cheapest,
            _ => Choice::TwoRandom(fastrand::u64(..)),
        }
    }

    /// What a connection costs this call, or `None` where it cannot have it.
    pub(super) fn rate(&self, connection: &Connection) -> Option<Rating> {
        self.rate_for(connection, connection.load()?)
    }

    /// What a connection costs where the load is this.
    pub(super) fn rate_for(&self, connection: &Connection, in_flight: usize) -> Option<Rating> {
        // A learner, and a member that may be lost in the past, answer what needs nobody else.
        if self.need == Need::Quorum && connection.limit() != Limit::None {
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
            .and_if(member.is_ejected(self.need, self.write, self.now), Standing::EJECTED)
            .and_if(!connection.is_heard_since(self.proven_since), Standing::UNPROVEN)
            .and_if(connection.gauge.vital() != Vital::Alive, Standing::DOUBTFUL);
        let cost = match self.preference {
            Preference::Nearest => u64::from(member.latency.micros(self.now)) << 20 | in_flight.min(0xF_FFFF),
            _ => (in_flight + 1) << member.latency.distance(self.now),
        };
        Some((standing, cost))
    }
}
