//! Compares every row of the table with the generated code, and covers errors outside of the table.

use super::{Code, GrpcCode, Outcome};

const TABLE: &str = include_str!("../../table/v3rpc.tsv");

struct Line {
    name: &'static str,
    grpc: GrpcCode,
    outcome: Outcome,
    message: &'static str,
}

fn lines() -> Vec<Line> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let [name, grpc, outcome, message] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not four columns: {row}")
        };
        let outcome = match outcome {
            "not-applied" => Outcome::NotApplied,
            "unknown" => Outcome::Unknown,
            _ => panic!("no outcome: {row}"),
        };
        Line { name, grpc: GrpcCode::from_go_name(grpc), outcome, message }
    })
    .collect()
}

#[test]
fn every_row_has_a_code() {
    let lines = lines();
    assert_eq!(lines.len(), 66);
    assert_eq!(Code::ALL.len(), 66);
    for (line, code) in lines.iter().zip(Code::ALL.iter().copied()) {
        assert_eq!(Code::parse(line.grpc, line.message), code, "{}", line.name);
        assert_eq!(code.name(), line.name);
        assert_eq!(format!("{code:?} {code}"), format!("{0} {0}", line.name));
        assert_eq!(code.grpc(), line.grpc, "{}", line.name);
        assert_eq!(code.outcome(), line.outcome, "{}", line.name);
        assert_eq!(code.outcome_with(line.message), line.outcome, "{}", line.name);
        assert_eq!(code.message(), Some(line.message));
    }
}

#[test]
fn text_takes_precedence_over_grpc_code() {
    for line in lines() {
        for grpc in (0..=16).map(GrpcCode::from_i32) {
            assert_eq!(Code::parse(grpc, line.message).name(), line.name, "{grpc}");
        }
    }
}

#[test]
fn errors_of_older_servers_are_recognised() {
    use GrpcCode::{Cancelled, DeadlineExceeded, Unavailable, Unknown};
    for (grpc, message, code) in [
        (Unavailable, "etcdserver: not capable", Code::NotCapable),
        (Unavailable, "etcdserver: rpc not supported for learner", Code::NotSupportedForLearner),
        (
            Unavailable,
            "etcdserver: cluster version not found during downgrade",
            Code::ClusterVersionUnavailable,
        ),
        (Unknown, "etcdserver: too many requests", Code::TooManyRequests),
        (
            Unknown,
            "etcdserver: re-configuration failed due to not enough started members",
            Code::MemberNotEnoughStarted,
        ),
        (Unknown, "context deadline exceeded", Code::DeadlineExceeded),
        (DeadlineExceeded, "context deadline exceeded", Code::DeadlineExceeded),
        (Cancelled, "context canceled", Code::Canceled),
        (Unknown, "etcdserver: request cancelled", Code::Canceled),
        (Unknown, "auth: revision in header is old", Code::AuthOldRevision),
        (Unknown, "auth: user name is empty", Code::UserEmpty),
        (Unknown, "auth: permission denied", Code::PermissionDenied),
        (Unknown, "auth: invalid auth token", Code::InvalidAuthToken),
        (Unknown, "auth: permission not given", Code::PermissionNotGiven),
        (Unknown, "auth: user name is empty", Code::UserEmpty),
        (Unknown, "auth: permission denied", Code::PermissionDenied),
        (Unknown, "auth: invalid auth token", Code::InvalidAuthToken),
    ] {
        assert_eq!(Code::parse(grpc, message), code, "{message}");
    }
}

#[test]
fn wrapped_message_is_unwrapped() {
    for line in lines() {
        let wrapped = format!("rpc error: code = {} desc = {}", line.grpc, line.message);
        assert_eq!(Code::parse(GrpcCode::Unknown, &wrapped).name(), line.name);
        let twice = format!("rpc error: code = Unknown desc = {wrapped}");
        assert_eq!(Code::parse(GrpcCode::Internal, &twice).name(), line.name);
    }
}

#[test]
fn unknown_wrapped_text_keeps_wrapped_code() {
    let parse = |message| Code::parse(GrpcCode::Unknown, message);
    assert_eq!(parse("rpc error: code = Canceled desc = x"), Code::Other(GrpcCode::Cancelled));
    assert_eq!(parse("rpc error: code = Code(42) desc = x"), Code::Other(GrpcCode::Unknown));
    assert_eq!(parse("rpc error: code = Internal"), Code::Other(GrpcCode::Unknown));
}

#[test]
fn unknown_text_keeps_grpc_code() {
    for message in ["", "etcdserver: ", "etcdserver: no leader ", "key is not provided", "no leader"] {
        let code = Code::parse(GrpcCode::Aborted, message);
        assert_eq!(code, Code::Other(GrpcCode::Aborted), "{message:?}");
        assert_eq!(
            (code.grpc(), code.message(), code.name()),
            (GrpcCode::Aborted, None, "Other"),
            "{message:?}"
        );
        assert_eq!(code.to_string(), "Other(Aborted)");
    }
}

/// Lists the codes independently of the table, because a wrong `NotApplied` makes a client write twice.
#[test]
fn only_these_codes_leave_outcome_unknown() {
    let unknown: Vec<_> =
        Code::ALL.iter().copied().filter(|code| code.outcome() == Outcome::Unknown).collect();
    assert_eq!(
        unknown,
        [
            Code::NoSpace,
            Code::MemberNotLearner,
            Code::LeaderChanged,
            Code::Stopped,
            Code::Timeout,
            Code::TimeoutDueToLeaderFail,
            Code::TimeoutDueToConnectionLost,
            Code::TimeoutWaitAppliedIndex,
            Code::Corrupt,
            Code::Canceled,
            Code::DeadlineExceeded,
        ]
    );
    let bare: Vec<_> = (0..=16)
        .map(GrpcCode::from_i32)
        .filter(|grpc| Code::Other(*grpc).outcome() == Outcome::NotApplied)
        .collect();
    assert_eq!(
        bare,
        [
            GrpcCode::InvalidArgument,
            GrpcCode::NotFound,
            GrpcCode::AlreadyExists,
            GrpcCode::PermissionDenied,
            GrpcCode::FailedPrecondition,
            GrpcCode::OutOfRange,
            GrpcCode::Unimplemented,
            GrpcCode::Unauthenticated,
        ]
    );
}

#[test]
fn known_texts_refine_outcome() {
    use GrpcCode::{OutOfRange, ResourceExhausted, Unavailable, Unimplemented, Unknown};
    for (grpc, message, outcome) in [
        (ResourceExhausted, "grpc: received message larger than max (9 vs. 8)", Outcome::NotApplied),
        (ResourceExhausted, "grpc: trying to send message larger than max (9 vs. 8)", Outcome::Unknown),
        (Unknown, "raft proposal dropped", Outcome::NotApplied),
        (Unavailable, "raft proposal dropped", Outcome::Unknown),
        (Unavailable, "rpc error: code = Unknown desc = raft proposal dropped", Outcome::NotApplied),
        (OutOfRange, "Error, decoded message length too large: found 9 bytes, ..", Outcome::Unknown),
        (OutOfRange, "anything else", Outcome::NotApplied),
        (Unimplemented, "Content is compressed with `br` which isn't supported", Outcome::Unknown),
        (Unimplemented, "unknown method RangeStream for service etcdserverpb.KV", Outcome::NotApplied),
    ] {
        assert_eq!(Code::parse(grpc, message).outcome_with(message), outcome, "{grpc} {message}");
    }
}
