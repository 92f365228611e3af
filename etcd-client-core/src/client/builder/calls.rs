//! Settings for calls: timeouts, limits, balancing, the namespace, and what is observed of them.

use std::time::Duration;

use crate::{
    client::ClientBuilder,
    request::Limits,
    transport::{
        balance::Balance,
        observe::observer::{Observer, SharedObserver},
    },
    types::Key,
};

impl ClientBuilder {
    /// Sets the deadline of a call, from its start to its result. Default: 5 s.
    ///
    /// The deadline covers waiting for a connection, every attempt and decoding. A call overrides it with its own `timeout` setter. A physical
    /// compaction has no default deadline: it completes once the store has been rewritten.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).timeout(Duration::from_secs(2)).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "with_timeout")]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Removes the default deadline. Calls without a timeout of their own then wait indefinitely.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).no_timeout().build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn no_timeout(mut self) -> Self {
        self.timeout = None;
        self
    }

    /// Sets the limits on requests and the size of the largest accepted response. Default: the limits of etcd.
    ///
    /// Requests that exceed a limit fail without being sent.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    /// use etcd_client_core::request::Limits;
    ///
    /// // For members started with `--max-request-bytes=8388608`.
    /// let limits = Limits::default().max_request_bytes(8 << 20);
    /// let client = Client::builder(["http://127.0.0.1:2379"]).limits(limits).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "MaxCallSendMsgSize")]
    #[doc(alias = "MaxCallRecvMsgSize")]
    #[doc(alias = "max_decoding_message_size")]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how calls are balanced among the members. Default: [`Balance::Balanced`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    /// use etcd_client_core::transport::Balance;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).balance(Balance::default()).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn balance(mut self, balance: Balance) -> Self {
        self.balance = balance;
        self
    }

    /// Prepends `prefix` to the keys of all operations and removes it from the keys of responses. Default: no prefix.
    ///
    /// The client sees no other keys. [`Client::with_namespace`](crate::client::Client::with_namespace) does the same for an existing client, and lists the exceptions.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).namespace("prod/").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn namespace(mut self, prefix: impl Into<Key>) -> Self {
        self.namespace = prefix.into();
        self
    }

    /// Sets the observer that is notified of attempts, calls, endpoints and connections. Default: none. A second observer replaces the first.
    ///
    /// See [`observe`](crate::transport::observe) for the events, and for `tracing` spans and metrics.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::{Client, observe::{CallEvent, Observer}};
    ///
    /// struct Log;
    ///
    /// impl Observer for Log {
    ///     fn call(&self, event: &CallEvent) {
    ///         println!("{event:?}");
    ///     }
    /// }
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).observer(Log).build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "metrics")]
    #[doc(alias = "interceptor")]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = SharedObserver::new(observer);
        self
    }

    /// Sets whether the spans of gets, puts and deletes of a single key contain the key. Default: `false`.
    ///
    /// The key is escaped and cut to 64 bytes, and only shown to subscribers that listen at TRACE.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["http://127.0.0.1:2379"]).trace_keys(true).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn trace_keys(mut self, trace_keys: bool) -> Self {
        self.trace_keys = trace_keys;
        self
    }
}
