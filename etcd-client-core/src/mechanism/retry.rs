//! What to do after a failed attempt, and what it says about a write: one table, no clock, no I/O.
//!
//! The rules are those of the outcome lattice: a request that was definitely not processed is resent for any RPC; one whose
//! fate is unknown is resent only where a second execution cannot be noticed.

use etcd_errors::{Code, GrpcCode, Outcome};

/// What a second execution of an RPC would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// It changes nothing.
    Read,
    /// It changes nothing that the first did not change: its second answer can be told apart.
    Idempotent,
    /// It may be applied twice.
    Write,
    /// A write that members forward to the leader: one that knows of no leader may have forwarded it before
    /// (`PromoteMember` in etcd's `server/etcdserver/server.go`).
    Forwarded,
}

impl Class {
    /// Whether a request whose fate is unknown may be sent again.
    pub(crate) fn is_repeatable(self) -> bool {
        matches!(self, Self::Read | Self::Idempotent)
    }
}

/// What one attempt showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observation {
    /// No byte of the request left this process.
    NotSent,
    /// The peer said that it did not process the request: REFUSED_STREAM, or a GOAWAY below the stream's id
    /// (RFC 9113 sections 6.8 and 8.7).
    NotProcessed,
    /// The connection or the stream ended without a status.
    Lost,
    /// The call ended with a status of this code; the outcome is what its text says of a write.
    Refused(Code, Outcome),
    /// An answer came and cannot be read.
    Malformed,
    /// The member was silent for too long, and another one was there: the caller stopped waiting.
    Abandoned,
    /// The call's own deadline passed.
    DeadlinePassed,
}

/// Whether a member is left that this call did not try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untried {
    /// One that can be called now.
    Ready,
    /// One that may come up before the deadline.
    Down,
    None,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Send again, on another member where there is one.
    Resend,
    /// The caller gets the error.
    GiveUp,
}

/// Decides after an attempt of an RPC of `class`.
pub(crate) fn decide(class: Class, observation: Observation, untried: Untried) -> Decision {
    let repeatable = class.is_repeatable();
    let resend = match observation {
        Observation::NotSent | Observation::NotProcessed => true,
        Observation::Lost | Observation::Abandoned => repeatable,
        Observation::Refused(code, _) => match code {
            // Said before the request is proposed; a backlog drains.
            Code::TooManyRequests => true,
            // Said before the request is handled, by a member that will say it again.
            Code::NotSupportedForLearner => untried != Untried::None,
            // As above; who requires a leader wants to know at once that there is none.
            Code::NoLeader => untried == Untried::Ready && class != Class::Forwarded,
            Code::LeaderChanged
            | Code::Stopped
            | Code::Timeout
            | Code::TimeoutDueToLeaderFail
            | Code::TimeoutDueToConnectionLost
            | Code::TimeoutWaitAppliedIndex
            | Code::Canceled
            | Code::DeadlineExceeded
            | Code::Other(GrpcCode::Unavailable | GrpcCode::Cancelled | GrpcCode::DeadlineExceeded) => {
                repeatable
            }
            _ => false,
        },
        Observation::Malformed | Observation::DeadlinePassed => false,
    };
    if resend { Decision::Resend } else { Decision::GiveUp }
}

/// What one attempt says about a write.
pub(crate) fn outcome(class: Class, observation: Observation) -> Outcome {
    if class == Class::Read {
        return Outcome::NotApplied;
    }
    match observation {
        Observation::NotSent | Observation::NotProcessed => Outcome::NotApplied,
        Observation::Refused(Code::NoLeader, _) if class == Class::Forwarded => Outcome::Unknown,
        Observation::Refused(_, outcome) => outcome,
        Observation::Lost | Observation::Malformed | Observation::Abandoned | Observation::DeadlinePassed => {
            Outcome::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Class::{Idempotent, Read, Write};
    use Decision::{GiveUp, Resend};
    use Observation::{Abandoned, DeadlinePassed, Lost, Malformed, NotProcessed, NotSent};

    const UNAVAILABLE: Code = Code::Other(GrpcCode::Unavailable);

    fn refused(code: Code) -> Observation {
        Observation::Refused(code, code.outcome())
    }

    /// (observation, decision for a read, for an idempotent call, for a write, outcome of a write)
    type Row = (Observation, Decision, Decision, Decision, Outcome);

    fn table() -> Vec<Row> {
        vec![
            (NotSent, Resend, Resend, Resend, Outcome::NotApplied),
            (NotProcessed, Resend, Resend, Resend, Outcome::NotApplied),
            (Lost, Resend, Resend, GiveUp, Outcome::Unknown),
            (Abandoned, Resend, Resend, GiveUp, Outcome::Unknown),
            (Malformed, GiveUp, GiveUp, GiveUp, Outcome::Unknown),
            (DeadlinePassed, GiveUp, GiveUp, GiveUp, Outcome::Unknown),
            (refused(Code::NoLeader), Resend, Resend, Resend, Outcome::NotApplied),
            (refused(Code::TooManyRequests), Resend, Resend, Resend, Outcome::NotApplied),
            (refused(Code::NotSupportedForLearner), Resend, Resend, Resend, Outcome::NotApplied),
            (refused(Code::LeaderChanged), Resend, Resend, GiveUp, Outcome::Unknown),
            (refused(Code::Stopped), Resend, Resend, GiveUp, Outcome::Unknown),
            (refused(Code::Timeout), Resend, Resend, GiveUp, Outcome::Unknown),
            (refused(Code::TimeoutDueToLeaderFail), Resend, Resend, GiveUp, Outcome::Unknown),
            (refused(Code::TimeoutDueToConnectionLost), Resend, Resend, GiveUp, Outcome::Unknown),
            (refused(Code::TimeoutWaitAppliedIndex), Resend, Resend, GiveUp, Outcome::Unknown),
            (refused(Code::Canceled), Resend, Resend, GiveUp, Outcome::Unknown),
            (refused(Code::DeadlineExceeded), Resend, Resend, GiveUp, Outcome::Unknown),
            (refused(UNAVAILABLE), Resend, Resend, GiveUp, Outcome::Unknown),
            (refused(Code::Other(GrpcCode::Cancelled)), Resend, Resend, GiveUp, Outcome::Unknown),
            (refused(Code::Other(GrpcCode::Unknown)), GiveUp, GiveUp, GiveUp, Outcome::Unknown),
            (refused(Code::Other(GrpcCode::Internal)), GiveUp, GiveUp, GiveUp, Outcome::Unknown),
            (refused(Code::Compacted), GiveUp, GiveUp, GiveUp, Outcome::NotApplied),
            (refused(Code::PermissionDenied), GiveUp, GiveUp, GiveUp, Outcome::NotApplied),
            (refused(Code::NoSpace), GiveUp, GiveUp, GiveUp, Outcome::Unknown),
            (refused(Code::EmptyKey), GiveUp, GiveUp, GiveUp, Outcome::NotApplied),
        ]
    }

    #[test]
    fn the_table() {
        for (observation, read, idempotent, write, applied) in table() {
            assert_eq!(decide(Read, observation, Untried::Ready), read, "{observation:?}");
            assert_eq!(decide(Idempotent, observation, Untried::Ready), idempotent, "{observation:?}");
            assert_eq!(decide(Write, observation, Untried::Ready), write, "{observation:?}");
            assert_eq!(outcome(Write, observation), applied, "{observation:?}");
            assert_eq!(outcome(Idempotent, observation), applied, "{observation:?}");
            assert_eq!(outcome(Read, observation), Outcome::NotApplied, "{observation:?}");
        }
    }

    #[test]
    fn what_another_member_may_know_better() {
        for class in [Read, Idempotent, Write] {
            for (code, ready, down, none) in [
                (Code::NoLeader, Resend, GiveUp, GiveUp),
                (Code::NotSupportedForLearner, Resend, Resend, GiveUp),
                (Code::TooManyRequests, Resend, Resend, Resend),
            ] {
                assert_eq!(decide(class, refused(code), Untried::Ready), ready, "{code:?}");
                assert_eq!(decide(class, refused(code), Untried::Down), down, "{code:?}");
                assert_eq!(decide(class, refused(code), Untried::None), none, "{code:?}");
            }
            assert_eq!(decide(class, NotSent, Untried::None), Resend);
        }
    }

    #[test]
    fn a_forwarded_write_without_a_leader_may_be_applied() {
        let no_leader = refused(Code::NoLeader);
        assert_eq!(outcome(Class::Forwarded, no_leader), Outcome::Unknown);
        assert_eq!(decide(Class::Forwarded, no_leader, Untried::Ready), GiveUp);
        for (observation, _, _, write, applied) in table().into_iter().filter(|row| row.0 != no_leader) {
            assert_eq!(decide(Class::Forwarded, observation, Untried::Ready), write, "{observation:?}");
            assert_eq!(outcome(Class::Forwarded, observation), applied, "{observation:?}");
        }
    }

    #[test]
    fn the_text_decides_where_the_code_does_not() {
        let before_the_handler =
            Observation::Refused(Code::Other(GrpcCode::ResourceExhausted), Outcome::NotApplied);
        assert_eq!(outcome(Write, before_the_handler), Outcome::NotApplied);
        assert_eq!(decide(Write, before_the_handler, Untried::Ready), GiveUp);
    }

    #[test]
    fn a_write_that_may_be_applied_is_never_resent() {
        let codes = Code::ALL.iter().copied().chain((0..17).map(|n| Code::Other(GrpcCode::from_i32(n))));
        let all =
            codes.map(refused).chain([NotSent, NotProcessed, Lost, Abandoned, Malformed, DeadlinePassed]);
        for observation in all {
            let unknown = outcome(Write, observation) == Outcome::Unknown;
            assert!(!unknown || decide(Write, observation, Untried::Ready) == GiveUp, "{observation:?}");
        }
    }
}
