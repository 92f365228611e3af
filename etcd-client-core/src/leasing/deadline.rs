//! The deadline of a call that takes several requests.

use std::{future::Future, time::Duration};

use etcd_errors::{Error, ErrorKind};
use tokio::time::{Instant, timeout_at};

use crate::request::{CallOptions, RetryPolicy, Timeout};

/// The deadline of a call, and the options of its requests.
#[derive(Debug)]
pub(crate) struct CallDeadline {
    options: CallOptions,
    at: Option<Instant>,
}

impl CallDeadline {
    /// Starts a call. `patience` limits its waits if the options have no timeout.
    pub(crate) fn start(options: CallOptions, patience: Duration) -> Self {
        let now = Instant::now();
        let at = match options.timeout {
            Timeout::Default => now.checked_add(patience),
            Timeout::None => None,
            Timeout::After(timeout) => now.checked_add(timeout),
        };
        Self { options, at }
    }

    /// Returns the options of the next request: an explicit timeout is reduced to the time that is left.
    pub(crate) fn options(&self) -> CallOptions {
        let options = self.options.clone();
        match (self.options.timeout, self.at) {
            (Timeout::After(_), Some(at)) => {
                // Zero is not a valid timeout. The request then fails before it is sent.
                let left = at.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
                options.timeout(left)
            }
            _ => options,
        }
    }

    /// Returns the options of the next write.
    ///
    /// A second copy of a write could be applied after the response to the first one, when the cache no longer waits
    /// for it. Therefore a write is retried only if it was certainly not processed.
    pub(crate) fn write_options(&self) -> CallOptions {
        let options = self.options();
        if options.retry == RetryPolicy::AssumeIdempotent {
            options.retry(RetryPolicy::WhenSafe)
        } else {
            options
        }
    }

    /// Waits for `future` until the deadline.
    ///
    /// # Errors
    /// Returns a timeout after the deadline. Nothing of the call was applied, because a call waits only before it sends
    /// its request.
    pub(crate) async fn limit<T>(&self, future: impl Future<Output = T>) -> Result<T, Error> {
        let Some(at) = self.at else { return Ok(future.await) };
        timeout_at(at, future).await.map_err(|_elapsed| overdue())
    }

    /// Checks that the deadline has not passed.
    ///
    /// # Errors
    /// Returns a timeout after the deadline.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.at.is_some_and(|at| at <= Instant::now()) { Err(overdue()) } else { Ok(()) }
    }
}

fn overdue() -> Error {
    Error::new(ErrorKind::Timeout, "the key was not released in time: its owner or another write holds it")
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn requests_share_an_explicit_timeout() {
        let call = CallDeadline::start(CallOptions::default().timeout(3 * SECOND), SECOND);
        advance(2 * SECOND).await;
        assert_eq!(call.options().timeout, Timeout::After(SECOND));
        advance(2 * SECOND).await;
        assert_eq!(call.options().timeout, Timeout::After(Duration::from_nanos(1)));
        let error = call.limit(std::future::pending::<()>()).await.expect_err("the deadline has passed");
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Timeout, false));
        call.check().expect_err("the deadline has passed");
    }

    #[tokio::test(start_paused = true)]
    async fn default_timeout_applies_to_waits_and_to_each_request() {
        let call = CallDeadline::start(CallOptions::default(), 5 * SECOND);
        assert_eq!(call.options().timeout, Timeout::Default);
        let began = Instant::now();
        call.limit(std::future::pending::<()>()).await.expect_err("it is limited");
        assert_eq!(began.elapsed(), 5 * SECOND);
    }

    #[test]
    fn writes_are_never_sent_twice() {
        let options = CallOptions::default().no_timeout().retry(RetryPolicy::AssumeIdempotent);
        let call = CallDeadline::start(options, SECOND);
        assert_eq!(call.options().retry, RetryPolicy::AssumeIdempotent);
        assert_eq!(call.write_options().retry, RetryPolicy::WhenSafe);
    }
}
