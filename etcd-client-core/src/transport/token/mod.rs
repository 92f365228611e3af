//! Auth tokens: their source, the current token, and the renewal that all waiting calls share.

pub(crate) mod rejection;

pub(crate) mod credentials;
pub(crate) mod of_call;
pub(crate) mod provider;
pub(crate) mod renewal;
pub(crate) mod secret;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use etcd_errors::Error;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) use crate::transport::token::credentials::Credentials;
use crate::{
    request::CallOptions,
    transport::{
        grpc::headers::{Headers, TimeoutHeader},
        token::{credentials::Source, renewal::Renewals},
    },
    types::Endpoint,
};

/// The metadata key in which etcd expects the token.
pub(crate) const TOKEN: HeaderName = HeaderName::from_static("token");

/// The timeout of one renewal, independent of the deadlines of the waiting calls. It is generous, because hashing a
/// password takes a member about 0.1 s.
pub(crate) const RENEWAL_TIMEOUT: Duration = Duration::from_secs(5);

/// The tokens of a client, shared by all of its channels.
pub(crate) struct Tokens {
    credentials: Credentials,
    without: Headers,
    /// `None` before the first token, and after etcd rejected the credentials.
    current: ArcSwapOption<Token>,
    renewals: Mutex<Renewals>,
}

/// The token that requests carry until it is rejected.
#[derive(Debug)]
struct Token {
    generation: Generation,
    /// `None` if auth is disabled.
    value: Option<HeaderValue>,
    /// Header blocks that include the token, so that a request with a token costs no extra allocation.
    headers: Headers,
}

/// The sequence number of a renewal. Later tokens have greater generations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Generation(u64);

/// The token that a request carried. It identifies the token if the request is rejected.
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

    /// Returns how the client can react to a rejected token.
    pub(crate) fn kind(&self) -> rejection::Credentials {
        self.credentials.kind()
    }

    /// Checks whether the password or the token may be sent to the endpoint. `secure` is `true` if the endpoint uses
    /// TLS.
    pub(crate) fn check_endpoint(&self, endpoint: &Endpoint, secure: bool) -> Result<(), Error> {
        self.credentials.check_endpoint(endpoint, secure)
    }

    /// Returns `true` if a call must wait for a token before it is sent. Takes no lock.
    pub(crate) fn is_missing(&self) -> bool {
        self.kind() == rejection::Credentials::Renewable && self.current.load().is_none()
    }

    /// Returns the header block of a request, with the current token if there is one. Takes no lock.
    pub(crate) fn headers(&self, options: &CallOptions, timeout: TimeoutHeader) -> (HeaderMap, Carried) {
        // A load without a lock: every request passes here.
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

    /// Makes the next call fetch a new token, unless a newer one has arrived since. Used for calls that cannot be
    /// retried.
    pub(crate) fn reject(&self, carried: Carried) {
        // Under the lock, so that a renewal cannot store its token between the comparison and the store
        // below: that would discard a token which was never rejected.
        let _renewals = self.renewals();
        if self.kind() == rejection::Credentials::Renewable && self.generation() == carried.generation {
            self.current.store(None);
        }
    }

    fn generation(&self) -> Option<Generation> {
        self.current.load().as_ref().map(|token| token.generation)
    }

    fn renewals(&self) -> MutexGuard<'_, Renewals> {
        // Poisoning is ignored: every field is replaced as a whole, so a panic leaves no partial update.
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
    /// Returns `true` if the request carried a token, as opposed to having been sent while auth was known to be
    /// disabled.
    pub(crate) fn had_token(self) -> bool {
        self.token
    }
}
