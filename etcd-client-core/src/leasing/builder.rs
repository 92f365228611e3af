//! The builder of a leasing handle.

use std::{sync::Arc, time::Duration};

use etcd_errors::Error;
use tokio::sync::mpsc;

use crate::{
    kv::KvService,
    lease::LeaseService,
    leasing::{
        Leasing,
        keys::OwnershipKeys,
        session,
        shared::{Settings, Shared},
    },
    transport::check_runtime,
    types::Key,
    watch::WatchService,
};

/// The default TTL of the lease: `defaultSessionTTL` in client/v3/concurrency/session.go.
const TTL: Duration = Duration::from_secs(60);

/// The default patience: longer than the default TTL, so that a write outlasts an owner that died.
const PATIENCE: Duration = Duration::from_secs(90);

/// The default bound for the keys. Each has a watch, which costs about a kilobyte here and on the member.
const MAX_KEYS: usize = 10_000;

/// A builder of a [`Leasing`] handle, returned by [`Leasing::builder`].
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
/// use etcd_client_core::leasing::Leasing;
///
/// let leasing = Leasing::builder(client, "leasing/").ttl(Duration::from_secs(10)).max_keys(100).start()?;
/// # drop(leasing);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct LeasingBuilder {
    kv: Arc<dyn KvService>,
    watch: Arc<dyn WatchService>,
    lease: Arc<dyn LeaseService>,
    prefix: Key,
    ttl: Duration,
    patience: Duration,
    max_keys: usize,
}

impl LeasingBuilder {
    pub(crate) fn new<S>(service: Arc<S>, prefix: Key) -> Self
    where
        S: KvService + WatchService + LeaseService + 'static,
    {
        let (kv, watch) = (Arc::<S>::clone(&service), Arc::<S>::clone(&service));
        Self { kv, watch, lease: service, prefix, ttl: TTL, patience: PATIENCE, max_keys: MAX_KEYS }
    }

    /// Sets the TTL of the lease. Default: 60 s, as in Go.
    ///
    /// The keys of a client that died can be written after this time. While no member is reachable, owned keys are served
    /// from memory for at most this time.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use etcd_client_core::leasing::Leasing;
    /// use std::time::Duration;
    ///
    /// let leasing = Leasing::builder(client, "leasing/").ttl(Duration::from_secs(10)).start()?;
    /// # drop(leasing);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets how long a request without an explicit timeout waits for the owners of its keys. Default: 90 s.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use etcd_client_core::leasing::Leasing;
    /// use std::time::Duration;
    ///
    /// let leasing = Leasing::builder(client, "leasing/").patience(Duration::from_secs(5)).start()?;
    /// # drop(leasing);
    /// # Ok(())
    /// # }
    /// ```
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets how many keys are owned at most. Default: 10,000. Further keys are read from the members.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use etcd_client_core::leasing::Leasing;
    /// let leasing = Leasing::builder(client, "leasing/").max_keys(100).start()?;
    /// # drop(leasing);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// Starts to get a lease in the background and returns immediately. Use [`Leasing::ready`] to wait for it.
    ///
    /// # Errors
    ///
    /// - [`InvalidConfig`](etcd_errors::ErrorKind::InvalidConfig) for an empty prefix or a TTL of zero.
    /// - [`NoRuntime`](etcd_errors::ErrorKind::NoRuntime) outside of a Tokio runtime.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// # use etcd_client_core::leasing::Leasing;
    /// let leasing = Leasing::builder(client, "leasing/").start()?;
    /// leasing.ready().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn start(self) -> Result<Leasing, Error> {
        let named = |error: Error| error.with_operation("leasing");
        if self.prefix.is_empty() {
            return Err(named(Error::invalid_config("prefix", "must not be empty")));
        }
        if self.ttl.is_zero() {
            return Err(named(Error::invalid_config("ttl", "must be greater than zero")));
        }
        check_runtime().map_err(named)?;
        let settings = Settings {
            keys: OwnershipKeys::new(self.prefix),
            ttl: self.ttl,
            patience: self.patience,
            max_keys: self.max_keys,
        };
        let (jobs, received) = mpsc::unbounded_channel();
        let shared = Shared::new((self.kv, self.watch, self.lease), settings, jobs);
        let open = Arc::new(shared.closing.clone().drop_guard());
        tokio::spawn(session::run(Arc::clone(&shared), received));
        Ok(Leasing { shared, _open: open })
    }
}
