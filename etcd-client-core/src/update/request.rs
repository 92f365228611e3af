//! The builder of an update.

use std::{fmt, pin::Pin, time::Duration};

use etcd_errors::Error;

use crate::{
    request::CallOptions,
    types::{Invalid, Key, KeyValue, LeaseId},
    update::{
        marker::DEFAULT_PREFIX,
        response::Updated,
        run::{Services, run},
        state::{Bounds, Machine},
        write::Next,
    },
};

/// The default of [`Update::max_attempts`].
const MAX_ATTEMPTS: u32 = 100;

/// The default of [`Update::timeout`].
const TIMEOUT: Duration = Duration::from_secs(30);

/// The default of [`Update::resolve_timeout`].
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(60);

type Decide<'a> = Box<dyn FnMut(Option<&KeyValue>) -> Next + Send + 'a>;

/// A change of one key that depends on its current value. Awaiting it executes the change.
///
/// [`Client::update`](crate::Client::update), [`create`](crate::Client::create), [`delete_if`](crate::Client::delete_if) and
/// [`swap`](crate::Client::swap) return it. The module [`update`](crate::update) describes the protocol and its costs.
///
/// # Cancel safety
///
/// After the future is dropped, the last attempt may or may not be applied, at most once.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
///
/// let swapped = client.swap("config/limit", "20").max_attempts(10).timeout(Duration::from_secs(5)).await?;
/// println!("before: {:?}", swapped.previous);
/// # Ok(())
/// # }
/// ```
#[must_use = "an update does nothing until it is awaited"]
pub struct Update<'a> {
    services: Services<'a>,
    key: Key,
    decide: Decide<'a>,
    assume_missing: bool,
    lease: Option<LeaseId>,
    prefix: Key,
    bounds: Bounds,
    options: CallOptions,
}

impl<'a> Update<'a> {
    pub(super) fn new(services: Services<'a>, key: Key, decide: Decide<'a>) -> Self {
        let bounds = Bounds { attempts: MAX_ATTEMPTS, timeout: TIMEOUT, resolve: RESOLVE_TIMEOUT };
        Self {
            services,
            key,
            decide,
            assume_missing: false,
            lease: None,
            prefix: DEFAULT_PREFIX.into(),
            bounds,
            options: CallOptions::default(),
        }
    }

    /// Skips the first read.
    pub(super) fn assuming_missing(mut self) -> Self {
        self.assume_missing = true;
        self
    }

    /// Attaches the key to this lease. Default: the key keeps its lease, and a new key has none.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client, lease: etcd_client_core::LeaseId) -> Result<(), etcd_client_core::Error> {
    /// let created = client.create("workers/7", "busy").lease(lease).await?;
    /// println!("created: {}", created.changed);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lease(mut self, lease: LeaseId) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Sets the maximum number of attempts, at least 1. Default: 100.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.swap("config/limit", "20").max_attempts(3).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.bounds.attempts = attempts;
        self
    }

    /// Sets the time after which no further attempt starts. It must be greater than zero. Default: 30 s.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// client.swap("config/limit", "20").timeout(Duration::from_secs(2)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.bounds.timeout = timeout;
        self
    }

    /// Sets the time that is added to [`timeout`](Self::timeout) to determine whether the last attempt was applied, while no member
    /// can be reached. Default: 60 s.
    ///
    /// If it is longer than 4 minutes, the lease of the marker may expire before the outcome is determined.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// client.swap("config/limit", "20").resolve_timeout(Duration::from_secs(10)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn resolve_timeout(mut self, timeout: Duration) -> Self {
        self.bounds.resolve = timeout;
        self
    }

    /// Sets the prefix of the markers. Default: `__update/`. With authentication, the user needs read and write permission on it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.swap("app/limit", "20").marker_prefix("app/__update/").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn marker_prefix(mut self, prefix: impl Into<Key>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the options of each request, such as its metadata. The retry policy of the writes is not used: a marker makes each of them
    /// safe to retry. Default: each request ends after 5 s.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::CallOptions;
    ///
    /// client.swap("config/limit", "20").options(CallOptions::default().require_leader()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    fn check(&self) -> Result<(), Invalid> {
        if self.bounds.attempts == 0 {
            return Err(Invalid::new("max_attempts", "must be greater than zero"));
        }
        if self.bounds.timeout.is_zero() {
            return Err(Invalid::new("timeout", "must be greater than zero"));
        }
        if self.prefix.is_empty() {
            return Err(Invalid::new("marker_prefix", "is empty"));
        }
        Ok(())
    }

    async fn execute(mut self) -> Result<Updated, Error> {
        self.check().map_err(|invalid| Error::from(invalid).with_operation("update"))?;
        let start = if self.assume_missing { Machine::assuming_missing } else { Machine::new };
        let machine = start(self.key.clone(), self.lease, self.bounds);
        run(machine, self.services, &self.key, &self.prefix, self.options, &mut *self.decide).await
    }
}

impl fmt::Debug for Update<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update").field("key", &self.key).field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl<'a> IntoFuture for Update<'a> {
    type Output = Result<Updated, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.execute())
    }
}
