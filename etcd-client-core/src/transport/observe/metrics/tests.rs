//! Checks the samples recorded for each event.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use etcd_errors::{Error, GrpcCode, Outcome};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit, with_local_recorder,
};

use super::*;
use crate::transport::observe::event::ConnectionPurpose;

/// Samples by name and labels.
#[derive(Clone, Debug, Default)]
struct Samples(Arc<Mutex<BTreeMap<String, f64>>>);

#[derive(Debug)]
struct Sample {
    samples: Samples,
    name: String,
}

impl Sample {
    fn change(&self, change: impl FnOnce(&mut f64)) {
        change(self.samples.0.lock().expect("not poisoned").entry(self.name.clone()).or_default());
    }
}

impl CounterFn for Sample {
    fn increment(&self, value: u64) {
        self.change(|sample| *sample += value as f64);
    }

    fn absolute(&self, value: u64) {
        self.change(|sample| *sample = value as f64);
    }
}

impl GaugeFn for Sample {
    fn increment(&self, value: f64) {
        self.change(|sample| *sample += value);
    }

    fn decrement(&self, value: f64) {
        self.change(|sample| *sample -= value);
    }

    fn set(&self, value: f64) {
        self.change(|sample| *sample = value);
    }
}

impl HistogramFn for Sample {
    fn record(&self, value: f64) {
        self.change(|sample| *sample += value);
    }
}

impl Samples {
    fn sample(&self, key: &Key) -> Arc<Sample> {
        let labels: Vec<_> = key.labels().map(|label| label.value()).collect();
        Arc::new(Sample { samples: self.clone(), name: format!("{} {}", key.name(), labels.join(" ")) })
    }
}

impl Recorder for Samples {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.sample(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.sample(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.sample(key))
    }
}

fn samples(events: impl FnOnce(&MetricsObserver)) -> Vec<(String, f64)> {
    let samples = Samples::default();
    with_local_recorder(&samples, || events(&MetricsObserver::new()));
    let samples = samples.0.lock().expect("not poisoned");
    samples.iter().map(|(name, value)| (name.clone(), *value)).collect()
}

fn attempt(error: Option<&Error>) -> AttemptEvent<'_> {
    let retried = error.is_some();
    let elapsed = Duration::from_secs(1);
    AttemptEvent { operation: "get", endpoint: "http://a:1", number: 1, sent: true, elapsed, error, retried }
}

#[test]
fn attempts_are_counted_by_their_result() {
    let changed = Error::from_server(GrpcCode::Unavailable, "etcdserver: leader changed");
    let plain = Error::from_server(GrpcCode::Unavailable, "no");
    let lost = Error::new(ErrorKind::Unavailable, "lost");
    let seen = samples(|observer| {
        for error in [None, None, Some(&changed), Some(&plain), Some(&lost)] {
            observer.attempt(&attempt(error));
        }
    });
    let expected = [
        ("etcd_client_attempts_total get http://a:1 LeaderChanged", 1.0),
        ("etcd_client_attempts_total get http://a:1 Unavailable", 2.0),
        ("etcd_client_attempts_total get http://a:1 ok", 2.0),
        ("etcd_client_retries_total get", 3.0),
    ];
    assert_eq!(seen, expected.map(|(name, value)| (name.to_owned(), value)));
}

#[test]
fn calls_are_timed() {
    let failed = CallEnd::Failed { kind: ErrorKind::Timeout, code: None, outcome: Outcome::Unknown };
    let seen = samples(|observer| {
        for end in [CallEnd::Ok, CallEnd::Ok, failed, CallEnd::Dropped] {
            let elapsed = Duration::from_millis(250);
            observer.call(&CallEvent { operation: "put", attempts: 1, elapsed, end });
        }
    });
    let expected = [
        ("etcd_client_call_seconds put Timeout", 0.25),
        ("etcd_client_call_seconds put dropped", 0.25),
        ("etcd_client_call_seconds put ok", 0.5),
    ];
    assert_eq!(seen, expected.map(|(name, value)| (name.to_owned(), value)));
}

#[test]
fn endpoints_and_connections_are_gauges() {
    let seen = samples(|observer| {
        for (endpoint, phase) in [
            ("a", EndpointPhase::Ready),
            ("b", EndpointPhase::Ready),
            ("b", EndpointPhase::Suspect),
            ("c", EndpointPhase::Ready),
            ("d", EndpointPhase::Rejected),
        ] {
            observer.endpoint(&EndpointEvent { endpoint, phase, reason: None });
        }
        observer.endpoint_removed("c");
        let purpose = ConnectionPurpose::Streams;
        for change in [ConnectionChange::Opened, ConnectionChange::Opened, ConnectionChange::Closed] {
            observer.connection(&ConnectionEvent { endpoint: "a", purpose, change, count: 0 });
        }
    });
    let expected = [
        ("etcd_client_connections a streams", 1.0),
        ("etcd_client_endpoint_ready a", 1.0),
        ("etcd_client_endpoint_ready b", 0.0),
        ("etcd_client_endpoint_ready c", 0.0),
        ("etcd_client_endpoint_ready d", 0.0),
        ("etcd_client_endpoint_rejected a", 0.0),
        ("etcd_client_endpoint_rejected b", 0.0),
        ("etcd_client_endpoint_rejected c", 0.0),
        ("etcd_client_endpoint_rejected d", 1.0),
    ];
    assert_eq!(seen, expected.map(|(name, value)| (name.to_owned(), value)));
}
