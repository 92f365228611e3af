//! The state of one stub call, from which its status is built.

use std::sync::Arc;

use etcd_errors::{Error, ErrorKind, GrpcCode};
use http::Uri;
use tokio::time::Instant;
use tonic::Status;

use crate::transport::{
    call::retry,
    connection::verified::Permit,
    grpc::{failure::Failure, observation::Class},
};

/// The way in which a call uses its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unary,
    /// A unary call that blocks until another client acts.
    Waiting,
    Stream,
    /// A stream that ends only by its caller or its member.
    EndlessStream,
}

/// The RPCs that are not plain unary calls. They use connections apart from those of unary calls.
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

/// The RPC of a call, and its start.
#[derive(Debug)]
pub(crate) struct StubCall {
    uri: Uri,
    started: Instant,
}

impl StubCall {
    pub(crate) fn start(uri: &Uri) -> Self {
        Self { uri: uri.clone(), started: Instant::now() }
    }

    pub(crate) fn kind(&self) -> Kind {
        STREAMS.iter().find(|(path, _)| *path == self.uri.path()).map_or(Kind::Unary, |(_, kind)| *kind)
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Returns the status of a call that was not sent.
    pub(crate) fn unsent(&self, error: &Error) -> Status {
        status(self.named(error).with_attempts(error.attempts().to_vec()))
    }

    /// Returns the status of a call that used a connection. `cause` replaces the failure as the reported error, if
    /// set.
    pub(crate) fn failed(&self, permit: &Permit, failure: Failure, cause: Option<Error>) -> Status {
        let observation = failure.observation;
        let attempt = failure.attempt(permit.connection.endpoint()).with_elapsed(self.started.elapsed());
        let error = self.named(&cause.unwrap_or_else(|| failure.into_error()));
        // The class of the RPC is not known here. `Write` is the safe assumption: the outcome is unknown.
        status(error.with_outcome(retry::outcome(Class::Write, observation)).with_attempts(vec![attempt]))
    }

    fn named(&self, error: &Error) -> Error {
        Error::new(error.kind(), format!("{}: {}", self.uri.path(), error.message()))
            .with_operation(OPERATION)
            .with_elapsed(self.started.elapsed())
    }
}

/// Builds a status with the error as its source.
fn status(error: Error) -> Status {
    let code = match error.kind() {
        ErrorKind::Timeout => GrpcCode::DeadlineExceeded,
        ErrorKind::Closed => GrpcCode::Cancelled,
        ErrorKind::Unavailable => GrpcCode::Unavailable,
        ErrorKind::CapacityExceeded => GrpcCode::ResourceExhausted,
        ErrorKind::NoRuntime => GrpcCode::FailedPrecondition,
        _ => GrpcCode::Internal,
    };
    let mut status = Status::new(tonic::Code::from_i32(code as i32), error.to_string());
    status.set_source(Arc::new(error));
    status
}
