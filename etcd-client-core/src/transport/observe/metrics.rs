//! An observer that records metrics with the `metrics` crate.

use etcd_errors::{Code, ErrorKind};
use metrics::{counter, gauge, histogram};

use crate::transport::{
    endpoint::EndpointPhase,
    observe::{
        event::{AttemptEvent, CallEnd, CallEvent, ConnectionChange, ConnectionEvent, EndpointEvent},
        observer::Observer,
    },
};

/// An [`Observer`] that records metrics with the recorder that the process has installed. The module documentation
/// lists the [names](super#names-in-metrics).
///
/// To record more, write an observer that calls the methods of this one.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct MetricsObserver;

impl MetricsObserver {
    /// Creates an observer for [`ClientBuilder::observer`](crate::client::ClientBuilder::observer).
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::{Client, observe::MetricsObserver};
    ///
    /// let builder = Client::builder(["http://127.0.0.1:2379"]).observer(MetricsObserver::new());
    /// ```
    pub fn new() -> Self {
        Self
    }
}

impl Observer for MetricsObserver {
    fn attempt(&self, event: &AttemptEvent<'_>) {
        let result = event.error.map_or("ok", |error| named(error.kind(), error.code()));
        let endpoint = event.endpoint.to_owned();
        counter!("etcd_client_attempts_total", "operation" => event.operation, "endpoint" => endpoint, "result" => result)
            .increment(1);
        if event.retried {
            counter!("etcd_client_retries_total", "operation" => event.operation).increment(1);
        }
    }

    fn call(&self, event: &CallEvent) {
        let result = match event.end {
            CallEnd::Ok => "ok",
            CallEnd::Failed { kind, code, .. } => named(kind, code),
            CallEnd::Dropped => "dropped",
        };
        histogram!("etcd_client_call_seconds", "operation" => event.operation, "result" => result)
            .record(event.elapsed);
    }

    fn endpoint(&self, event: &EndpointEvent<'_>) {
        phase(event.endpoint, Some(event.phase));
    }

    fn endpoint_removed(&self, endpoint: &str) {
        phase(endpoint, None);
    }

    fn connection(&self, event: &ConnectionEvent<'_>) {
        let endpoint = event.endpoint.to_owned();
        let purpose = event.purpose.name();
        let connections = gauge!("etcd_client_connections", "endpoint" => endpoint, "purpose" => purpose);
        match event.change {
            ConnectionChange::Opened => connections.increment(1),
            ConnectionChange::Closed => connections.decrement(1),
        }
    }
}

fn phase(endpoint: &str, phase: Option<EndpointPhase>) {
    let is = |wanted| f64::from(u8::from(phase == Some(wanted)));
    let endpoint = endpoint.to_owned();
    gauge!("etcd_client_endpoint_ready", "endpoint" => endpoint.clone()).set(is(EndpointPhase::Ready));
    gauge!("etcd_client_endpoint_rejected", "endpoint" => endpoint).set(is(EndpointPhase::Rejected));
}

/// Returns the label of a failure. Labels come from a small, fixed set: each distinct value is a time series of its
/// own in the metrics backend.
fn named(kind: ErrorKind, code: Option<Code>) -> &'static str {
    match (code, kind) {
        (Some(Code::Other(grpc)), _) => grpc.name(),
        (Some(code), _) => code.name(),
        (None, ErrorKind::InvalidRequest) => "InvalidRequest",
        (None, ErrorKind::Unavailable) => "Unavailable",
        (None, ErrorKind::Timeout) => "Timeout",
        (None, ErrorKind::Closed) => "Closed",
        (None, ErrorKind::NoRuntime) => "NoRuntime",
        (None, ErrorKind::Protocol) => "Protocol",
        (None, ErrorKind::Unsupported) => "Unsupported",
        (None, ErrorKind::CapacityExceeded) => "CapacityExceeded",
        (None, ErrorKind::WrongCluster) => "WrongCluster",
        (None, ErrorKind::RevisionRegressed) => "RevisionRegressed",
        (None, _) => "Other",
    }
}

#[cfg(test)]
mod tests;
