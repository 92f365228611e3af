//! The restrictions of a connection, which follow from the check of its member.

use std::sync::Arc;

use crate::transport::{
    connect::BoxError,
    connection::{
        histories::Histories,
        history::{History, Violation},
        identity::{Finding, Rejection},
        member::Member,
        ownership::Verdict,
    },
};

/// The restrictions of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Limit {
    /// No restrictions.
    None,
    /// The member is a learner: its status and serializable reads only.
    Learner,
    /// The member is behind the known history: serializable reads only, until it has caught up or a quorum explains
    /// it.
    Behind,
}

impl Limit {
    /// Returns the reason for the restriction, for the user.
    pub(crate) fn reason(self) -> Option<Arc<str>> {
        match self {
            Self::None => None,
            Self::Learner => Some("the member is a learner, which accepts no writes".into()),
            Self::Behind => {
                Some("the member is behind the known revision and reaches no quorum: it serves serializable reads only".into())
            }
        }
    }
}

/// Derives the restrictions from the result of a check, and updates the history from it.
pub(crate) fn decide(
    finding: Finding,
    histories: &Histories,
    history: &History,
    member: &Member,
) -> Result<Limit, BoxError> {
    let Finding { verdict, number, header, failure } = finding;
    let cluster = header.as_ref().map_or(0, |header| header.cluster_id);
    let limit = match verdict {
        Verdict::Member(_) | Verdict::Unknown => Limit::None,
        Verdict::Learner => Limit::Learner,
        Verdict::Behind(_) => Limit::Behind,
        Verdict::Foreign(violation) => {
            if let Violation::Regressed(regression) = violation {
                histories.regressed(history, regression, number);
            }
            // If the header names no cluster, the known cluster has regressed.
            let cluster = if cluster == 0 { history.cluster() } else { cluster };
            return Err(Rejection::new(violation, cluster, history).into());
        }
        Verdict::Unresponsive => {
            let text = failure.map_or_else(|| "the member did not respond".into(), |failure| failure.text);
            return Err(text.into());
        }
    };
    if let Some(header) = header {
        // Another endpoint may have pinned the cluster id since the check began.
        history.same_cluster(cluster).map_err(|violation| Rejection::new(violation, cluster, history))?;
        if limit == Limit::None {
            history.raise(header.revision);
        }
        member.set_server(header.member_id);
    }
    Ok(limit)
}
