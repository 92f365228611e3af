//! Writes to `tracing`. No other module of this crate does. The names are documented in the parent module.

use etcd_errors::{Attempt, Error};
use tracing::{
    Level, Span, debug, debug_span, enabled, error,
    field::{self, Empty, display},
    info, warn,
};

use crate::transport::{
    endpoint::{EndpointPhase, outage::Note},
    observe::event::{CallEnd, ConnectionEvent},
};

const TARGET: &str = "etcd_client_core";

const CALL: &str = "etcd.call";
const RETRY: &str = "etcd.retry";
const UNSENT: &str = "etcd.unsent";
const ENDPOINT: &str = "etcd.endpoint";
const EJECTED: &str = "etcd.ejected";
const ACCEPTED: &str = "etcd.accepted";
const CONNECTION: &str = "etcd.connection";
const TOKEN: &str = "etcd.token";

/// All names, for the test that compares them with the documentation.
#[cfg(test)]
pub(crate) const NAMES: [&str; 8] = [CALL, RETRY, UNSENT, ENDPOINT, EJECTED, ACCEPTED, CONNECTION, TOKEN];

/// The maximum number of bytes of a key in a span.
const SHOWN_KEY: usize = 64;

/// Creates the span of a call. `key` is the key of a single-key operation, if the client may show it.
pub(crate) fn call(operation: &'static str, key: Option<&[u8]>) -> Span {
    let span = debug_span!(
        target: TARGET,
        CALL,
        operation,
        endpoint = Empty,
        attempts = Empty,
        outcome = Empty,
        error = Empty,
        key = Empty
    );
    // Keys may be confidential, so TRACE is required in addition to the setting of the client.
    if let Some(key) = key
        && enabled!(target: TARGET, Level::TRACE)
    {
        span.record("key", display(shown(key)));
    }
    span
}

pub(crate) fn call_ended(span: &Span, endpoint: Option<&str>, attempts: u32, end: CallEnd) {
    // Without a subscriber, the values are not even formatted.
    if span.is_disabled() {
        return;
    }
    span.record("endpoint", endpoint);
    span.record("attempts", attempts);
    match end {
        CallEnd::Ok => span.record("outcome", "ok"),
        CallEnd::Dropped => span.record("outcome", "dropped"),
        CallEnd::Failed { kind, outcome, .. } => {
            span.record("outcome", display(outcome)).record("error", field::debug(kind))
        }
    };
}

pub(crate) fn retry(span: &Span, attempt: &Attempt, number: u32) {
    debug!(
        name: RETRY,
        target: TARGET,
        parent: span,
        endpoint = attempt.endpoint(),
        attempt = number,
        sent = attempt.sent(),
        reason = attempt.reason(),
        "retrying"
    );
}

pub(crate) fn unsent(reason: &str) {
    debug!(name: UNSENT, target: TARGET, reason, "not sent, retrying");
}

pub(crate) fn phase(endpoint: &str, phase: EndpointPhase, reason: Option<&str>, note: Note) {
    match note {
        Note::Quiet => {
            debug!(name: ENDPOINT, target: TARGET, endpoint, ?phase, reason, "endpoint changed");
        }
        Note::Ready => info!(name: ENDPOINT, target: TARGET, endpoint, ?phase, "endpoint ready"),
        Note::Began if phase == EndpointPhase::Rejected => {
            error!(name: ENDPOINT, target: TARGET, endpoint, ?phase, reason, "endpoint rejected");
        }
        Note::Began => {
            warn!(name: ENDPOINT, target: TARGET, endpoint, ?phase, reason, "endpoint unavailable");
        }
        Note::Over { lasted, attempts } => info!(
            name: ENDPOINT,
            target: TARGET,
            endpoint,
            ?phase,
            outage_ms = lasted,
            failed_attempts = attempts,
            "endpoint ready again"
        ),
    }
}

/// Cluster ids are printed in hexadecimal, as `etcdctl` prints them.
pub(crate) fn accepted(before: u64, revision: i64, cluster: u64) {
    warn!(
        name: ACCEPTED,
        target: TARGET,
        before = format_args!("{before:x}"),
        revision,
        cluster = format_args!("{cluster:x}"),
        "another cluster or history was accepted"
    );
}

pub(crate) fn ejected(endpoint: &str, for_ms: u64) {
    info!(name: EJECTED, target: TARGET, endpoint, for_ms, "endpoint avoided because its calls fail");
}

pub(crate) fn connection(event: &ConnectionEvent<'_>) {
    debug!(
        name: CONNECTION,
        target: TARGET,
        endpoint = event.endpoint,
        purpose = event.purpose.name(),
        change = event.change.name(),
        count = event.count,
        "connection"
    );
}

pub(crate) fn token_renewed(auth: bool) {
    debug!(name: TOKEN, target: TARGET, auth, "token renewed");
}

pub(crate) fn no_token(error: &Error) {
    debug!(name: TOKEN, target: TARGET, %error, "no token");
}

fn shown(key: &[u8]) -> String {
    match key.get(..SHOWN_KEY) {
        Some(start) if key.len() > SHOWN_KEY => format!("{}..", start.escape_ascii()),
        _ => key.escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_escaped_and_cut() {
        assert_eq!(shown(b"a\n\xff"), "a\\n\\xff");
        assert_eq!(shown(&[b'k'; 64]), "k".repeat(64));
        assert_eq!(shown(&[b'k'; 65]), format!("{}..", "k".repeat(64)));
    }

    #[test]
    fn documentation_lists_every_name() {
        let page = include_str!("mod.rs");
        for name in NAMES {
            assert!(page.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}
