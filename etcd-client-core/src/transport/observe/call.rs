//! What is told of one call: its span, and the events of its attempts and its end.

use etcd_errors::{Attempt, Error};
use tokio::time::Instant;
use tracing::Span;

use super::{
    event::{AttemptEvent, CallEnd, CallEvent},
    observer::SharedObserver,
    trace,
};
use crate::transport::{call::Call, channel::Channel};

/// One call as it is told. Where nobody listens nothing is done.
#[derive(Debug)]
pub(crate) struct ObservedCall {
    operation: &'static str,
    started: Instant,
    observer: SharedObserver,
    span: Span,
    attempts: u32,
    /// Whether the last attempt failed and was not told yet: only then is it known whether another follows.
    untold: bool,
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
            untold: false,
            ended: false,
        }
    }

    /// An attempt failed.
    pub(crate) fn attempt_failed(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
        self.untold = true;
    }

    /// What becomes of the call after the attempt that failed last.
    pub(crate) fn attempt_judged(&mut self, attempt: Option<&Attempt>, error: &Error, resent: bool) {
        let Some(attempt) = attempt.filter(|_| std::mem::take(&mut self.untold)) else { return };
        if resent {
            trace::resend(&self.span, attempt, self.attempts);
        }
        self.observer.tell(|observer| {
            observer.attempt(&AttemptEvent {
                operation: self.operation,
                endpoint: attempt.endpoint(),
                number: self.attempts,
                sent: attempt.sent(),
                elapsed: attempt.elapsed().unwrap_or_default(),
                error: Some(error),
                resent,
            });
        });
    }

    /// The call was answered, by the attempt that began at `since`.
    pub(crate) fn succeeded(&mut self, endpoint: &str, since: Instant) {
        self.attempts = self.attempts.saturating_add(1);
        self.observer.tell(|observer| {
            observer.attempt(&AttemptEvent {
                operation: self.operation,
                endpoint,
                number: self.attempts,
                sent: true,
                elapsed: since.elapsed(),
                error: None,
                resent: false,
            });
        });
        self.end(Some(endpoint), CallEnd::Ok);
    }

    /// The call ended with an error, last seen on this endpoint.
    pub(crate) fn failed(&mut self, endpoint: Option<&str>, error: &Error) {
        self.end(endpoint, CallEnd::failed(error));
    }

    /// A call through a service ended, whose attempts nobody here sees.
    pub(crate) fn through_service(&mut self, error: Option<&Error>) {
        self.attempts = 1;
        self.end(None, error.map_or(CallEnd::Ok, CallEnd::failed));
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    fn end(&mut self, endpoint: Option<&str>, end: CallEnd) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        trace::call_ended(&self.span, endpoint, self.attempts, end);
        self.observer.tell(|observer| {
            let elapsed = self.started.elapsed();
            observer.call(&CallEvent { operation: self.operation, attempts: self.attempts, elapsed, end });
        });
    }
}

impl Drop for ObservedCall {
    fn drop(&mut self) {
        if !self.ended {
            self.end(None, CallEnd::Dropped);
        }
    }
}
