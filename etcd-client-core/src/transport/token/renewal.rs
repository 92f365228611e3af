//! Getting another token: once, for however many calls wait for it.

use std::{pin::Pin, sync::Arc, time::Duration};

use etcd_errors::{Code, Error, ErrorKind};
use futures_util::{FutureExt as _, future::Shared};
use http::HeaderValue;
use tokio::{
    task::JoinError,
    time::{Instant, timeout},
};

use super::{
    Carried, Generation, RENEWAL_TIMEOUT, Token, TokenProvider, Tokens,
    authenticate::authenticate,
    credentials::{self, Source},
};
use crate::transport::{channel::Channel, observe::trace, pool::closed};

/// How long a refusal stands before etcd is asked again. Each question costs a member a tenth of a second of processor time, for
/// a wrong password too.
const REFUSAL_STANDS: Duration = Duration::from_secs(1);

/// The end of a renewal, for everybody who waits for it.
type Renewal = Shared<Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>>;

/// The renewal under way, and how the last one ended.
#[derive(Debug, Default)]
pub(super) struct Renewals {
    last: Generation,
    under_way: Option<Renewal>,
    refusal: Option<(Instant, Error)>,
}

impl Tokens {
    /// Returns when there is a later token than the one that was rejected; starts a renewal only where none is under way.
    ///
    /// Cancel safe: the renewal goes on, at most [`RENEWAL_TIMEOUT`], and serves others.
    ///
    /// The error says why there is none. It is transient if [`is_transient`] says so, else it stands for a while.
    pub(crate) async fn renew(self: &Arc<Self>, channel: &Channel, rejected: Carried) -> Result<(), Error> {
        match self.join(channel, rejected)? {
            Some(renewal) => renewal.await,
            None => Ok(()),
        }
    }

    /// The renewal to wait for, `None` where another call has seen to it. The lock is held for no await.
    fn join(self: &Arc<Self>, channel: &Channel, rejected: Carried) -> Result<Option<Renewal>, Error> {
        let mut renewals = self.renewals();
        if self.generation() > rejected.generation {
            return Ok(None);
        }
        if let Some((since, refusal)) = &renewals.refusal
            && since.elapsed() < REFUSAL_STANDS
        {
            return Err(refusal.clone());
        }
        // One that has ended brought the very token that was rejected, or none.
        let under_way = renewals.under_way.take().filter(|renewal| renewal.peek().is_none());
        let renewal = under_way.unwrap_or_else(|| self.start(channel));
        renewals.under_way = Some(renewal.clone());
        Ok(Some(renewal))
    }

    /// In a task of the client's own: callers with little time each would otherwise begin anew what the one before broke off, and
    /// no caller's drop, deadline or runtime disturbs the others.
    fn start(self: &Arc<Self>, channel: &Channel) -> Renewal {
        let (tokens, channel) = (Arc::clone(self), channel.for_tokens());
        let pool = Arc::clone(channel.pool());
        let renewing = async move { tokens.settle(tokens.fetch(&channel).await) };
        let task = pool.spawn(renewing);
        task.map(|ended| ended.unwrap_or_else(|error| Err(broken_off(&error)))).boxed().shared()
    }

    async fn fetch(&self, channel: &Channel) -> Result<Option<HeaderValue>, Error> {
        match &self.credentials.source {
            Source::Password { user, password } => authenticate(channel, user, password).await,
            Source::Provider(provider) => provided(channel, &**provider).await,
            // These have nothing to renew, and nobody asks.
            Source::Token(value) => Ok(Some(value.clone())),
            Source::Nowhere => Ok(None),
        }
    }

    fn settle(&self, fetched: Result<Option<HeaderValue>, Error>) -> Result<(), Error> {
        let mut renewals = self.renewals();
        // Who comes later must not be served what was found out for others.
        renewals.under_way = None;
        match fetched {
            Ok(value) => {
                renewals.last = Generation(renewals.last.0 + 1);
                renewals.refusal = None;
                trace::token_renewed(value.is_some());
                self.current.store(Some(Token::new(renewals.last, value, &self.without)));
                Ok(())
            }
            Err(error) => {
                trace::no_token(&error);
                // Members that still know the old token are not denied it because others cannot be reached.
                if !is_transient(&error) {
                    self.current.store(None);
                    renewals.refusal = Some((Instant::now(), error.clone()));
                }
                Err(error)
            }
        }
    }
}

/// Whether the next try may bring a token. What another channel's end did to a renewal says nothing about this one.
pub(crate) fn is_transient(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Closed | ErrorKind::NoRuntime)
        || error.is_unavailable()
        || error.is_timeout()
        || error.code() == Some(Code::TooManyRequests)
}

async fn provided(channel: &Channel, provider: &dyn TokenProvider) -> Result<Option<HeaderValue>, Error> {
    let token = tokio::select! {
        token = timeout(RENEWAL_TIMEOUT, provider.token()) => token,
        () = channel.pool().shutdown() => return Err(closed()),
    };
    let late = || Error::new(ErrorKind::Timeout, "the token provider gave no token within 5 s");
    credentials::header(token.unwrap_or_else(|_elapsed| Err(late()))?).map(Some)
}

fn broken_off(error: &JoinError) -> Error {
    if error.is_panic() {
        return Error::invalid_config("token_provider", "the token provider panicked");
    }
    Error::new(ErrorKind::Unavailable, "the client's runtime ended while a token was being got")
}
