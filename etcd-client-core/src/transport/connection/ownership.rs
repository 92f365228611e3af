//! The check of a new connection's cluster and history: the questions to send, and the verdict from their answers.
//!
//! Every voting member of every etcd version answers an empty Txn from its applied state. This needs neither Raft nor
//! a leader, and no token even with auth enabled. The response header names the cluster and a revision that may lag
//! behind.

use crate::transport::connection::history::{Origin, Regression, Violation};

/// The state of the client when the check began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Zero if unknown.
    pub(crate) cluster: u64,
    /// The highest revision seen before the question was sent. A later value may include a write that the answer
    /// cannot show.
    pub(crate) min_revision: i64,
    /// The proof that the store of this cluster regressed, until the user accepts it.
    pub(crate) regression: Option<Regression>,
}

/// A question to send on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// An empty Txn without a token, answered from the applied state.
    Probe,
    /// `Status`, which learners answer too.
    Status,
    /// A linearizable Range without a token. The member answers it, or denies permission, after it has caught up with
    /// the quorum.
    Barrier,
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A header with a cluster, and the id of the member that answered.
    Named { origin: Origin, member: u64 },
    /// The call succeeded, but its header is missing or does not name a cluster.
    Nameless,
    /// The member is a learner and does not accept such calls.
    Learner,
    /// The member denied permission. etcd does so for a Range only after the member has caught up with the quorum
    /// (`applierV3` checks it after ReadIndex).
    Denied,
    /// The member, or a proxy in front of it, rejected the call for another reason.
    Rejected,
    /// There was no answer in time, or the member is unavailable.
    None,
}

/// The next step of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Ask(Question),
    Conclude(Verdict),
}

/// The verdict on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A voting member of this cluster and history.
    Member(Origin),
    /// The peer does not name its cluster, so each response has to be checked.
    Unknown,
    /// A learner of this cluster, or of one that it does not name.
    Learner,
    /// The member is behind the revision seen, and no quorum explains it. Usable for serializable reads.
    Behind(Origin),
    /// The peer does not belong to this history. [`Violation::Regressed`] is proven for its whole cluster.
    Foreign(Violation),
    /// The peer did not answer. The connection is not used, and is tried again later.
    Unresponsive,
}

/// The check of one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    known: Known,
    asked: Asked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Probe,
    Status,
    /// A barrier, for a member that is behind. `denied` is the number of barriers that were denied before it.
    Barrier {
        behind: Lag,
        denied: u8,
    },
    ProbeAgain {
        behind: Lag,
        barrier: Barrier,
    },
}

/// The answer of a member that is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lag {
    origin: Origin,
    member: u64,
}

/// The result of the barrier before a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Barrier {
    /// The quorum is at the revision seen or later, so the member lags.
    Current,
    /// Permission was denied. The member has caught up with the quorum, but such a response has no header that shows
    /// its revision. Contains the number of such barriers so far.
    Denied(u8),
    /// It was answered without a header, possibly not by a member.
    Nameless,
}

/// The number of denied barriers after which a member that is still behind is considered restored.
///
/// A denial does not show which member sent it. A proxy that spreads the calls of a connection over several members
/// may send the probes to a lagging one and the barriers to another. Between the probes there are first one barrier
/// and then two: members that alternate cannot answer all of the probes and none of the barriers, and a barrier that
/// reaches the lagging member gets no answer.
const DENIALS: u8 = 3;

impl Check {
    /// Starts a check. Returns it with its first question, a [`Question::Probe`].
    pub(crate) fn new(known: Known) -> (Self, Question) {
        (Self { known, asked: Asked::Probe }, Question::Probe)
    }

    /// Processes the answer to the last question.
    pub(crate) fn answered(&mut self, answer: Answer) -> Step {
        match self.asked {
            Asked::Probe => self.probed(answer),
            Asked::Status => Step::Conclude(self.status(answer)),
            Asked::Barrier { behind, denied } => self.barrier_passed(behind, denied, answer),
            Asked::ProbeAgain { behind, barrier } => self.probed_again(behind, barrier, answer),
        }
    }

    fn probed(&mut self, answer: Answer) -> Step {
        match answer {
            Answer::Learner => self.ask(Asked::Status, Question::Status),
            Answer::Named { origin, member } => match self.check_origin(origin) {
                Err(Violation::Older { .. }) => {
                    let behind = Lag { origin, member };
                    self.ask(Asked::Barrier { behind, denied: 0 }, Question::Barrier)
                }
                checked => {
                    Step::Conclude(checked.map_or_else(Verdict::Foreign, |()| Verdict::Member(origin)))
                }
            },
            Answer::Nameless | Answer::Denied | Answer::Rejected => {
                Step::Conclude(self.unless_regressed(Verdict::Unknown))
            }
            Answer::None => Step::Conclude(Verdict::Unresponsive),
        }
    }

    /// Judges a learner by its cluster, and by whether that was restored. A learner lags behind by design and accepts
    /// no writes, so its revision does not matter.
    fn status(&self, answer: Answer) -> Verdict {
        match answer {
            Answer::Named { origin, .. } => match self.check_origin(origin) {
                Ok(()) | Err(Violation::Older { .. }) => Verdict::Learner,
                Err(violation) => Verdict::Foreign(violation),
            },
            _ => self.unless_regressed(Verdict::Learner),
        }
    }

    fn barrier_passed(&mut self, behind: Lag, denied: u8, answer: Answer) -> Step {
        let barrier = match answer {
            Answer::Named { origin, .. } => match self.check_origin(origin) {
                // The response is linearizable, so the quorum has nothing newer.
                Err(Violation::Older { seen, found }) => {
                    return Step::Conclude(Verdict::Foreign(Violation::Regressed(Regression {
                        seen,
                        found,
                    })));
                }
                Err(violation) => return Step::Conclude(Verdict::Foreign(violation)),
                Ok(()) if origin.revision == 0 => Barrier::Nameless,
                Ok(()) => Barrier::Current,
            },
            Answer::Denied if denied == 1 => {
                return self.ask(Asked::Barrier { behind, denied: denied + 1 }, Question::Barrier);
            }
            Answer::Denied => Barrier::Denied(denied + 1),
            Answer::Nameless => Barrier::Nameless,
            // Such a rejection does not show that the member waited for a quorum.
            Answer::Learner | Answer::Rejected | Answer::None => {
                return Step::Conclude(Verdict::Behind(behind.origin));
            }
        };
        self.ask(Asked::ProbeAgain { behind, barrier }, Question::Probe)
    }

    fn probed_again(&mut self, behind: Lag, barrier: Barrier, answer: Answer) -> Step {
        // It answered before the barrier. Without an answer now, it is not known to have caught up.
        let Answer::Named { origin, member } = answer else {
            return Step::Conclude(Verdict::Behind(behind.origin));
        };
        let Err(violation) = self.check_origin(origin) else {
            return Step::Conclude(Verdict::Member(origin));
        };
        let Violation::Older { seen, found } = violation else {
            return Step::Conclude(Verdict::Foreign(violation));
        };
        // Only a member that answered every probe itself can have passed the barriers.
        let same = member != 0 && member == behind.member;
        match barrier {
            Barrier::Current => Step::Conclude(Verdict::Behind(origin)),
            Barrier::Denied(denied) if same && denied < DENIALS => {
                self.ask(Asked::Barrier { behind, denied }, Question::Barrier)
            }
            Barrier::Denied(_) if same => {
                Step::Conclude(Verdict::Foreign(Violation::Regressed(Regression { seen, found })))
            }
            Barrier::Denied(_) | Barrier::Nameless => Step::Conclude(Verdict::Foreign(violation)),
        }
    }

    fn ask(&mut self, asked: Asked, question: Question) -> Step {
        self.asked = asked;
        Step::Ask(question)
    }

    fn check_origin(&self, origin: Origin) -> Result<(), Violation> {
        let Known { cluster: expected, min_revision: seen, regression } = self.known;
        let Origin { cluster: found, revision } = origin;
        if !origin.is_sound() {
            Err(Violation::Unsound { found: revision })
        } else if expected != 0 && expected != found {
            Err(Violation::OtherCluster { expected, found })
        } else if let Some(regression) = regression {
            Err(Violation::Regressed(regression))
        } else if revision != 0 && revision < seen {
            Err(Violation::Older { seen, found: revision })
        } else {
            Ok(())
        }
    }

    /// Replaces the verdict if the store has regressed: a peer that does not name its cluster may serve the restored
    /// store.
    fn unless_regressed(&self, verdict: Verdict) -> Verdict {
        let regressed = |regression| Verdict::Foreign(Violation::Regressed(regression));
        self.known.regression.map_or(verdict, regressed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::connection::history::MAX_REVISION;

    const KNOWN: Known = Known { cluster: 7, min_revision: 10, regression: None };
    const MEMBER: u64 = 3;

    const fn origin(cluster: u64, revision: i64) -> Origin {
        Origin { cluster, revision }
    }

    /// The answer of a member of cluster 7.
    const fn by(member: u64, revision: i64) -> Answer {
        Answer::Named { origin: origin(7, revision), member }
    }

    const fn named(cluster: u64, revision: i64) -> Answer {
        Answer::Named { origin: origin(cluster, revision), member: MEMBER }
    }

    const fn regressed(found: i64) -> Verdict {
        Verdict::Foreign(Violation::Regressed(Regression { seen: 10, found }))
    }

    /// Feeds the answers to a check one by one. Returns the questions and the verdict.
    fn check(known: Known, answers: &[Answer]) -> (Vec<Question>, Verdict) {
        let (mut check, mut question) = Check::new(known);
        let mut asked = Vec::new();
        for &answer in answers {
            asked.push(question);
            match check.answered(answer) {
                Step::Ask(next) => question = next,
                Step::Conclude(verdict) => {
                    assert_eq!(asked.len(), answers.len(), "concluded early");
                    return (asked, verdict);
                }
            }
        }
        panic!("no verdict after {answers:?}")
    }

    #[test]
    fn the_first_answer_decides_where_it_can() {
        let older = |found| Violation::OtherCluster { expected: 7, found };
        let of = |revision| named(7, revision);
        let member = |revision| Verdict::Member(origin(7, revision));
        let unsound = |found| Verdict::Foreign(Violation::Unsound { found });
        for (answer, verdict) in [
            (of(10), member(10)),
            (of(11), member(11)),
            (of(0), member(0)),
            (of(MAX_REVISION), member(MAX_REVISION)),
            (of(MAX_REVISION + 1), unsound(MAX_REVISION + 1)),
            (of(i64::MAX), unsound(i64::MAX)),
            (of(-1), unsound(-1)),
            (named(8, 10), Verdict::Foreign(older(8))),
            (named(8, 1), Verdict::Foreign(older(8))),
            (Answer::Nameless, Verdict::Unknown),
            (Answer::Rejected, Verdict::Unknown),
            (Answer::Denied, Verdict::Unknown),
            (Answer::None, Verdict::Unresponsive),
        ] {
            assert_eq!(check(KNOWN, &[answer]), (vec![Question::Probe], verdict), "{answer:?}");
        }
        let first = check(Known::default(), &[named(9, 3)]);
        assert_eq!(first.1, Verdict::Member(origin(9, 3)), "a first contact adopts");
    }

    #[test]
    fn barrier_distinguishes_restored_store_from_lagging_follower() {
        use Question::{Barrier, Probe};
        let (behind, current) = (named(7, 9), named(7, 10));
        for passed in [Answer::Denied, current, Answer::Nameless, named(7, 0)] {
            let asked = vec![Probe, Barrier, Probe];
            let caught_up = check(KNOWN, &[behind, passed, current]);
            assert_eq!(caught_up, (asked.clone(), Verdict::Member(origin(7, 10))), "{passed:?}");
            let verdict = Verdict::Behind(origin(7, 9));
            assert_eq!(check(KNOWN, &[behind, passed, Answer::None]), (asked, verdict), "{passed:?}");
        }
        // The linearizable answer itself is behind, so no member of the quorum has more.
        assert_eq!(check(KNOWN, &[behind, behind]), (vec![Probe, Barrier], regressed(9)));
        assert_eq!(
            check(KNOWN, &[by(1, 8), by(2, 9)]),
            (vec![Probe, Barrier], regressed(9)),
            "of another member"
        );
        // The quorum is not behind, so the member that answered the probe lags, somewhere behind a proxy.
        let lagging = check(KNOWN, &[by(1, 9), by(2, 10), by(1, 9)]);
        assert_eq!(lagging.1, Verdict::Behind(origin(7, 9)));
        for not_passed in [Answer::None, Answer::Rejected, Answer::Learner] {
            let verdict = Verdict::Behind(origin(7, 9));
            assert_eq!(
                check(KNOWN, &[behind, not_passed]),
                (vec![Probe, Barrier], verdict),
                "{not_passed:?}"
            );
        }
    }

    #[test]
    fn denied_barriers_prove_a_restore_where_one_member_answers_every_probe() {
        use Question::{Barrier, Probe};
        let (behind, denied) = (by(1, 9), Answer::Denied);
        let whole = check(KNOWN, &[behind, denied, behind, denied, denied, behind]);
        assert_eq!(whole, (vec![Probe, Barrier, Probe, Barrier, Barrier, Probe], regressed(9)));
        // It caught up in the end.
        let late = check(KNOWN, &[behind, denied, behind, denied, denied, by(1, 10)]);
        assert_eq!(late.1, Verdict::Member(origin(7, 10)));
        let hung = check(KNOWN, &[behind, denied, behind, denied, Answer::None]);
        assert_eq!(hung.1, Verdict::Behind(origin(7, 9)));
        // Not known to be one member: rejected for now, but not remembered.
        let for_now = Verdict::Foreign(Violation::Older { seen: 10, found: 9 });
        assert_eq!(check(KNOWN, &[behind, denied, by(2, 9)]).1, for_now);
        assert_eq!(check(KNOWN, &[by(0, 9), denied, by(0, 9)]).1, for_now);
        assert_eq!(check(KNOWN, &[behind, denied, behind, denied, denied, by(2, 9)]).1, for_now);
        assert_eq!(check(KNOWN, &[behind, Answer::Nameless, behind]).1, for_now);
    }

    /// A proxy that distributes the calls of one connection over several members in turn, one of which lags
    /// permanently. A barrier that reaches that one gets no answer.
    #[test]
    fn a_follower_that_lags_behind_a_proxy_is_never_taken_for_a_restored_cluster() {
        for (auth, members) in
            [(false, 1), (true, 1), (false, 2), (true, 2), (false, 3), (true, 3), (true, 5)]
        {
            for first in 0..members {
                let mut turn = first;
                let (mut check, mut question) = Check::new(KNOWN);
                let verdict = loop {
                    let lags = turn == 0;
                    let revision = if lags { 9 } else { 10 };
                    let answer = match question {
                        Question::Barrier if lags => Answer::None,
                        Question::Barrier if auth => Answer::Denied,
                        _ => by(turn + 1, revision),
                    };
                    turn = (turn + 1) % members;
                    match check.answered(answer) {
                        Step::Ask(next) => question = next,
                        Step::Conclude(verdict) => break verdict,
                    }
                };
                let proven = matches!(verdict, Verdict::Foreign(Violation::Regressed(_)));
                assert!(!proven, "{members} members, auth {auth}, first {first}: {verdict:?}");
            }
        }
    }

    #[test]
    fn known_regression_rejects_its_cluster_at_any_revision() {
        let regression = Regression { seen: 10, found: 4 };
        let known = Known { regression: Some(regression), ..KNOWN };
        let rejected = Verdict::Foreign(Violation::Regressed(regression));
        for revision in [0, 4, 9, 10, 11, MAX_REVISION] {
            assert_eq!(check(known, &[named(7, revision)]), (vec![Question::Probe], rejected), "{revision}");
        }
        for unnamed in [Answer::Nameless, Answer::Rejected, Answer::Denied] {
            assert_eq!(check(known, &[unnamed]).1, rejected, "{unnamed:?}");
        }
        for learner in [named(7, 20), named(7, 1), Answer::Rejected, Answer::None] {
            assert_eq!(check(known, &[Answer::Learner, learner]).1, rejected, "{learner:?}");
        }
        assert_eq!(check(known, &[Answer::None]).1, Verdict::Unresponsive);
        let other = Violation::OtherCluster { expected: 7, found: 8 };
        assert_eq!(check(known, &[named(8, 10)]).1, Verdict::Foreign(other));
    }

    #[test]
    fn a_learner_is_of_this_cluster_or_foreign() {
        let learner = |answer| check(KNOWN, &[Answer::Learner, answer]);
        let asked = vec![Question::Probe, Question::Status];
        for answer in [named(7, 1), Answer::Rejected, Answer::None, Answer::Nameless] {
            assert_eq!(learner(answer), (asked.clone(), Verdict::Learner), "{answer:?}");
        }
        let other = Violation::OtherCluster { expected: 7, found: 8 };
        assert_eq!(learner(named(8, 50)), (asked, Verdict::Foreign(other)));
    }
}
