//! Reports one call: its span, the events of its attempts, and its end.

use etcd_errors::{Attempt, Error};
use tokio::time::Instant;
use tracing::Span;

use crate::transport::{
    call::{channel::Channel, unary::Call},
    observe::{
        event::{AttemptEvent, CallEnd, CallEvent},
        observer::SharedObserver,
        trace,
    },
};

/// The reports of one call. Costs next to nothing without an observer and without a `tracing` subscriber.
#[derive(Debug)]
pub(crate) struct ObservedCall {
    operation: &'static str,
    started: Instant,
    observer: SharedObserver,
    span: Span,
    attempts: u32,
    /// Set while the last attempt has failed and its event is pending. The event states whether a retry follows, which
    /// is known only once the failure has been classified.
    unreported: bool,
    ended: bool,
}

impl ObservedCall {
    pub(crate) fn start(channel: &Channel, call: &Call<'_>, started: Instant) -> Self {
        let operation = call.method.operation();
        Self {
            operation,
            started,
            observer: channel.pool().observer().clone(),
            span: trace::call(operation, call.key.filter(|_| channel.traces_keys())),
            attempts: 0,
            unreported: false,
            ended: false,
        }
    }

    /// Counts a failed attempt. [`report_attempt`](Self::report_attempt) reports it.
    pub(crate) fn attempt_failed(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
        self.unreported = true;
    }

    /// Reports the last failed attempt, with the decision made about it: a retry or the end of the call.
    pub(crate) fn report_attempt(&mut self, attempt: Option<&Attempt>, error: &Error, retried: bool) {
        let Some(attempt) = attempt.filter(|_| std::mem::take(&mut self.unreported)) else { return };
        if retried {
            trace::retry(&self.span, attempt, self.attempts);
        }
        self.observer.notify(|observer| {
            observer.attempt(&AttemptEvent {
                operation: self.operation,
                endpoint: attempt.endpoint(),
                number: self.attempts,
                sent: attempt.sent(),
                elapsed: attempt.elapsed().unwrap_or_default(),
                error: Some(error),
                retried,
            });
        });
    }

    /// Reports the attempt that began at `since` as successful, and ends the call.
    pub(crate) fn succeeded(&mut self, endpoint: &str, since: Instant) {
        self.attempts = self.attempts.saturating_add(1);
        self.observer.notify(|observer| {
            observer.attempt(&AttemptEvent {
                operation: self.operation,
                endpoint,
                number: self.attempts,
                sent: true,
                elapsed: since.elapsed(),
                error: None,
                retried: false,
            });
        });
        self.end(Some(endpoint), CallEnd::Ok);
    }

    /// Ends the call with an error. `endpoint` is the last one tried.
    pub(crate) fn failed(&mut self, endpoint: Option<&str>, error: &Error) {
        self.end(endpoint, CallEnd::failed(error));
    }

    /// Ends a call that went through a user's service. Its attempts cannot be observed, so it counts as one.
    pub(crate) fn through_service(&mut self, error: Option<&Error>) {
        self.attempts = 1;
        self.end(None, error.map_or(CallEnd::Ok, CallEnd::failed));
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    fn end(&mut self, endpoint: Option<&str>, end: CallEnd) {
        // A call ends once, even if its future is dropped after its result was reported.
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        trace::call_ended(&self.span, endpoint, self.attempts, end);
        self.observer.notify(|observer| {
            let elapsed = self.started.elapsed();
            observer.call(&CallEvent { operation: self.operation, attempts: self.attempts, elapsed, end });
        });
    }
}

impl Drop for ObservedCall {
    fn drop(&mut self) {
        if !self.ended {
            // The future was dropped in flight, for example by a timeout of the caller.
            self.end(None, CallEnd::Dropped);
        }
    }
}
