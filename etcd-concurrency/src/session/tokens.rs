//! Where a session keeps its tokens.

use etcd_client_core::Key;

/// The prefix unless another is set. Go's recipes keep their own bookkeeping below `__`, too.
const PREFIX: &str = "__entry/";

/// Where a session keeps its tokens: small keys, attached to its lease, that make each of its writes one-shot.
///
/// A token is `<prefix><lease>/<nonce>/<number>`. A session has as many as it ever had entries under way at the same time, and
/// they end with its lease. Watches and caches of the whole key space see them.
///
/// The prefix must not begin with the name of a lock, an election, a queue or any other recipe: contenders would take a token
/// for a contender, and consumers would take it for an item.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub(super) prefix: Key,
}

impl Tokens {
    /// Keeps tokens below `prefix`. With a namespaced client, that is below the namespace.
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
    /// use etcd_concurrency::{Session, Tokens};
    ///
    /// // The role may read and write everything below `team/`.
    /// let session = Session::builder(&client).tokens(Tokens::below("team/entries/")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn below(prefix: impl Into<Key>) -> Self {
        Self { prefix: prefix.into() }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self::below(PREFIX)
    }
}
