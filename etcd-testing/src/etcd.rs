//! A running member.

use std::io;
use std::sync::Arc;

use tokio::io::DuplexStream;

use crate::builder::Builder;
use crate::connection::{self, Task};
use crate::service::EtcdService;
use crate::shared::Shared;

/// The bytes in flight on an in-memory connection, per direction.
const IN_FLIGHT: usize = 64 * 1024;

/// An etcd of one member in this process. Dropping it ends it and closes its connections.
#[derive(Debug)]
#[must_use = "the member ends when it is dropped"]
pub struct Etcd {
    shared: Arc<Shared>,
    service: EtcdService,
    endpoint: String,
    /// The listener and the expiry of leases.
    _tasks: Vec<Task>,
}

impl Etcd {
    pub(crate) const fn new(
        shared: Arc<Shared>,
        service: EtcdService,
        endpoint: String,
        tasks: Vec<Task>,
    ) -> Self {
        Self { shared, service, endpoint, _tasks: tasks }
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
    /// let client = etcd_client_core::Client::builder([etcd.endpoint()]).connect().await?;
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

    /// Opens a connection in memory. The returned end speaks HTTP/2 with the member, like a TCP connection to it.
    ///
    /// A client that can use its own transport, such as `connect_with_connector` of tonic's `Endpoint`, runs on it
    /// unchanged, also while the clock of the runtime is paused. The connection ends when either side is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        let (client, member) = tokio::io::duplex(IN_FLIGHT);
        tokio::spawn(connection::serve(member, self.service.clone()));
        client
    }
}
