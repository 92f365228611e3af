//! Executes the steps of an update.

use std::time::Duration;

use etcd_errors::Error;
use tokio::time::{Instant, sleep};

use crate::{
    kv::{Get, KvService},
    lease::LeaseService,
    request::{CallOptions, RetryPolicy, Timeout},
    transport::check_runtime,
    types::{Key, KeyValue},
    update::{
        marker::Markers,
        response::Updated,
        state::{Machine, Now, Step},
        txns,
        write::Next,
    },
};

/// The longest time of one request, so that a member that hangs does not use up the time of the update.
const CALL: Duration = Duration::from_secs(5);

/// The services of an update.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Services<'a> {
    pub(crate) kv: &'a dyn KvService,
    pub(crate) leases: &'a dyn LeaseService,
    pub(crate) markers: &'a Markers,
}

/// Returns its marker when the update ends or is dropped.
struct Running<'a> {
    machine: Machine,
    services: Services<'a>,
    options: CallOptions,
    started: Instant,
}

/// Runs an update to its end.
pub(super) async fn run(
    machine: Machine,
    services: Services<'_>,
    key: &Key,
    prefix: &Key,
    options: CallOptions,
    decide: &mut (dyn FnMut(Option<&KeyValue>) -> Next + Send),
) -> Result<Updated, Error> {
    check_runtime().map_err(|error| error.with_operation("update"))?;
    let mut running = Running { machine, services, options, started: Instant::now() };
    loop {
        if let Some(result) = running.machine.take_result() {
            return result;
        }
        match running.machine.step() {
            Step::Decide => {
                let next = decide(running.machine.current());
                running.machine.decided(next);
            }
            Step::Wait(delay) => {
                sleep(delay).await;
                let now = running.now();
                running.machine.waited(now);
            }
            step => running.request(step, key, prefix).await,
        }
    }
}

impl Running<'_> {
    /// Sends the request of a step.
    async fn request(&mut self, step: Step, key: &Key, prefix: &Key) {
        let (Services { kv, leases, markers }, options) = (self.services, self.options());
        if step == Step::Read {
            let answer = txns::read(Get::new(key).bind(kv).options(options).await);
            return self.machine.read(answer, self.now());
        }
        let (Some(attempt), Some(marker)) = (self.machine.attempt(), self.machine.marker()) else {
            let drawn = markers.draw(leases, prefix, options).await;
            return self.machine.drawn(drawn, self.now());
        };
        match step {
            Step::Attempt if !markers.is_fresh(marker) => self.machine.replace_marker(),
            Step::Attempt => {
                let lease = marker.lease;
                // An applied copy shows in the marker, and a second one cannot be applied.
                let options = options.retry(RetryPolicy::AssumeIdempotent);
                let sent = txns::attempt(key, attempt, marker).bind(kv).options(options).await;
                if sent.as_ref().is_err_and(Error::is_lease_not_found) {
                    markers.forget(lease);
                }
                self.machine.attempted(txns::answer(sent), self.now());
            }
            Step::Resolve => {
                let options = options.retry(RetryPolicy::AssumeIdempotent);
                let sent = txns::resolve(key, attempt, marker).bind(kv).options(options).await;
                self.machine.resolved(txns::answer(sent), self.now());
            }
            _ => {
                let sent = txns::inspect(key, marker).bind(kv).options(options).await;
                self.machine.inspected(txns::answer(sent), self.now());
            }
        }
    }

    fn now(&self) -> Now {
        Now { elapsed: self.started.elapsed(), random: fastrand::u64(..) }
    }

    /// Returns the options of the next request, which ends before the update does.
    fn options(&self) -> CallOptions {
        // A limit of zero is invalid.
        let left = self.machine.remaining(self.started.elapsed()).max(Duration::from_millis(1));
        let limit = match self.options.timeout {
            Timeout::After(limit) => limit.min(left),
            Timeout::Default | Timeout::None => CALL.min(left),
        };
        self.options.clone().timeout(limit)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Also after a future was dropped: a late copy of its attempt moves the marker, which the next update notices.
        if let Some(marker) = self.machine.take_marker() {
            self.services.markers.put_back(marker);
        }
    }
}
