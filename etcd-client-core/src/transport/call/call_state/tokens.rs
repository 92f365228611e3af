//! The tokens of a call: waits for the first token, and for a new one after a rejection.

use std::time::Duration;

use etcd_errors::{Error, ErrorKind};
use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use crate::transport::{
    backoff::Backoff,
    call::{authenticate, call_state::CallState, channel::Channel},
    grpc::{failure::Failure, headers::TimeoutHeader, method::Method},
    token::{Carried, rejection::Recovery, renewal::is_transient},
};

impl CallState<'_> {
    /// Returns `true` if the call needs a token and there is none yet.
    pub(crate) fn lacks_token(&self, channel: &Channel) -> bool {
        self.takes_token() && channel.tokens().is_missing()
    }

    /// Waits for the first token.
    pub(crate) async fn first_token(&mut self, channel: &Channel) -> Result<(), Error> {
        self.renew(channel, Carried::default()).await?;
        self.attempt_started = Instant::now();
        Ok(())
    }

    /// Returns the header block of the next attempt, with the current token.
    pub(crate) fn headers_with_token(&mut self, channel: &Channel, timeout: TimeoutHeader) -> HeaderMap {
        if self.takes_token() {
            self.token.headers(channel.tokens(), self.call.options, timeout)
        } else {
            channel.headers(self.call.options, timeout)
        }
    }

    /// Returns `true` if the failure concerns the token and another attempt is allowed.
    pub(crate) fn is_curable(&self, channel: &Channel, failure: &Failure) -> bool {
        self.recovery(channel, failure).is_some()
    }

    pub(crate) fn recovery(&self, channel: &Channel, failure: &Failure) -> Option<Recovery> {
        self.takes_token().then(|| self.token.recovery(channel.tokens(), failure.observation))?
    }

    /// Applies the recovery and waits until the next attempt may start, or ends the call.
    pub(crate) async fn apply(
        &mut self,
        channel: &Channel,
        recovery: Recovery,
        failure: Failure,
    ) -> Result<(), Error> {
        // The caller forbids a second attempt, although this one was not applied. The next call fetches a
        // new token first.
        if self.call.options.never_retried() {
            channel.tokens().reject(self.token.carried());
            return Err(self.fail(channel, failure.into_error()));
        }
        let wait = self.token.count_rejection();
        // The first rejections are retried at once, since tokens expire regularly. Later ones wait, because
        // a new token did not help.
        if !wait.is_zero() && !self.pause(channel, wait.max(channel.take_retry())).await {
            return Err(self.fail(channel, failure.into_error()));
        }
        self.observed.report_attempt(self.attempts.last(), &failure.into_error(), true);
        if recovery == Recovery::Renew {
            self.renew(channel, self.token.carried()).await?;
        }
        self.attempt_started = Instant::now();
        Ok(())
    }

    async fn renew(&mut self, channel: &Channel, rejected: Carried) -> Result<(), Error> {
        let mut failures = 0;
        loop {
            let renewal = authenticate::renew(channel, rejected);
            let renewed = match self.deadline {
                Some(deadline) => timeout_at(deadline, renewal).await,
                None => Ok(renewal.await),
            };
            let error = match renewed {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error,
                Err(_elapsed) => return Err(self.without_token(channel)),
            };
            failures += 1;
            let wait = Backoff::RETRY.wait(failures, fastrand::u64(..));
            let ended = channel.pool().check_alive().is_err();
            if ended || !is_transient(&error) || !self.pause(channel, wait).await {
                self.attempts.extend_from_slice(error.attempts());
                return Err(self.fail(channel, error));
            }
        }
    }

    /// Waits. Returns `false` if too little time would be left for an attempt, or if the client is closed.
    async fn pause(&self, channel: &Channel, wait: Duration) -> bool {
        let Some(wait) = self.fitting(wait) else { return false };
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            () = channel.pool().shutdown() => false,
        }
    }

    fn without_token(&mut self, channel: &Channel) -> Error {
        // Without any connection, that is the cause of the timeout, and not the authentication.
        if !channel.pool().has_ready_besides(&[]) {
            self.attempts.extend(channel.pool().last_errors());
            let error = channel.pool().unready(self.started.elapsed());
            return self.fail(channel, error);
        }
        let text = "no auth token before the deadline: authentication is slower than the timeout allows";
        self.fail(channel, Error::new(ErrorKind::Timeout, text))
    }

    /// Returns `true` unless this is the Authenticate call itself, which fetches the token.
    fn takes_token(&self) -> bool {
        self.call.method != Method::Authenticate
    }
}
