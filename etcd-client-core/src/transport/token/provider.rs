//! Tokens from user code.

use async_trait::async_trait;
use etcd_errors::Error;

use crate::types::Secret;

/// Supplies a client with tokens. Set it with [`ClientBuilder::token_provider`](crate::client::ClientBuilder::token_provider).
///
/// # Examples
///
/// ```
/// use async_trait::async_trait;
/// use etcd_client_core::{Client, Error, ErrorKind};
/// use etcd_client_core::transport::TokenProvider;
/// use etcd_client_core::types::Secret;
///
/// struct FromFile;
///
/// #[async_trait]
/// impl TokenProvider for FromFile {
///     async fn token(&self) -> Result<Secret, Error> {
///         match std::fs::read_to_string("/run/secrets/etcd-token") {
///             Ok(token) => Ok(token.trim_end().into()),
///             Err(error) => Err(Error::new(ErrorKind::Unavailable, "reading the token").with_source(error)),
///         }
///     }
/// }
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # runtime.block_on(async {
/// let client = Client::builder(["http://127.0.0.1:2379"]).token_provider(FromFile).build()?;
/// # client.close().await;
/// # Ok::<(), Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait TokenProvider: Send + Sync + 'static {
    /// Returns a valid token. Called before the first call, and whenever a member rejects the current token.
    ///
    /// Calls of this method never overlap, even if many requests wait for the token. It runs in its own task, for at
    /// most 5 s. It must not wait for a call of the client that it serves: that call waits for the token.
    ///
    /// # Errors
    ///
    /// An error fails the calls that wait for the token, and further calls during the next second.
    /// [`Unavailable`](etcd_errors::ErrorKind::Unavailable) and [`Timeout`](etcd_errors::ErrorKind::Timeout) are
    /// retried instead, until the deadline of each call. A panic counts as an error.
    async fn token(&self) -> Result<Secret, Error>;
}
