//! Members from SRV records: which name their certificates must carry.

use etcd_client_core::{Client, Error, Tls, transport::Discovery};
use etcd_testkit::{Certificates, Cluster};

use super::{
    front::{Front, Speaks},
    trusting,
};
use crate::discovery::{Dns, Zone};

const DOMAIN: &str = "example.test";
const SECURE: &str = "_etcd-client-ssl._tcp.example.test";
const PLAIN: &str = "_etcd-client._tcp.example.test";

/// A member whose certificate carries this name, and a DNS that says it is `localhost`.
async fn named(cluster: &Cluster, certificates: &Certificates, name: &str) -> (Front, Dns) {
    let identity = certificates.issue_server(name, &[name]).expect("written");
    let front = Front::start(Some(&cluster.endpoints()[0]), Speaks::with(&identity).config()).await;
    let plain = cluster.endpoints()[0].rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let zones = [
        (SECURE, Zone::Records(vec![(0, 0, front.address.port(), "localhost.")])),
        (PLAIN, Zone::Records(vec![(0, 0, plain, "localhost.")])),
    ];
    (front, Dns::start(zones).await)
}

async fn put(discovery: Discovery, tls: Tls) -> Result<(), Error> {
    let client: Client = discovery.builder_with_tls(tls).await?.build()?;
    let put = client.put("k", "v").await.map(drop);
    client.close().await;
    put
}

fn assert_refused(put: Result<(), Error>) {
    let error = put.expect_err("the certificate is for another name");
    assert!(error.report().to_string().contains("certificate"), "{}", error.report());
}

#[tokio::test]
async fn the_certificate_carries_the_domain() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let certificates = Certificates::without_cluster("root").expect("written");
    let (front, dns) = named(&cluster, &certificates, DOMAIN).await;
    for domain in [DOMAIN, "example.test."] {
        put(dns.discovery(domain), trusting(&certificates)).await.expect("verified");
    }
    assert!(front.shown().iter().all(|shown| shown.server_name.as_deref() == Some(DOMAIN)));
    assert_refused(put(dns.discovery(DOMAIN).trust_targets(), trusting(&certificates)).await);
}

/// The target is what an answer of DNS says, forged or not.
#[tokio::test]
async fn certificate_for_the_srv_target_requires_trust_targets() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let certificates = Certificates::without_cluster("root").expect("written");
    let (front, dns) = named(&cluster, &certificates, "localhost").await;
    assert_refused(put(dns.discovery(DOMAIN), trusting(&certificates)).await);
    assert!(front.shown().is_empty(), "nothing was sent to it");
    put(dns.discovery(DOMAIN).trust_targets(), trusting(&certificates)).await.expect("trusted");
    let named = trusting(&certificates).server_name("localhost");
    put(dns.discovery(DOMAIN), named).await.expect("the name that was set goes first");
}
