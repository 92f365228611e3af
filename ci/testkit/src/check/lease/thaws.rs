//! When members were paused, and which leases such a member may have revoked although they were renewed meanwhile.
//!
//! A leader that goes on after a pause revokes what expired by its own clock before it learns of its successor, which renewed the
//! same leases meanwhile (`revokeExpiredLeases` in etcd's `server/etcdserver/server.go`). The store then ends a lease early, and the
//! client cannot know that before its next renewal is answered.

use std::{collections::BTreeMap, time::Duration};

use super::Kept;
use crate::{
    check::Limits,
    history::{Edge, History, Nanos},
    schedule::Verb,
};

/// How long a resumed member may take to learn of its successor, which sends a heartbeat every 0.1 s, on a busy machine.
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

    /// Whether a resumed member may have ended the lease then: it had expired by what that member knew before its pause.
    pub(super) fn may_have_revoked(&self, lease: &Kept, ended: Nanos, limits: &Limits) -> bool {
        self.pauses.iter().any(|pause| {
            let known = lease.deadline(pause.from);
            (pause.until..=pause.until.after(limits.thaw)).contains(&ended)
                && known.is_some_and(|deadline| deadline <= ended.min(pause.until.after(UNAWARE)))
        })
    }
}
