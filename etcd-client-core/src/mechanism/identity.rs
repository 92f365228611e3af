//! Whose a new connection is: which questions are asked on it, and what the answers say.
//!
//! Every voting member of every etcd answers an empty Txn from what it has applied: without Raft, without a leader, and with auth
//! on without a token. Its header names the cluster, and a revision that may lag behind.

use super::history::{Origin, Violation};

/// What a client knew when it began to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Zero for none.
    pub(crate) cluster: u64,
    /// The highest revision seen before the question was sent. One taken later may be of a write that the answer does not show.
    pub(crate) floor: i64,
}

/// What is asked on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// An empty Txn without a token, answered from what the member has applied.
    Probe,
    /// `Status`, which a learner answers.
    Status,
    /// A linearizable Range without a token: the member answers, or refuses, once it has caught up with the quorum.
    Barrier,
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A header with a cluster.
    Origin(Origin),
    /// The call succeeded, and its header is missing or names no cluster.
    Nameless,
    /// The member is a learner, which does not take such calls.
    Learner,
    /// The member, or something before it, refused the call.
    Refused,
    /// There was no answer in time, or the member says it is not available.
    None,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Ask(Question),
    Conclude(Verdict),
}

/// What a connection is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A voting member of this cluster, in its history.
    Member(Origin),
    /// Who answers does not say which cluster it is of: each answer has to show it.
    Unknown,
    /// A learner of this cluster, or of one that it does not tell.
    Learner,
    /// It is behind what was seen, and no quorum says why: for reads that may be stale.
    Behind(Origin),
    /// It does not belong to this history.
    Foreign(Violation),
    /// It did not answer: not to be used, and to be tried again.
    Silent,
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
    Barrier(Origin),
    ProbeAgain(Origin),
}

impl Check {
    /// The check, and its first question: a [`Question::Probe`].
    pub(crate) fn new(known: Known) -> (Self, Question) {
        (Self { known, asked: Asked::Probe }, Question::Probe)
    }

    /// Takes the answer to the last question.
    pub(crate) fn answered(&mut self, answer: Answer) -> Step {
        match (self.asked, answer) {
            (Asked::Probe, Answer::Learner) => self.ask(Asked::Status, Question::Status),
            (Asked::Probe, Answer::Origin(origin)) => match self.judge(origin) {
                Err(Violation::Older { .. }) => self.ask(Asked::Barrier(origin), Question::Barrier),
                judged => Step::Conclude(judged.map_or_else(Verdict::Foreign, |()| Verdict::Member(origin))),
            },
            (Asked::Probe, Answer::Nameless | Answer::Refused) => Step::Conclude(Verdict::Unknown),
            (Asked::Probe, Answer::None) => Step::Conclude(Verdict::Silent),
            // A learner lags behind by design, and takes no write: only its cluster counts.
            (Asked::Status, Answer::Origin(origin)) => Step::Conclude(match self.judge(origin) {
                Ok(()) | Err(Violation::Older { .. }) => Verdict::Learner,
                Err(violation) => Verdict::Foreign(violation),
            }),
            (Asked::Status, _) => Step::Conclude(Verdict::Learner),
            (Asked::Barrier(origin), Answer::None) => Step::Conclude(Verdict::Behind(origin)),
            (Asked::Barrier(origin), _) => self.ask(Asked::ProbeAgain(origin), Question::Probe),
            (Asked::ProbeAgain(_), Answer::Origin(origin)) => {
                Step::Conclude(self.judge(origin).map_or_else(Verdict::Foreign, |()| Verdict::Member(origin)))
            }
            // It had an answer before the barrier: without one now it is not known to have caught up.
            (Asked::ProbeAgain(origin), _) => Step::Conclude(Verdict::Behind(origin)),
        }
    }

    fn ask(&mut self, asked: Asked, question: Question) -> Step {
        self.asked = asked;
        Step::Ask(question)
    }

    fn judge(&self, origin: Origin) -> Result<(), Violation> {
        let Known { cluster: expected, floor: seen } = self.known;
        let Origin { cluster: found, revision } = origin;
        if !origin.is_sound() {
            Err(Violation::Unsound { found: revision })
        } else if expected != 0 && expected != found {
            Err(Violation::OtherCluster { expected, found })
        } else if revision != 0 && revision < seen {
            Err(Violation::Older { seen, found: revision })
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::history::MAX_REVISION;

    const KNOWN: Known = Known { cluster: 7, floor: 10 };

    const fn origin(cluster: u64, revision: i64) -> Origin {
        Origin { cluster, revision }
    }

    /// Gives the answers one after the other: what was asked beside the probe, and the verdict.
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
        let of = |revision| Answer::Origin(origin(7, revision));
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
            (Answer::Origin(origin(8, 10)), Verdict::Foreign(older(8))),
            (Answer::Origin(origin(8, 1)), Verdict::Foreign(older(8))),
            (Answer::Nameless, Verdict::Unknown),
            (Answer::Refused, Verdict::Unknown),
            (Answer::None, Verdict::Silent),
        ] {
            assert_eq!(check(KNOWN, &[answer]), (vec![Question::Probe], verdict), "{answer:?}");
        }
        let first = check(Known::default(), &[Answer::Origin(origin(9, 3))]);
        assert_eq!(first.1, Verdict::Member(origin(9, 3)), "a first contact adopts");
    }

    #[test]
    fn a_barrier_tells_a_restored_store_from_a_follower_that_lags() {
        use Question::{Barrier, Probe};
        let behind = Answer::Origin(origin(7, 9));
        let older = Verdict::Foreign(Violation::Older { seen: 10, found: 9 });
        for passed in [Answer::Refused, behind, Answer::Nameless] {
            let caught_up = [behind, passed, Answer::Origin(origin(7, 10))];
            let asked = vec![Probe, Barrier, Probe];
            assert_eq!(check(KNOWN, &caught_up), (asked.clone(), Verdict::Member(origin(7, 10))));
            assert_eq!(check(KNOWN, &[behind, passed, behind]), (asked.clone(), older));
            let verdict = Verdict::Behind(origin(7, 9));
            assert_eq!(check(KNOWN, &[behind, passed, Answer::None]), (asked, verdict));
        }
        let unanswered = check(KNOWN, &[behind, Answer::None]);
        assert_eq!(unanswered, (vec![Probe, Barrier], Verdict::Behind(origin(7, 9))), "no quorum");
    }

    #[test]
    fn a_learner_is_of_this_cluster_or_foreign() {
        let learner = |answer| check(KNOWN, &[Answer::Learner, answer]);
        let asked = vec![Question::Probe, Question::Status];
        for answer in [Answer::Origin(origin(7, 1)), Answer::Refused, Answer::None, Answer::Nameless] {
            assert_eq!(learner(answer), (asked.clone(), Verdict::Learner), "{answer:?}");
        }
        let other = Violation::OtherCluster { expected: 7, found: 8 };
        assert_eq!(learner(Answer::Origin(origin(8, 50))), (asked, Verdict::Foreign(other)));
    }
}
