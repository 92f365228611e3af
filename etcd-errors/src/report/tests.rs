//! Reports of typical errors, in full.

use std::io;
use std::time::Duration;

use super::{Short, hint};
use crate::{Attempt, Code, Error, ErrorKind, ErrorTopic, GrpcCode, Outcome};

fn assert_report(error: &Error, expected: &str) {
    let report = error.report().to_string();
    assert_eq!(report, expected.trim_start(), "\n{report}\n");
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn invalid_request() {
    let error = Error::invalid_request("key", "key is not provided").with_operation("put");
    let expected = "
put: key is not provided (field key)
  outcome  the request was not sent, nothing was changed";
    assert_report(&error, expected);
}

#[test]
fn server_error() {
    let error =
        Error::from(Code::EmptyKey).with_operation("put").with_elapsed(millis(2)).with_attempts(vec![
            Attempt::new("http://10.0.0.1:2379", "etcdserver: key is not provided")
                .with_sent(true)
                .with_elapsed(millis(2)),
        ]);
    let expected = "
put: key is not provided
  outcome  nothing was changed
  code     EmptyKey (gRPC InvalidArgument)
  took     2 ms
  tried    http://10.0.0.1:2379  sent, 2 ms: etcdserver: key is not provided
  help     give a key of at least one byte; to read every key, use all_keys()";
    assert_report(&error, expected);
}

#[test]
fn io_error() {
    let error = Error::new(ErrorKind::Io, "cannot write backup.db.part")
        .with_operation("snapshot")
        .with_source(io::Error::other("no space left on device"));
    let expected = "
snapshot: cannot write backup.db.part
  cause    no space left on device
  help     check that the directory exists and is writable, and that there is room on the disk";
    assert_report(&error, expected);
}

#[test]
fn compacted_watch_shows_first_revision() {
    let error = Error::from(Code::Compacted).with_operation("watch").with_compact_revision(42);
    assert_eq!(error.compact_revision(), Some(42));
    let expected = "
watch: required revision has been compacted
  code     Compacted (gRPC OutOfRange)
  history  begins at revision 42
  help     read again without a revision, or watch from the revision of a fresh read";
    assert_report(&error, expected);
}

#[test]
fn unreachable_endpoints() {
    let refused = |endpoint| Attempt::new(endpoint, "connection refused").with_elapsed(millis(1));
    let attempts =
        vec![refused("http://a:2379"), refused("https://b.example:2379"), refused("http://a:2379")];
    let error = Error::new(ErrorKind::Unavailable, "no endpoint is ready")
        .with_operation("get")
        .with_attempts(attempts)
        .with_elapsed(millis(5_000))
        .with_source(io::Error::other("connection refused"));
    let expected = "
get: no endpoint is ready
  outcome  nothing was sent, nothing was changed
  took     5.0 s
  tried    http://a:2379           not sent, 2 times, 2 ms: connection refused
           https://b.example:2379  not sent, 1 ms: connection refused
  cause    connection refused
  help     check that etcd is running, that the endpoint is correct, and whether it requires https";
    assert_report(&error, expected);
}

#[test]
fn write_with_unknown_outcome() {
    let error = Error::new(ErrorKind::Timeout, "the deadline passed")
        .with_operation("txn")
        .with_outcome(Outcome::Unknown)
        .with_elapsed(millis(5_001))
        .with_attempts(vec![
            Attempt::new("http://a:2379", "no answer").with_sent(true).with_elapsed(millis(5_001)),
        ]);
    let expected = "
txn: the deadline passed
  outcome  unknown: a write may have been applied, but not more than once
  took     5.0 s
  tried    http://a:2379  sent, 5.0 s: no answer
  help     read back what was written before writing it again";
    assert_report(&error, expected);
}

#[test]
fn compacted_revision() {
    let error = Error::from(Code::Compacted).with_operation("watch");
    let expected = "
watch: required revision has been compacted
  code     Compacted (gRPC OutOfRange)
  help     read again without a revision, or watch from the revision of a fresh read";
    assert_report(&error, expected);
}

#[test]
fn invalid_revision_of_write_changes_nothing() {
    for operation in ["txn", "compact"] {
        for code in [Code::Compacted, Code::FutureRev] {
            let report = Error::from(code).with_operation(operation).report().to_string();
            assert!(report.contains("outcome  nothing was changed"), "{report}");
        }
    }
}

#[test]
fn error_outside_of_table() {
    let error = Error::from_server(GrpcCode::Internal, "stream\r\nbroke").with_operation("grant");
    let expected = "
grant: stream  broke
  outcome  unknown: a write may have been applied, but not more than once
  code     gRPC Internal
  help     read back what was written before writing it again";
    assert_report(&error, expected);
}

#[test]
fn repeated_cause_is_omitted() {
    let inner = Error::new(ErrorKind::Unavailable, "reading ca.pem: no such file");
    let middle = Error::new(ErrorKind::Unavailable, "no such file").with_source(io::Error::other("enoent"));
    let error = Error::invalid_config("tls", "reading ca.pem: no such file").with_source(middle);
    let expected = "
reading ca.pem: no such file (field tls)
  cause    enoent";
    assert_report(&error, expected);
    assert_report(
        &Error::new(ErrorKind::Closed, "closed").with_source(inner),
        "
closed
  cause    reading ca.pem: no such file
  help     make the call before the client is closed, or on a new client",
    );
}

#[test]
fn long_attempt_list_is_truncated() {
    let attempts = (0..30).map(|at| Attempt::new(format!("http://{at}:2379"), "refused")).collect();
    let report = Error::new(ErrorKind::Unavailable, "x").with_attempts(attempts).report().to_string();
    assert!(report.contains("\n           .. and 18 more\n"), "{report}");
    assert!(report.contains("http://0:2379") && report.contains("http://29:2379"), "{report}");
    assert_eq!(report.lines().count(), 1 + 1 + 12 + 1 + 1, "{report}");
}

#[test]
fn each_reason_has_a_line() {
    let attempts = vec![
        Attempt::new("a", "reset"),
        Attempt::new("a", "reset").with_sent(true),
        Attempt::new("a", "refused"),
    ];
    let report = Error::new(ErrorKind::Unavailable, "x").with_attempts(attempts).report().to_string();
    assert_eq!(report.matches("  a  ").count(), 3, "{report}");
    assert!(report.contains("outcome  nothing was changed"), "{report}");
}

#[test]
fn sending_is_omitted_without_attempts() {
    let report = Error::new(ErrorKind::Timeout, "x").report().to_string();
    assert!(report.contains("outcome  nothing was changed"), "{report}");
}

#[test]
fn reason_stays_on_one_line() {
    let attempts = vec![Attempt::new("a", "x\n  help     rm -rf").with_sent(true)];
    let report = Error::new(ErrorKind::Protocol, "x").with_attempts(attempts).report().to_string();
    assert!(report.contains("\n  tried    a  sent: x   help     rm -rf\n"), "{report}");
}

#[test]
fn hint_after_unknown_outcome_is_to_look_first() {
    for code in Code::ALL.iter().copied().filter(|code| code.outcome() == Outcome::Unknown) {
        let hint = hint::hint(&Error::from(code)).unwrap_or_default();
        let looks =
            ["read back", "list the members", "stop writing"].iter().any(|look| hint.starts_with(look));
        assert!(looks, "{code}: {hint:?}");
    }
}

#[test]
fn durations_are_short() {
    for (micros, short) in [
        (0, "under 1 ms"),
        (999, "under 1 ms"),
        (1_999, "1 ms"),
        (999_999, "999 ms"),
        (1_500_000, "1.5 s"),
        (90_000_000, "90.0 s"),
    ] {
        assert_eq!(Short(Duration::from_micros(micros)).to_string(), short);
    }
}

#[test]
fn tls_reason_needs_no_hint() {
    let reason =
        "the peer closed the connection during the TLS handshake: does it speak TLS (http:// if not)?";
    let tried = |reasons: &[&str]| {
        let attempts = reasons.iter().map(|text| {
            let topic = (*text == reason).then_some(ErrorTopic::Tls);
            Attempt::new("https://a:2379", *text).with_sent(false).with_topic(topic)
        });
        Error::new(ErrorKind::Unavailable, "no endpoint was ready")
            .with_attempts(attempts.collect::<Vec<_>>())
    };
    assert!(!tried(&[reason]).report().to_string().contains("help"));
    for reasons in [&[][..], &["Connection refused"], &[reason, "Connection refused"]] {
        assert!(
            tried(reasons).report().to_string().contains("help     check that etcd is running"),
            "{reasons:?}"
        );
    }
}

#[test]
fn hints_name_the_setting() {
    let too_large = Error::new(ErrorKind::Protocol, "the answer is too large")
        .with_code(Code::Other(GrpcCode::ResourceExhausted));
    let attempt = Attempt::new("http://a:2379", "no answer");
    let unsent = Error::new(ErrorKind::Timeout, "the deadline passed before anything was sent");
    let silent_dns =
        Error::new(ErrorKind::Timeout, "DNS did not answer within 5.0 s").with_topic(ErrorTopic::NameLookup);
    let empty_dns = Error::new(ErrorKind::Unavailable, "DNS names no etcd member for example.com")
        .with_topic(ErrorTopic::NameLookup)
        .with_attempts(vec![Attempt::new("_etcd-client._tcp.example.com", "request timed out")]);
    let lookup = |host: &str| {
        let reason = format!("the name lookup of {host} had no answer within 4 s");
        Attempt::new(format!("http://{host}:2379"), reason).with_topic(ErrorTopic::NameLookup)
    };
    let down = Attempt::new("http://c:2379", "Connection refused");
    let tried = |attempts| Error::new(ErrorKind::Unavailable, "no endpoint").with_attempts(attempts);
    let (unnamed, one_named) = (tried(vec![lookup("a"), lookup("b")]), tried(vec![lookup("a"), down]));
    let sent = Error::new(ErrorKind::Timeout, "no answer before the deadline")
        .with_attempts(vec![attempt.with_sent(true)]);
    let proxied = "the response is not gRPC but HTTP status 502 with content type \"text/html\"";
    let proxied = Error::new(ErrorKind::Unavailable, proxied).with_topic(ErrorTopic::Proxy);
    let crowded = Error::new(ErrorKind::Unavailable, "every connection was at its limit of concurrent calls")
        .with_topic(ErrorTopic::Capacity);
    let unread =
        Error::new(ErrorKind::CapacityExceeded, "the client has reached its limit of unread streams");
    let replaced = Error::new(ErrorKind::WrongCluster, "the response comes from another cluster");
    let regressed = Error::new(ErrorKind::RevisionRegressed, "the response is older than an earlier one");
    for (error, says, not) in [
        (&too_large, "max_receive_bytes", "proxy"),
        (&unsent, "network path", "disk"),
        (&sent, "disk", "DNS"),
        (&silent_dns, "DNS server", "network path"),
        (&empty_dns, "DNS server", "etcd is running"),
        (&unnamed, "DNS server", "etcd is running"),
        (&one_named, "etcd is running", "DNS"),
        (&proxied, "proxy", "https"),
        (&crowded, "fewer calls", "etcd is running"),
        (&unread, "drop them", "newer version"),
        (&replaced, "accept_cluster", "backup"),
        (&regressed, "accept_cluster", "endpoints"),
        (&Error::from(Code::LeaseExist), "set none to let the client choose", "0"),
        (&Error::from(Code::InvalidAuthToken), "token provider", "again"),
        (&Error::from(Code::EmptyKey), "all_keys()", "\\0"),
    ] {
        let hint = hint::hint(error).expect("a hint");
        assert!(hint.contains(says) && !hint.contains(not), "{error}: {hint}");
    }
}

#[test]
fn invalid_utf8_makes_no_claim_about_write() {
    let error = Error::from(std::str::from_utf8(&[0xff][..]).expect_err("not UTF-8"));
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidData, Outcome::Unknown));
    assert!(std::error::Error::source(&error).is_some_and(|source| source.is::<std::str::Utf8Error>()));
    let report = error.report().to_string();
    assert!(!report.contains("outcome") && !report.contains("read back"), "{report}");
}

#[test]
fn the_hint_of_a_missing_part_says_which_one() {
    for (topic, expected) in [
        (Some(ErrorTopic::Service), Some("with endpoints")),
        (Some(ErrorTopic::ServerVersion), Some("min_server_version")),
        (None, Some("a newer version of etcd")),
        // The message says what to do about the proxy.
        (Some(ErrorTopic::GrpcProxy), None),
    ] {
        let error = Error::new(ErrorKind::Unsupported, "x");
        let error = topic.into_iter().fold(error, Error::with_topic);
        let hint = hint::hint(&error);
        assert_eq!(hint.is_some(), expected.is_some(), "{topic:?}: {hint:?}");
        assert!(hint.unwrap_or_default().contains(expected.unwrap_or_default()), "{topic:?}: {hint:?}");
    }
}

#[test]
fn message_does_not_choose_the_hint() {
    let hint_of = |message: &'static str| hint::hint(&Error::new(ErrorKind::Unavailable, message));
    for message in
        ["DNS x", "not gRPC but HTTP status 502", "a TLS certificate", "the name lookup of x failed"]
    {
        let attempts = vec![Attempt::new("a", message)];
        let attempted = Error::new(ErrorKind::Unavailable, "x").with_attempts(attempts);
        assert_eq!(hint_of(message), hint_of("x"), "{message}");
        assert_eq!(hint::hint(&attempted), hint_of("x"), "{message}");
    }
}
