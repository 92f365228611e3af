//! The retry rules: what to do after a failed attempt, and its outcome for a write. One table, without a clock or
//! I/O.
//!
//! A request that was certainly not processed is retried for any RPC. A request whose outcome is unknown is retried
//! only if a second execution has no observable effect.

use etcd_errors::{Code, GrpcCode, Outcome};

use crate::transport::grpc::observation::{Class, Observation};

/// The availability of a member that this call has not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untried {
    /// One can be called now.
    Ready,
    /// One may become available before the deadline.
    Down,
    None,
}

/// The decision after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Retry, on another member if there is one.
    Retry,
    /// Return the error to the caller.
    GiveUp,
}

/// Decides after a failed attempt of an RPC of `class`.
pub(crate) fn decide(class: Class, observation: Observation, untried: Untried) -> Decision {
    let repeatable = class.is_repeatable();
    let retry = match observation {
        Observation::NotSent | Observation::NotProcessed => true,
        // The request may have been processed.
        Observation::Lost | Observation::Abandoned => repeatable,
        Observation::Rejected(code, _) => match code {
            // Returned before the request is proposed, and temporary: the backlog drains.
            Code::TooManyRequests => true,
            // Returned before the request is handled. The same member would return it again.
            Code::NotSupportedForLearner => untried != Untried::None,
            // As above. A caller that requires a leader wants to fail immediately if there is none, so
            // members that are down are not waited for.
            Code::NoLeader => untried == Untried::Ready && class != Class::Forwarded,
            // The proposal may be committed although the member reports a failure.
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
        // A member that responds with something undecodable has processed the request, and would respond the
        // same way again. After the deadline, no time is left.
        Observation::Malformed | Observation::DeadlinePassed => false,
    };
    if retry { Decision::Retry } else { Decision::GiveUp }
}

/// Returns the outcome of a write after this observation.
pub(crate) fn outcome(class: Class, observation: Observation) -> Outcome {
    if class == Class::Read {
        return Outcome::NotApplied;
    }
    match observation {
        Observation::NotSent | Observation::NotProcessed => Outcome::NotApplied,
        Observation::Rejected(Code::NoLeader, _) if class == Class::Forwarded => Outcome::Unknown,
        Observation::Rejected(_, outcome) => outcome,
        Observation::Lost | Observation::Malformed | Observation::Abandoned | Observation::DeadlinePassed => {
            Outcome::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use Class::{Idempotent, Read, Write};
    use Decision::{GiveUp, Retry};
    use Observation::{Abandoned, DeadlinePassed, Lost, Malformed, NotProcessed, NotSent};

    use super::*;

    const UNAVAILABLE: Code = Code::Other(GrpcCode::Unavailable);

    fn rejected(code: Code) -> Observation {
        Observation::Rejected(code, code.outcome())
    }

    /// Columns: observation; decision for a read, an idempotent call and a write; outcome of a write.
    type Row = (Observation, Decision, Decision, Decision, Outcome);

    fn table() -> Vec<Row> {
        vec![
            (NotSent, Retry, Retry, Retry, Outcome::NotApplied),
            (NotProcessed, Retry, Retry, Retry, Outcome::NotApplied),
            (Lost, Retry, Retry, GiveUp, Outcome::Unknown),
            (Abandoned, Retry, Retry, GiveUp, Outcome::Unknown),
            (Malformed, GiveUp, GiveUp, GiveUp, Outcome::Unknown),
            (DeadlinePassed, GiveUp, GiveUp, GiveUp, Outcome::Unknown),
            (rejected(Code::NoLeader), Retry, Retry, Retry, Outcome::NotApplied),
            (rejected(Code::TooManyRequests), Retry, Retry, Retry, Outcome::NotApplied),
            (rejected(Code::NotSupportedForLearner), Retry, Retry, Retry, Outcome::NotApplied),
            (rejected(Code::LeaderChanged), Retry, Retry, GiveUp, Outcome::Unknown),
            (rejected(Code::Stopped), Retry, Retry, GiveUp, Outcome::Unknown),
            (rejected(Code::Timeout), Retry, Retry, GiveUp, Outcome::Unknown),
            (rejected(Code::TimeoutDueToLeaderFail), Retry, Retry, GiveUp, Outcome::Unknown),
            (rejected(Code::TimeoutDueToConnectionLost), Retry, Retry, GiveUp, Outcome::Unknown),
            (rejected(Code::TimeoutWaitAppliedIndex), Retry, Retry, GiveUp, Outcome::Unknown),
            (rejected(Code::Canceled), Retry, Retry, GiveUp, Outcome::Unknown),
            (rejected(Code::DeadlineExceeded), Retry, Retry, GiveUp, Outcome::Unknown),
            (rejected(UNAVAILABLE), Retry, Retry, GiveUp, Outcome::Unknown),
            (rejected(Code::Other(GrpcCode::Cancelled)), Retry, Retry, GiveUp, Outcome::Unknown),
            (rejected(Code::Other(GrpcCode::Unknown)), GiveUp, GiveUp, GiveUp, Outcome::Unknown),
            (rejected(Code::Other(GrpcCode::Internal)), GiveUp, GiveUp, GiveUp, Outcome::Unknown),
            (rejected(Code::Compacted), GiveUp, GiveUp, GiveUp, Outcome::NotApplied),
            (rejected(Code::PermissionDenied), GiveUp, GiveUp, GiveUp, Outcome::NotApplied),
            (rejected(Code::NoSpace), GiveUp, GiveUp, GiveUp, Outcome::Unknown),
            (rejected(Code::EmptyKey), GiveUp, GiveUp, GiveUp, Outcome::NotApplied),
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
    fn retry_depends_on_untried_members() {
        for class in [Read, Idempotent, Write] {
            for (code, ready, down, none) in [
                (Code::NoLeader, Retry, GiveUp, GiveUp),
                (Code::NotSupportedForLearner, Retry, Retry, GiveUp),
                (Code::TooManyRequests, Retry, Retry, Retry),
            ] {
                assert_eq!(decide(class, rejected(code), Untried::Ready), ready, "{code:?}");
                assert_eq!(decide(class, rejected(code), Untried::Down), down, "{code:?}");
                assert_eq!(decide(class, rejected(code), Untried::None), none, "{code:?}");
            }
            assert_eq!(decide(class, NotSent, Untried::None), Retry);
        }
    }

    #[test]
    fn a_forwarded_write_without_a_leader_may_be_applied() {
        let no_leader = rejected(Code::NoLeader);
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
            Observation::Rejected(Code::Other(GrpcCode::ResourceExhausted), Outcome::NotApplied);
        assert_eq!(outcome(Write, before_the_handler), Outcome::NotApplied);
        assert_eq!(decide(Write, before_the_handler, Untried::Ready), GiveUp);
    }

    #[test]
    fn write_that_may_be_applied_is_never_retried() {
        let codes = Code::ALL.iter().copied().chain((0..17).map(|n| Code::Other(GrpcCode::from_i32(n))));
        let all =
            codes.map(rejected).chain([NotSent, NotProcessed, Lost, Abandoned, Malformed, DeadlinePassed]);
        for observation in all {
            let unknown = outcome(Write, observation) == Outcome::Unknown;
            assert!(!unknown || decide(Write, observation, Untried::Ready) == GiveUp, "{observation:?}");
        }
    }
}
