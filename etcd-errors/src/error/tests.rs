//! The accessors and texts of errors, and their chains of causes.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use super::Error;
use crate::{Attempt, Code, ErrorKind, GrpcCode, Outcome};

/// Returns the texts of the error and its causes. Panics if one of them repeats another.
fn chain(error: &(dyn StdError + 'static)) -> Vec<String> {
    let texts: Vec<String> =
        std::iter::successors(Some(error), |&cause| cause.source()).map(ToString::to_string).collect();
    for (at, text) in texts.iter().enumerate() {
        let others = texts.iter().enumerate().filter(|(other, _)| *other != at);
        for (_, other) in others {
            assert!(!other.contains(text.as_str()), "{other:?} repeats {text:?}");
        }
    }
    texts
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused")
}

#[test]
fn error_is_pointer_sized_and_send() {
    fn crosses<T: Send + Sync + Clone + 'static>() {}
    crosses::<Error>();
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
}

#[test]
fn display_is_one_phrase() {
    let server = |message: &'static str| Error::from_server(GrpcCode::Unknown, message).with_operation("put");
    for (error, phrase) in [
        (Error::invalid_request("key", "must not be empty"), "must not be empty (field key)"),
        (
            Error::invalid_request("key", "key is not provided").with_operation("put"),
            "put: key is not provided (field key)",
        ),
        (server("etcdserver: mvcc: database space exceeded"), "put: database space exceeded"),
        (
            server("rpc error: code = PermissionDenied desc = etcdserver: permission denied"),
            "put: permission denied",
        ),
        (server("line one\nline\u{1b}[2J two"), "put: line one line [2J two"),
        (server(""), "put: etcd returned an error (Unknown, without a message)"),
        (Error::new(ErrorKind::Closed, ""), "the client is closed"),
    ] {
        assert_eq!(error.to_string(), phrase);
    }
}

#[test]
fn causes_do_not_repeat_each_other() {
    let error = Error::new(ErrorKind::Unavailable, "connecting to 10.0.0.1:2379")
        .with_operation("get")
        .with_source(refused());
    assert_eq!(chain(&error), ["get: connecting to 10.0.0.1:2379", "connection refused"]);
    let outer = Error::new(ErrorKind::Timeout, "the deadline passed").with_source(error);
    assert_eq!(chain(&outer).len(), 3);
    let cause = outer.source().and_then(|source| source.source()).expect("two causes");
    assert!(cause.downcast_ref::<io::Error>().is_some(), "{cause:?}");
}

#[test]
#[should_panic(expected = "repeats")]
fn repeated_cause_is_detected() {
    chain(&Error::new(ErrorKind::Unavailable, "connecting: connection refused").with_source(refused()));
}

#[test]
fn server_error_keeps_text_and_grpc_code() {
    let error = Error::from_server(GrpcCode::Unavailable, "etcdserver: rpc not supported for learner");
    assert_eq!(error.message(), "etcdserver: rpc not supported for learner");
    assert_eq!(error.code(), Some(Code::NotSupportedForLearner));
    assert_eq!(error.grpc_code(), Some(GrpcCode::Unavailable));
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Server, Outcome::NotApplied));

    let error = Error::from_server(GrpcCode::Aborted, "what is this?".to_owned());
    assert_eq!(error.message(), "what is this?");
    assert_eq!(error.code(), Some(Code::Other(GrpcCode::Aborted)));
    assert!(error.outcome_unknown());

    let error = Error::from_server(GrpcCode::Unknown, "raft proposal dropped");
    assert!(!error.outcome_unknown(), "the text says more than the code");
    assert_eq!(error.with_code(Code::NoLeader).grpc_code(), Some(GrpcCode::Unknown));

    let reason = "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token";
    let error = Error::from_server(GrpcCode::Unknown, reason);
    assert_eq!(error.message(), reason);
    assert_eq!(error.grpc_code(), Some(GrpcCode::Unauthenticated));
}

#[test]
fn kind_follows_from_code() {
    for (grpc, message, kind) in [
        (GrpcCode::Unimplemented, "unknown method", ErrorKind::Unsupported),
        (GrpcCode::DeadlineExceeded, "too late", ErrorKind::Timeout),
        (GrpcCode::Unknown, "context deadline exceeded", ErrorKind::Timeout),
        (GrpcCode::Unavailable, "transport is closing", ErrorKind::Unavailable),
        (GrpcCode::Unavailable, "etcdserver: no leader", ErrorKind::Server),
        (GrpcCode::Unknown, "boom", ErrorKind::Server),
    ] {
        assert_eq!(Error::from_server(grpc, message).kind(), kind, "{message}");
    }
}

#[test]
fn error_from_code_matches_etcd() {
    for code in Code::ALL.iter().copied() {
        let error = Error::from(code);
        assert_eq!((error.code(), error.grpc_code()), (Some(code), Some(code.grpc())));
        assert_eq!((error.outcome(), Some(error.message())), (code.outcome(), code.message()));
    }
    let other = Code::Other(GrpcCode::Internal);
    assert_eq!(Error::from(other).code(), Some(other));
}

#[test]
fn setters_and_getters_agree() {
    let attempt = Attempt::new("http://a:2379", "reset").with_sent(true).with_elapsed(Duration::from_secs(1));
    let error = Error::new(ErrorKind::Timeout, "the deadline passed");
    assert_eq!(error.outcome(), Outcome::NotApplied);
    let error = error
        .with_outcome(Outcome::Unknown)
        .with_code(Code::DeadlineExceeded)
        .with_operation("txn")
        .with_field("timeout")
        .with_attempts(vec![attempt.clone()])
        .with_elapsed(Duration::from_secs(2));
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.grpc_code(), Some(GrpcCode::DeadlineExceeded));
    assert_eq!((error.operation(), error.field()), (Some("txn"), Some("timeout")));
    assert_eq!(error.attempts(), [attempt]);
    assert_eq!(error.elapsed(), Some(Duration::from_secs(2)));
    // A code that is set later does not change an unknown outcome.
    assert_eq!(error.with_code(Code::PermissionDenied).outcome(), Outcome::Unknown);
}

#[test]
fn predicates_check_kind_and_code() {
    let of = |code: Code| Error::from(code);
    assert!(of(Code::Compacted).is_compacted() && !of(Code::FutureRev).is_compacted());
    assert!(of(Code::PermissionDenied).is_permission_denied());
    assert!(of(Code::Other(GrpcCode::PermissionDenied)).is_permission_denied());
    assert!(of(Code::LeaseNotFound).is_lease_not_found());
    assert!(of(Code::NoSpace).is_no_space());
    assert!(of(Code::NoLeader).is_no_leader() && !of(Code::NotLeader).is_no_leader());
    assert!(of(Code::NotLeader).is_not_leader());
    assert!(of(Code::Other(GrpcCode::Unimplemented)).is_unsupported());
    for code in Code::ALL.iter().copied() {
        assert_eq!(of(code).is_unavailable(), code.grpc() == GrpcCode::Unavailable, "{code}");
        let timeout = code.name().starts_with("Timeout") || code == Code::DeadlineExceeded;
        assert_eq!(of(code).is_timeout(), timeout, "{code}");
        let token = [Code::UserEmpty, Code::InvalidAuthToken, Code::AuthOldRevision].contains(&code);
        assert_eq!(of(code).is_token_rejected(), token, "{code}");
    }
    assert!(Error::new(ErrorKind::Closed, "").is_closed());
    assert!(Error::new(ErrorKind::Timeout, "").is_timeout());
    assert!(Error::new(ErrorKind::Unavailable, "").is_unavailable());
}

#[test]
fn debug_is_compact_without_passwords() {
    let error = Error::from(Code::NoLeader);
    assert_eq!(
        format!("{error:?}"),
        "Error { kind: Server, message: \"etcdserver: no leader\", code: NoLeader, outcome: NotApplied, .. }"
    );
    let attempt = Attempt::new("http://root:s3cret@a:2379", "connection refused");
    let error = error.with_attempts(vec![attempt]).with_source(refused());
    assert!(!format!("{error:?} {}", error.report()).contains("s3cret"));
    assert!(format!("{error:?}").contains("source: connection refused"));
}
