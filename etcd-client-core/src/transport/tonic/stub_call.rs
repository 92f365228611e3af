//! What is known of one call of a stub, for the status that it may end with.

use std::sync::Arc;

use etcd_errors::{Attempt, Error, ErrorKind, GrpcCode};
use http::Uri;
use tokio::time::Instant;
use tonic::Status;

use crate::{
    mechanism::retry::{self, Class, Observation},
    transport::{connection::InFlight, failure::Failure},
};

/// How a call uses its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unary,
    /// A unary call that waits for other clients.
    Waiting,
    Stream,
    /// A stream that only its caller or its member ends.
    EndlessStream,
}

/// What lives on a connection of its own.
const STREAMS: [(&str, Kind); 8] = [
    ("/v3lockpb.Lock/Lock", Kind::Waiting),
    ("/v3electionpb.Election/Campaign", Kind::Waiting),
    ("/etcdserverpb.Watch/Watch", Kind::EndlessStream),
    ("/etcdserverpb.Lease/LeaseKeepAlive", Kind::EndlessStream),
    ("/grpc.health.v1.Health/Watch", Kind::EndlessStream),
    ("/v3electionpb.Election/Observe", Kind::EndlessStream),
    ("/etcdserverpb.Maintenance/Snapshot", Kind::Stream),
    ("/etcdserverpb.KV/RangeStream", Kind::Stream),
];

const OPERATION: &str = "stub call";

/// Which RPC was called, and when.
#[derive(Debug)]
pub(super) struct StubCall {
    uri: Uri,
    started: Instant,
}

impl StubCall {
    pub(super) fn start(uri: &Uri) -> Self {
        Self { uri: uri.clone(), started: Instant::now() }
    }

    pub(super) fn kind(&self) -> Kind {
        STREAMS.iter().find(|(path, _)| *path == self.uri.path()).map_or(Kind::Unary, |(_, kind)| *kind)
    }

    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// The end of a call of which nothing was sent.
    pub(super) fn unsent(&self, error: &Error) -> Status {
        status(self.named(error).with_attempts(error.attempts().to_vec()))
    }

    /// The end of a call that was on a connection. `cause` is what explains the failure, where something does.
    pub(super) fn failed(&self, flight: &InFlight, failure: Failure, cause: Option<Error>) -> Status {
        let observation = failure.observation;
        let attempt = Attempt::new(flight.connection.endpoint(), failure.text.to_string())
            .with_sent(observation != Observation::NotSent)
            .with_elapsed(self.started.elapsed());
        let error = self.named(&cause.unwrap_or_else(|| failure.into_error()));
        // Nothing tells a read from a write here.
        status(error.with_outcome(retry::outcome(Class::Write, observation)).with_attempts(vec![attempt]))
    }

    fn named(&self, error: &Error) -> Error {
        Error::new(error.kind(), format!("{}: {}", self.uri.path(), error.message()))
            .with_operation(OPERATION)
            .with_elapsed(self.started.elapsed())
    }
}

/// A status that carries the error as its source.
fn status(error: Error) -> Status {
    let code = match error.kind() {
        ErrorKind::Timeout => GrpcCode::DeadlineExceeded,
        ErrorKind::Closed => GrpcCode::Cancelled,
        ErrorKind::Unavailable => GrpcCode::Unavailable,
        ErrorKind::NoRuntime => GrpcCode::FailedPrecondition,
        _ => GrpcCode::Internal,
    };
    let mut status = Status::new(tonic::Code::from_i32(code as i32), error.to_string());
    status.set_source(Arc::new(error));
    status
}
