//! Clients of members with TLS, and with users as well.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use etcd_client_core::{
    Client, ClientBuilder, Tls,
    observe::{CallEvent, Observer},
};
use etcd_testkit::Cluster;

pub(super) const ROOT_PASSWORD: &str = "correct horse";

/// Trusting the cluster's own authority.
pub(super) fn tls(cluster: &Cluster, endpoints: &[String]) -> ClientBuilder {
    let certificates = cluster.certificates().expect("a cluster with TLS");
    Client::builder(endpoints).tls(Tls::new().ca_pem_file(&certificates.ca))
}

/// The same, and as root.
pub(super) fn tls_and_password(cluster: &Cluster, endpoints: &[String]) -> ClientBuilder {
    tls(cluster, endpoints).password("root", ROOT_PASSWORD).observer(AUTHENTICATIONS.clone())
}

/// Counts the calls that got a token.
#[derive(Clone, Debug)]
pub(super) struct Authentications(Arc<AtomicUsize>);

impl Authentications {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Observer for Authentications {
    fn call(&self, event: &CallEvent) {
        if event.operation == "authenticate" {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Those of all clients of [`tls_and_password`].
pub(super) static AUTHENTICATIONS: LazyLock<Authentications> =
    LazyLock::new(|| Authentications(Arc::default()));
