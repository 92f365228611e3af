//! Settings for authentication: a password, a token, or a provider of tokens.

use crate::{client::ClientBuilder, transport::token::provider::TokenProvider, types::Secret};

impl ClientBuilder {
    /// Authenticates with a user name and a password. Default: none. The common name of a client certificate may identify the user instead.
    ///
    /// The first call obtains a token from etcd within its own deadline, and all calls share it. When a member rejects the token (it expired,
    /// users or roles changed, the member was restarted, auth was enabled), one new token is obtained for all affected calls, and these calls are
    /// retried: a rejected call was not applied. While auth is disabled, calls carry no token.
    ///
    /// With a wrong password every call fails with [`Code::AuthFailed`](etcd_errors::Code::AuthFailed). The password is then tried at most
    /// once a second, because each check makes etcd compute a hash.
    ///
    /// The password is erased from memory with the client. See [`Secret`] for the limits of this.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["https://10.0.0.1:2379"]).password("alice", "correct horse").build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "Username")]
    #[doc(alias = "Password")]
    #[doc(alias = "with_user")]
    #[doc(alias = "Authenticate")]
    pub fn password(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials.set_password(user.into(), password.into());
        self
    }

    /// Sends this token with every call. Default: none.
    ///
    /// The token is never replaced: a call fails if etcd rejects it. Use [`token_provider`](Self::token_provider) for tokens that
    /// expire.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// # let token = String::new();
    /// use etcd_client_core::Client;
    ///
    /// let client = Client::builder(["https://10.0.0.1:2379"]).token(token).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.credentials.set_token(token.into());
        self
    }

    /// Obtains tokens from `provider`: one before the first call, and another one whenever a member rejects the current one. Default: none.
    ///
    /// # Examples
    ///
    /// See [`TokenProvider`].
    #[doc(alias = "PerRPCCredentials")]
    pub fn token_provider(mut self, provider: impl TokenProvider) -> Self {
        self.credentials.set_provider(provider);
        self
    }

    /// Allows passwords and tokens to be sent to other hosts over TCP without TLS, where they can be read in transit.
    ///
    /// Loopback addresses, the name `localhost` and unix sockets do not need this permission. With `HttpProxy::including_loopback`
    /// loopback addresses do need it, because they then refer to the proxy's host.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example() -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::Client;
    ///
    /// // The network between client and members is encrypted by other means.
    /// let client = Client::builder(["http://10.0.0.1:2379"])
    ///     .password("alice", "correct horse")
    ///     .allow_plaintext_auth()
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_plaintext_auth(mut self) -> Self {
        self.credentials.allow_plaintext();
        self
    }
}
