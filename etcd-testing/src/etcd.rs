//! A running member.

use std::io;
use std::sync::Arc;

use tokio::io::DuplexStream;

use crate::builder::Builder;
use crate::connection::{self, Connector, Task};
use crate::fault::Rule;
use crate::listen::{Listen, Listener};
use crate::member::Member;
use crate::service::EtcdService;
use crate::shared::Shared;

/// An etcd of one member in this process. Dropping it ends it and closes its connections.
#[derive(Debug)]
#[must_use = "the member ends when it is dropped"]
pub struct Etcd {
    shared: Arc<Shared>,
    service: EtcdService,
    endpoint: String,
    /// The address to bind after a stop.
    listen: Listen,
    /// The task of the listener, unless the member is stopped.
    listener: Option<Task>,
    _expiry: Task,
}

impl Etcd {
    /// Starts the tasks of a member.
    pub(crate) fn new(shared: Arc<Shared>, endpoint: String, listen: Listen, listener: Listener) -> Self {
        let service = EtcdService::new(Arc::clone(&shared));
        let listener = listener.accept(&service);
        let expiry = Arc::clone(&shared);
        let expiry = Task::spawn(async move { expiry.expire_leases().await });
        Self { shared, service, endpoint, listen, listener, _expiry: expiry }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Starts a member with the default options on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// As [`Builder::start`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let etcd = etcd_testing::Etcd::start().await?;
    /// let client = etcd_client_core::Client::builder([etcd.endpoint()]).build()?;
    /// client.put("greeting", "hello").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn start() -> io::Result<Self> {
        Builder::default().start().await
    }

    /// Returns the options of a member, with their defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the endpoint for clients, such as `http://127.0.0.1:40001` or `unix:///tmp/etcd.sock`.
    ///
    /// It is empty for a member [without a listener](Builder::without_listener).
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the member as a tower service, for clients without a connection.
    #[must_use]
    pub fn service(&self) -> EtcdService {
        self.service.clone()
    }

    /// Returns a connector for clients that take one: it opens a connection in memory for any address.
    ///
    /// Such a client runs unchanged, also while the clock of the runtime is paused.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Client;
    /// use etcd_testing::Etcd;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let etcd = Etcd::builder().without_listener().start().await?;
    /// let client = Client::builder(["http://etcd.test:2379"]).connector(etcd.connector()).build()?;
    /// client.put("greeting", "hello").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn connector(&self) -> Connector {
        Connector::new(self.service.clone())
    }

    /// Opens a connection in memory. The returned end speaks HTTP/2 with the member, like a TCP connection to it.
    ///
    /// The connection ends when either side is dropped. See [`connector`](Self::connector) for clients that open their own.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        connection::in_memory(self.service.clone())
    }
}

/// Faults.
impl Etcd {
    /// Adds a rule for faults.
    ///
    /// # Examples
    ///
    /// A put whose answer is lost is applied, and its outcome is unknown to the client:
    ///
    /// ```
    /// use etcd_testing::{Etcd, Fault, Method, Rule};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let etcd = Etcd::start().await?;
    /// let client = etcd_client_core::Client::builder([etcd.endpoint()]).build()?;
    /// etcd.inject(Rule::new(Method::Put, Fault::LoseAnswer));
    /// let error = client.put("greeting", "hello").await.unwrap_err();
    /// assert_eq!(error.outcome(), etcd_client_core::Outcome::Unknown);
    /// assert_eq!(etcd.revision(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn inject(&self, rule: Rule) {
        self.shared.add_fault(rule);
    }

    /// Removes all rules for faults.
    pub fn clear_faults(&self) {
        self.shared.clear_faults();
    }

    /// Stops the member like `SIGSTOP`: it keeps its connections and answers nothing, not even an HTTP/2 PING.
    ///
    /// Leases continue to expire.
    pub fn pause(&self) {
        self.shared.power().pause();
    }

    /// Ends a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.shared.power().resume();
    }

    /// Stops the member: it closes its connections and its listener, and keeps its data.
    ///
    /// Leases do not end while it is stopped. [`restart`](Self::restart) ends the stop.
    pub async fn stop(&mut self) {
        self.shared.power().stop();
        self.shared.with(Member::stop);
        if let Some(listener) = self.listener.take() {
            listener.end().await;
        }
    }

    /// Stops the member, and starts it on the same endpoint with the same data.
    ///
    /// As after a restart of etcd, the term is higher, the tokens of users are invalid, and each lease has its full time
    /// to live again.
    ///
    /// # Errors
    ///
    /// The error of the operating system if the address cannot be bound again. The member stays stopped then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut etcd = etcd_testing::Etcd::start().await?;
    /// let client = etcd_client_core::Client::builder([etcd.endpoint()]).build()?;
    /// client.put("greeting", "hello").await?;
    /// etcd.restart().await?;
    /// assert_eq!(client.get("greeting").await?.kvs.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn restart(&mut self) -> io::Result<()> {
        self.stop().await;
        let listener = self.listen.bind().await?;
        self.shared.with(Member::restart);
        self.shared.power().start();
        self.listener = listener.accept(&self.service);
        Ok(())
    }

    /// Compacts the history before the current revision. Returns that revision.
    pub fn compact(&self) -> i64 {
        self.shared.with(|member| {
            let revision = member.store.revision();
            // It fails only if the history is compacted already.
            let _compacted = member.store.compact(revision);
            revision
        })
    }

    /// Invalidates all tokens of users.
    pub fn drop_tokens(&self) {
        self.shared.with(|member| member.auth.drop_tokens());
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.shared.power().stop();
    }
}
