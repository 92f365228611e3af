//! The options of a member.

use std::io;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::etcd::Etcd;
use crate::line::Line;
use crate::listen::Listen;
use crate::member::{Identity, Member};
use crate::shared::Shared;

/// The options of an [`Etcd`]. [`start`](Self::start) starts it.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    identity: Identity,
    min_lease_ttl: i64,
    progress_interval: Duration,
    token_ttl: Duration,
    listen: Listen,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            identity: Identity {
                cluster_id: 0xcdf8_1819_4e3a_8c32,
                member_id: 0x8e9e_05c5_2164_694d,
                name: "default".to_owned(),
                line: Line::default(),
                max_txn_ops: 128,
                client_urls: Vec::new(),
            },
            min_lease_ttl: 2,
            progress_interval: Duration::from_secs(600),
            token_ttl: Duration::from_secs(300),
            listen: Listen::Tcp(0),
        }
    }
}

impl Builder {
    /// Sets the release line that the member behaves like. Default: [`Line::V3_7`].
    pub const fn line(mut self, line: Line) -> Self {
        self.identity.line = line;
        self
    }

    /// Sets the name of the member. Default: `default`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.identity.name = name.into();
        self
    }

    /// Sets the identifier of the cluster, which every response has. Default: that of a real etcd with default options.
    pub const fn cluster_id(mut self, id: u64) -> Self {
        self.identity.cluster_id = id;
        self
    }

    /// Sets the identifier of the member, which every response has. Default: that of a real etcd with default options.
    pub const fn member_id(mut self, id: u64) -> Self {
        self.identity.member_id = id;
        self
    }

    /// Sets the largest number of operations of a transaction. Default: 128.
    pub const fn max_txn_ops(mut self, ops: usize) -> Self {
        self.identity.max_txn_ops = ops;
        self
    }

    /// Sets the shortest time to live that a lease gets, in seconds. Default: 2.
    ///
    /// etcd computes it from its election timeout.
    pub const fn min_lease_ttl(mut self, seconds: i64) -> Self {
        self.min_lease_ttl = seconds;
        self
    }

    /// Sets the interval of progress reports for watches that want them. Default: 10 minutes. At least 100 ms, and at most a
    /// year.
    pub fn watch_progress_interval(mut self, interval: Duration) -> Self {
        self.progress_interval =
            interval.clamp(Duration::from_millis(100), Duration::from_secs(365 * 24 * 3600));
        self
    }

    /// Sets how long a token of authentication lives while it is not used. Default: 300 s.
    pub const fn token_ttl(mut self, ttl: Duration) -> Self {
        self.token_ttl = ttl;
        self
    }

    /// Listens on `port` of 127.0.0.1. Default: a free port.
    pub fn port(mut self, port: u16) -> Self {
        self.listen = Listen::Tcp(port);
        self
    }

    /// Listens on a unix socket, which must not exist. It is removed when the member ends.
    #[cfg(unix)]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.listen = Listen::Unix(path.into());
        self
    }

    /// Listens on nothing. Clients use [`Etcd::service`] or [`Etcd::connect`].
    ///
    /// This is required while the clock of the runtime is paused: with sockets, a paused clock runs ahead of the data.
    pub fn without_listener(mut self) -> Self {
        self.listen = Listen::Nothing;
        self
    }

    /// Starts the member. It ends when the [`Etcd`] is dropped.
    ///
    /// # Errors
    ///
    /// The error of the operating system if the address cannot be bound. [`io::ErrorKind::Other`] outside of a Tokio
    /// runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_testing::{Etcd, Line};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let etcd = Etcd::builder().line(Line::V3_5).start().await?;
    /// assert!(etcd.endpoint().starts_with("http://127.0.0.1:"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn start(self) -> io::Result<Etcd> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(io::Error::other("must be called from within a Tokio runtime"));
        }
        let listener = self.listen.bind().await?;
        let mut identity = self.identity;
        identity.client_urls.extend(listener.endpoint());
        let endpoint = identity.client_urls.concat();
        // A free port that was chosen stays the same after a restart.
        let listen = self.listen.again(&listener);
        let member = Member::new(identity, self.min_lease_ttl, self.token_ttl);
        let shared = Arc::new(Shared::new(member, self.progress_interval));
        Ok(Etcd::new(shared, endpoint, listen, listener))
    }
}
