//! The pauses of members, and the leases that such a member may have revoked although they were renewed in that time.
//!
//! A leader that continues after a pause revokes leases that expired by its clock before it learns of its successor,
//! which has renewed the same leases (`revokeExpiredLeases` in etcd's `server/etcdserver/server.go`). The store then
//! ends a lease early, and the client cannot know that before its next renewal is answered.

use std::{collections::BTreeMap, time::Duration};

use super::Kept;
use crate::{
    check::Limits,
    history::{Edge, History, Nanos},
    schedule::Verb,
};

/// The time limit for a resumed member to learn of its successor, which sends a heartbeat every 0.1 s, on a busy
/// machine.
const UNAWARE: Duration = Duration::from_secs(1);

/// The pauses of all members.
#[derive(Debug)]
pub(super) struct Thaws {
    pauses: Vec<Pause>,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    from: Nanos,
    until: Nanos,
}

impl Thaws {
    pub(super) fn of(history: &History) -> Self {
        let (paused, resumed) = (Verb::Pause.to_string(), format!("{} is over", Verb::Pause));
        let (mut open, mut pauses) = (BTreeMap::new(), Vec::new());
        for (_, record) in history.lines() {
            let Edge::Fault { member, what } = &record.edge else { continue };
            if *what == paused {
                open.entry(*member).or_insert(record.t);
            } else if *what == resumed
                && let Some(from) = open.remove(member)
            {
                pauses.push(Pause { from, until: record.t });
            }
        }
        Self { pauses }
    }

    /// Returns `true` if a resumed member may have ended the lease at that time: the lease had expired by the state
    /// that the member had before its pause.
    pub(super) fn may_have_revoked(&self, lease: &Kept, ended: Nanos, limits: &Limits) -> bool {
        self.pauses.iter().any(|pause| {
            let known = lease.deadline(pause.from);
            (pause.until..=pause.until.after(limits.thaw)).contains(&ended)
                && known.is_some_and(|deadline| deadline <= ended.min(pause.until.after(UNAWARE)))
        })
    }
}
