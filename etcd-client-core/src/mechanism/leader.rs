//! Who leads, by what several members say.

use crate::model::MemberId;

/// What the member at one endpoint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// The endpoint, by its position.
    pub(crate) endpoint: usize,
    /// The member that is there.
    pub(crate) member: MemberId,
    /// Who it says leads.
    pub(crate) leader: Option<MemberId>,
    pub(crate) term: u64,
}

/// What follows from all that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leader {
    /// The leader is at this endpoint.
    At(usize),
    /// This member leads, and none of the endpoints that answered is its own.
    Elsewhere(MemberId),
    /// Nobody knows of one.
    Unknown,
}

/// The leader of the newest term that has one: a term has at most one, and a member that was cut off still tells of an old one.
pub(crate) fn leader(views: &[View]) -> Leader {
    let newest = views.iter().filter(|view| view.leader.is_some()).max_by_key(|view| view.term);
    let Some((leader, term)) = newest.and_then(|view| Some((view.leader?, view.term))) else {
        return Leader::Unknown;
    };
    match views.iter().find(|view| view.member == leader && view.leader == Some(leader) && view.term == term)
    {
        Some(view) => Leader::At(view.endpoint),
        None => Leader::Elsewhere(leader),
    }
}

/// Whether the endpoints that have not answered need no waiting for: the leader has, and most of all endpoints agree with it.
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

    /// (member, who it says leads or 0, term) of each endpoint.
    #[test]
    fn the_leader_of_the_newest_term_that_has_one() {
        for (said, expected) in [
            (&[][..], Leader::Unknown),
            (&[(1, 0, 5), (2, 0, 5)], Leader::Unknown),
            (&[(1, 1, 5)], Leader::At(0)),
            (&[(1, 2, 5), (2, 2, 5), (3, 2, 5)], Leader::At(1)),
            // Cut off, the old leader still thinks that it leads.
            (&[(1, 1, 4), (2, 3, 5), (3, 3, 5)], Leader::At(2)),
            (&[(1, 1, 4), (2, 3, 5)], Leader::Elsewhere(MemberId::new(3))),
            // A candidate has a newer term and no leader.
            (&[(1, 0, 9), (2, 3, 5), (3, 3, 5)], Leader::At(2)),
            // The one that is said to lead does not know yet, or not any more.
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
