//! A client of what was found in DNS.

use etcd_errors::Error;

use super::{Client, ClientBuilder};
use crate::transport::{discovery::Discovery, tls::Tls};

impl Discovery {
    /// Looks the members up and begins a client of them that verifies them as `etcdctl --insecure-discovery=false` does: members
    /// without TLS are left out, and each certificate must carry the domain. [`trust_targets`](Self::trust_targets) has it carry the
    /// target of its record, and a name that `tls` sets goes before both.
    ///
    /// Endpoints that are set later, by [`auto_sync`](crate::ClientBuilder::auto_sync) as well, are verified by the domain too.
    ///
    /// ```no_run
    /// use etcd_client_core::{Discovery, Tls};
    ///
    /// # async fn example() -> Result<(), etcd_client_core::Error> {
    /// let tls = Tls::new().ca_pem_file("ca.pem");
    /// let client = Discovery::srv("example.com").builder_with_tls(tls).await?.build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// Those of [`endpoints`](Self::endpoints).
    pub async fn builder_with_tls(&self, tls: Tls) -> Result<ClientBuilder, Error> {
        let members = self.clone().tls_only().endpoints().await?;
        let tls = match self.server_name() {
            Some(name) => tls.or_server_name(name),
            None => tls,
        };
        Ok(Client::builder(members).tls(tls))
    }
}
