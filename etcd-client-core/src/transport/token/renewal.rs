//! Token renewal. One renewal serves all calls that wait for it.

use std::{pin::Pin, time::Duration};

use etcd_errors::{Code, Error, ErrorKind};
use futures_util::{FutureExt as _, future::Shared};
use http::HeaderValue;
use tokio::{
    task::{JoinError, JoinHandle},
    time::Instant,
};

use crate::transport::{
    observe::trace,
    token::{Carried, Generation, Token, Tokens, credentials::Source},
};

/// The time for which a rejection of the credentials is reused. Each Authenticate costs a member about 0.1 s of CPU
/// time for the password hash, also if the password is wrong, so a client with a wrong password must not retry in a
/// loop.
const REJECTION_STANDS: Duration = Duration::from_secs(1);

/// The result of a renewal, shared by all waiting calls.
type Renewal = Shared<Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>>;

/// The renewal in progress, and the result of the last one.
#[derive(Debug, Default)]
pub(crate) struct Renewals {
    last: Generation,
    under_way: Option<Renewal>,
    rejection: Option<(Instant, Error)>,
}

impl Tokens {
    /// Waits until there is a newer token than the rejected one. Calls `start` for a renewal unless one is in progress.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is no token. If [`is_transient`] returns `false` for it, the error is reused for a
    /// while.
    ///
    /// # Cancel safety
    ///
    /// A renewal that has started continues, for at most [`RENEWAL_TIMEOUT`](crate::transport::token::RENEWAL_TIMEOUT), and serves other calls.
    pub(crate) async fn renew(
        &self,
        rejected: Carried,
        start: impl FnOnce() -> JoinHandle<Result<(), Error>>,
    ) -> Result<(), Error> {
        match self.join(rejected, start)? {
            Some(renewal) => renewal.await,
            None => Ok(()),
        }
    }

    /// Returns the renewal to wait for, or `None` if another call has already brought a newer token. The lock is not
    /// held across an await.
    fn join(
        &self,
        rejected: Carried,
        start: impl FnOnce() -> JoinHandle<Result<(), Error>>,
    ) -> Result<Option<Renewal>, Error> {
        let mut renewals = self.renewals();
        // Another call has renewed the token since this one was sent; its rejection is about the old token.
        if self.generation() > rejected.generation {
            return Ok(None);
        }
        if let Some((since, rejection)) = &renewals.rejection
            && since.elapsed() < REJECTION_STANDS
        {
            return Err(rejection.clone());
        }
        // A renewal that has ended brought the very token that was rejected, or failed. Joining it would
        // return that result again.
        let under_way = renewals.under_way.take().filter(|renewal| renewal.peek().is_none());
        let renewal = under_way.unwrap_or_else(|| shared(start()));
        renewals.under_way = Some(renewal.clone());
        Ok(Some(renewal))
    }

    /// Returns the source of the tokens.
    pub(crate) fn source(&self) -> &Source {
        &self.credentials.source
    }

    /// Stores the result of a renewal.
    pub(crate) fn settle(&self, fetched: Result<Option<HeaderValue>, Error>) -> Result<(), Error> {
        let mut renewals = self.renewals();
        // Cleared before the result is visible, so that a later caller starts its own renewal instead of
        // joining one that ran for an earlier rejection.
        renewals.under_way = None;
        match fetched {
            Ok(value) => {
                renewals.last = Generation(renewals.last.0 + 1);
                renewals.rejection = None;
                trace::token_renewed(value.is_some());
                self.current.store(Some(Token::new(renewals.last, value, &self.without)));
                Ok(())
            }
            Err(error) => {
                trace::no_token(&error);
                // After a transient error the old token stays: members that still accept it keep serving
                // calls.
                if !is_transient(&error) {
                    self.current.store(None);
                    renewals.rejection = Some((Instant::now(), error.clone()));
                }
                Err(error)
            }
        }
    }
}

/// Returns `true` if the next renewal may succeed. `Closed` and `NoRuntime` count as transient: a renewal shared with
/// another channel may end with that channel, which says nothing about this one.
pub(crate) fn is_transient(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Closed | ErrorKind::NoRuntime)
        || error.is_unavailable()
        || error.is_timeout()
        || error.code() == Some(Code::TooManyRequests)
}

fn shared(task: JoinHandle<Result<(), Error>>) -> Renewal {
    task.map(|ended| ended.unwrap_or_else(|error| Err(broken_off(&error)))).boxed().shared()
}

fn broken_off(error: &JoinError) -> Error {
    if error.is_panic() {
        return Error::invalid_config("token_provider", "the token provider panicked");
    }
    Error::new(ErrorKind::Unavailable, "the client's runtime shut down during a token renewal")
}
