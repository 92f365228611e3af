//! Decides which member and which connection serve a call.
//!
//! [`pick`] compares the connections that a call can use, under the policy [`Balance`]. The other files hold what it is based on: the
//! health of each member and its ejection, latencies, the leader, and large responses.

pub(crate) mod ejection;
pub(crate) mod large;
pub(crate) mod latency;
pub(crate) mod leader;
pub(crate) mod member_health;
pub(crate) mod pick;

use crate::types::Endpoint;

/// The policy for distributing calls among healthy members.
///
/// With every policy, a member that is down, unresponsive or failing receives calls only if no other member is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Balance {
    /// Picks two random members, and uses the less loaded and nearer one.
    #[default]
    Balanced,
    /// Uses the members in turn.
    RoundRobin,
    /// Sends writes to the leader, which saves a hop; reads use [`Balanced`](Self::Balanced). Writes do too while the
    /// leader is unknown.
    PreferLeader,
    /// Sends serializable reads to the member with the lowest latency. Everything else uses
    /// [`Balanced`](Self::Balanced).
    PreferNearest,
}

/// The member that a call prefers or requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preference<'a> {
    Any,
    /// The member with this id, if it is known and ready.
    Member(u64),
    Nearest,
    /// This endpoint only.
    Only(&'a Endpoint),
}
