//! The token that requests carry: where it comes from, which one is current, and how one renewal serves all who wait.

mod authenticate;
mod credentials;
mod of_call;
mod provider;
mod renewal;
mod secret;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use etcd_errors::Error;
use http::{HeaderMap, HeaderName, HeaderValue};

pub use self::provider::TokenProvider;
use self::{credentials::Source, renewal::Renewals};
pub(crate) use self::{
    credentials::{Configured, Credentials},
    of_call::TokenOfCall,
    renewal::is_transient,
};
use super::headers::{Headers, TimeoutHeader};
use crate::{mechanism::rejection, model::Endpoint, service::CallOptions};

/// The header that etcd looks for.
pub(crate) const TOKEN: HeaderName = HeaderName::from_static("token");

/// How long one renewal may take, however long those who wait for it have: hashing a password takes a member 0.1 s.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(5);

/// The tokens of a client, shared by all of its channels.
pub(crate) struct Tokens {
    credentials: Credentials,
    without: Headers,
    /// `None` until the first one is there, and after a refusal.
    current: ArcSwapOption<Token>,
    renewals: Mutex<Renewals>,
}

/// What requests carry until it is rejected.
#[derive(Debug)]
struct Token {
    generation: Generation,
    /// `None` where auth is off.
    value: Option<HeaderValue>,
    /// Header blocks with the token in them: a request with one costs no allocation more than a request without.
    headers: Headers,
}

/// Which answer to the question for a token it is: a later one is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Generation(u64);

/// What a request carried, to be named when it is rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    generation: Option<Generation>,
    token: bool,
}

impl Tokens {
    pub(crate) fn new(credentials: Credentials, without: Headers) -> Arc<Self> {
        let current = match &credentials.source {
            Source::Token(value) => Some(Token::new(Generation::default(), Some(value.clone()), &without)),
            _ => None,
        };
        Arc::new(Self {
            credentials,
            without,
            current: ArcSwapOption::new(current),
            renewals: Mutex::default(),
        })
    }

    /// What the client can do about a rejected token.
    pub(crate) fn kind(&self) -> rejection::Credentials {
        self.credentials.kind()
    }

    /// Whether the endpoint may hear the password or the token. `secure` says whether it is spoken to through TLS.
    pub(crate) fn check_endpoint(&self, endpoint: &Endpoint, secure: bool) -> Result<(), Error> {
        self.credentials.check_endpoint(endpoint, secure)
    }

    /// Whether a call has to wait for a token before it is sent. Takes no lock.
    pub(crate) fn is_missing(&self) -> bool {
        self.kind() == rejection::Credentials::Renewable && self.current.load().is_none()
    }

    /// The header block of a request, with the current token where there is one. Takes no lock.
    pub(crate) fn headers(&self, options: &CallOptions, timeout: TimeoutHeader) -> (HeaderMap, Carried) {
        match &*self.current.load() {
            Some(token) => (token.headers.of(options, timeout), token.carried()),
            None => (self.without.of(options, timeout), Carried::default()),
        }
    }

    /// Adds the current token to the headers of a stub's call.
    pub(crate) fn attach(&self, headers: &mut HeaderMap) -> Carried {
        let current = self.current.load();
        let Some(token) = &*current else { return Carried::default() };
        if let Some(value) = &token.value {
            headers.insert(TOKEN, value.clone());
        }
        token.carried()
    }

    /// Has the next call get another token first, unless that happened meanwhile: for calls that cannot be sent again.
    pub(crate) fn reject(&self, carried: Carried) {
        let _renewals = self.renewals();
        if self.kind() == rejection::Credentials::Renewable && self.generation() == carried.generation {
            self.current.store(None);
        }
    }

    fn generation(&self) -> Option<Generation> {
        self.current.load().as_ref().map(|token| token.generation)
    }

    fn renewals(&self) -> MutexGuard<'_, Renewals> {
        // What it holds is replaced as a whole: a panic elsewhere leaves nothing half done.
        self.renewals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("credentials", &self.credentials)
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}

impl Token {
    fn new(generation: Generation, value: Option<HeaderValue>, without: &Headers) -> Arc<Self> {
        let headers = without.with(&TOKEN, value.as_ref());
        Arc::new(Self { generation, value, headers })
    }

    fn carried(&self) -> Carried {
        Carried { generation: Some(self.generation), token: self.value.is_some() }
    }
}

impl Carried {
    /// Whether there was a token, not only the knowledge that none is needed.
    pub(crate) fn had_token(self) -> bool {
        self.token
    }
}
