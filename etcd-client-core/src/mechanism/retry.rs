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
    /// The call ended with this status.
    Refused(Code),
    /// An answer came and cannot be read.
    Malformed,
    /// The call's own deadline passed.
    DeadlinePassed,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Send again, on another member where there is one.
    Resend,
    /// The caller gets the error.
    GiveUp,
}

/// Decides after an attempt of an RPC of `class`. `untried` says whether a member is left that this call did not try.
pub(crate) fn decide(class: Class, observation: Observation, untried: bool) -> Decision {
    let repeatable = class != Class::Write;
    let resend = match observation {
        Observation::NotSent | Observation::NotProcessed => true,
        Observation::Lost => repeatable,
        Observation::Refused(code) => match code {
            // Said before the request is proposed; a backlog drains.
            Code::TooManyRequests => true,
            // Said before the request is handled, by a member that will say it again.
            Code::NoLeader | Code::NotSupportedForLearner => untried,
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
        Observation::Refused(code) => code.outcome(),
        Observation::Lost | Observation::Malformed | Observation::DeadlinePassed => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Class::{Idempotent, Read, Write};
    use Decision::{GiveUp, Resend};
    use Observation::{DeadlinePassed, Lost, Malformed, NotProcessed, NotSent, Refused};

    const UNAVAILABLE: Code = Code::Other(GrpcCode::Unavailable);

    /// (observation, decision for a read, for an idempotent call, for a write, outcome of a write)
    const TABLE: &[(Observation, Decision, Decision, Decision, Outcome)] = &[
        (NotSent, Resend, Resend, Resend, Outcome::NotApplied),
        (NotProcessed, Resend, Resend, Resend, Outcome::NotApplied),
        (Lost, Resend, Resend, GiveUp, Outcome::Unknown),
        (Malformed, GiveUp, GiveUp, GiveUp, Outcome::Unknown),
        (DeadlinePassed, GiveUp, GiveUp, GiveUp, Outcome::Unknown),
        (Refused(Code::NoLeader), Resend, Resend, Resend, Outcome::NotApplied),
        (Refused(Code::TooManyRequests), Resend, Resend, Resend, Outcome::NotApplied),
        (Refused(Code::NotSupportedForLearner), Resend, Resend, Resend, Outcome::NotApplied),
        (Refused(Code::LeaderChanged), Resend, Resend, GiveUp, Outcome::Unknown),
        (Refused(Code::Stopped), Resend, Resend, GiveUp, Outcome::Unknown),
        (Refused(Code::Timeout), Resend, Resend, GiveUp, Outcome::Unknown),
        (Refused(Code::TimeoutDueToLeaderFail), Resend, Resend, GiveUp, Outcome::Unknown),
        (Refused(Code::TimeoutDueToConnectionLost), Resend, Resend, GiveUp, Outcome::Unknown),
        (Refused(Code::TimeoutWaitAppliedIndex), Resend, Resend, GiveUp, Outcome::Unknown),
        (Refused(Code::Canceled), Resend, Resend, GiveUp, Outcome::Unknown),
        (Refused(Code::DeadlineExceeded), Resend, Resend, GiveUp, Outcome::Unknown),
        (Refused(UNAVAILABLE), Resend, Resend, GiveUp, Outcome::Unknown),
        (Refused(Code::Other(GrpcCode::Cancelled)), Resend, Resend, GiveUp, Outcome::Unknown),
        (Refused(Code::Other(GrpcCode::Unknown)), GiveUp, GiveUp, GiveUp, Outcome::Unknown),
        (Refused(Code::Other(GrpcCode::Internal)), GiveUp, GiveUp, GiveUp, Outcome::Unknown),
        (Refused(Code::Compacted), GiveUp, GiveUp, GiveUp, Outcome::NotApplied),
        (Refused(Code::PermissionDenied), GiveUp, GiveUp, GiveUp, Outcome::NotApplied),
        (Refused(Code::NoSpace), GiveUp, GiveUp, GiveUp, Outcome::Unknown),
        (Refused(Code::EmptyKey), GiveUp, GiveUp, GiveUp, Outcome::NotApplied),
    ];

    #[test]
    fn the_table() {
        for &(observation, read, idempotent, write, applied) in TABLE {
            assert_eq!(decide(Read, observation, true), read, "{observation:?}");
            assert_eq!(decide(Idempotent, observation, true), idempotent, "{observation:?}");
            assert_eq!(decide(Write, observation, true), write, "{observation:?}");
            assert_eq!(outcome(Write, observation), applied, "{observation:?}");
            assert_eq!(outcome(Idempotent, observation), applied, "{observation:?}");
            assert_eq!(outcome(Read, observation), Outcome::NotApplied, "{observation:?}");
        }
    }

    #[test]
    fn what_every_member_said_is_final() {
        for class in [Read, Idempotent, Write] {
            assert_eq!(decide(class, Refused(Code::NoLeader), false), GiveUp);
            assert_eq!(decide(class, Refused(Code::NotSupportedForLearner), false), GiveUp);
            assert_eq!(decide(class, Refused(Code::TooManyRequests), false), Resend);
            assert_eq!(decide(class, NotSent, false), Resend);
        }
    }

    #[test]
    fn a_write_that_may_be_applied_is_never_resent() {
        let codes = Code::ALL.iter().copied().chain((0..17).map(|n| Code::Other(GrpcCode::from_i32(n))));
        let all = codes.map(Refused).chain([NotSent, NotProcessed, Lost, Malformed, DeadlinePassed]);
        for observation in all {
            let unknown = outcome(Write, observation) == Outcome::Unknown;
            assert!(!unknown || decide(Write, observation, true) == GiveUp, "{observation:?}");
        }
    }
}
