//! The leader of a cluster, determined from the status of several members.

use crate::types::MemberId;

/// The status of the member at one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// The index of the endpoint.
    pub(crate) endpoint: usize,
    /// The member that responded.
    pub(crate) member: MemberId,
    /// The leader according to this member.
    pub(crate) leader: Option<MemberId>,
    pub(crate) term: u64,
}

/// The conclusion from all views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leader {
    /// The leader responded at this endpoint.
    At(usize),
    /// This member is the leader, but none of the endpoints that responded belongs to it.
    Elsewhere(MemberId),
    /// No member has a leader.
    Unknown,
}

/// Returns the leader of the newest term that has one. A term has at most one leader, and a partitioned member still
/// reports an old one.
pub(crate) fn leader(views: &[View]) -> Leader {
    let newest = views.iter().filter(|view| view.leader.is_some()).max_by_key(|view| view.term);
    let Some((leader, term)) = newest.and_then(|view| Some((view.leader?, view.term))) else {
        return Leader::Unknown;
    };
    // The leader has to confirm its role itself: the other members may not know yet that it has stepped down.
    match views.iter().find(|view| view.member == leader && view.leader == Some(leader) && view.term == term)
    {
        Some(view) => Leader::At(view.endpoint),
        None => Leader::Elsewhere(leader),
    }
}

/// Returns true if the remaining endpoints need not be waited for: the leader has responded, and a majority of all
/// endpoints agrees with it.
pub(crate) fn is_settled(views: &[View], endpoints: usize) -> bool {
    let Leader::At(endpoint) = leader(views) else { return false };
    let Some(own) = views.iter().find(|view| view.endpoint == endpoint) else { return false };
    let agree = views.iter().filter(|view| view.leader == own.leader && view.term == own.term).count();
    agree * 2 > endpoints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(said: &[(u64, u64, u64)]) -> Vec<View> {
        let view = |(endpoint, &(member, leader, term)): (usize, &(u64, u64, u64))| View {
            endpoint,
            member: MemberId::new(member),
            leader: (leader != 0).then(|| MemberId::new(leader)),
            term,
        };
        said.iter().enumerate().map(view).collect()
    }

    /// Tuples of (member, its leader or 0, term), one per endpoint.
    #[test]
    fn the_leader_of_the_newest_term_that_has_one() {
        for (said, expected) in [
            (&[][..], Leader::Unknown),
            (&[(1, 0, 5), (2, 0, 5)], Leader::Unknown),
            (&[(1, 1, 5)], Leader::At(0)),
            (&[(1, 2, 5), (2, 2, 5), (3, 2, 5)], Leader::At(1)),
            // The old leader is partitioned and still considers itself the leader.
            (&[(1, 1, 4), (2, 3, 5), (3, 3, 5)], Leader::At(2)),
            (&[(1, 1, 4), (2, 3, 5)], Leader::Elsewhere(MemberId::new(3))),
            // A candidate has a newer term and no leader.
            (&[(1, 0, 9), (2, 3, 5), (3, 3, 5)], Leader::At(2)),
            // The reported leader does not know of its role yet, or has lost it.
            (&[(1, 0, 4), (2, 1, 5), (3, 1, 5)], Leader::Elsewhere(MemberId::new(1))),
            (&[(1, 2, 5)], Leader::Elsewhere(MemberId::new(2))),
        ] {
            assert_eq!(leader(&views(said)), expected, "{said:?}");
        }
    }

    #[test]
    fn settled_once_most_agree_with_the_leader_itself() {
        for (said, endpoints, settled) in [
            (&[(1, 1, 5)][..], 1, true),
            (&[(1, 1, 5)], 3, false),
            (&[(1, 1, 5), (2, 1, 5)], 3, true),
            (&[(2, 1, 5), (3, 1, 5)], 3, false),
            (&[(1, 1, 4), (2, 3, 5), (3, 3, 5)], 3, true),
            (&[(1, 1, 4), (3, 3, 5)], 3, false),
            (&[(1, 1, 5), (2, 1, 5)], 4, false),
            (&[], 0, false),
        ] {
            assert_eq!(is_settled(&views(said), endpoints), settled, "{said:?} of {endpoints}");
        }
    }
}
