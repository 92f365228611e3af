//! Tokens that come from the user's own code.

use async_trait::async_trait;
use etcd_errors::Error;

use crate::model::Secret;

/// Gives a client its tokens, as [`ClientBuilder::token_provider`](crate::ClientBuilder::token_provider) takes it.
///
/// ```
/// use async_trait::async_trait;
/// use etcd_client_core::{Client, Error, ErrorKind, Secret, TokenProvider};
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
    /// A token that is valid now: asked for before the first call, and again whenever a member takes the last one no more.
    ///
    /// However many calls wait, it is asked once at a time, in a task of its own, for at most 5 s. It must not wait for a call of
    /// the client that it serves: that call waits for the token.
    ///
    /// # Errors
    ///
    /// An error ends the calls that wait for the token, and those of the next second without asking again.
    /// [`Unavailable`](etcd_errors::ErrorKind::Unavailable) and [`Timeout`](etcd_errors::ErrorKind::Timeout) do not: it is asked
    /// again until the deadline of each call. A panic is an error as well.
    async fn token(&self) -> Result<Secret, Error>;
}
