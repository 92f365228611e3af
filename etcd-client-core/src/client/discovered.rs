//! Clients for members discovered through DNS.

use etcd_errors::Error;

use crate::{
    client::{Client, ClientBuilder},
    transport::{connect::tls::Tls, endpoint::discovery::Discovery},
};

impl Discovery {
    /// Looks up the members and returns a builder for a client that verifies them like `etcdctl --insecure-discovery=false`.
    ///
    /// Members without TLS are skipped, and each certificate must be valid for the domain. With [`trust_targets`](Self::trust_targets) it must
    /// be valid for the target of its SRV record instead. A server name set in `tls` takes precedence over both. Endpoints set later,
    /// including those of [`auto_sync`](crate::client::ClientBuilder::auto_sync), are verified by the domain as well.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`endpoints`](Self::endpoints).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use etcd_client_core::Tls;
    /// use etcd_client_core::transport::Discovery;
    ///
    /// # async fn example() -> Result<(), etcd_client_core::Error> {
    /// let tls = Tls::new().ca_pem_file("ca.pem");
    /// let client = Discovery::srv("example.com").builder_with_tls(tls).await?.build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn builder_with_tls(&self, tls: Tls) -> Result<ClientBuilder, Error> {
        let members = self.clone().tls_only().endpoints().await?;
        let tls = match self.server_name() {
            Some(name) => tls.or_server_name(name),
            None => tls,
        };
        Ok(Client::builder(members).tls(tls))
    }
}
