//! The oldest and the newest version of TLS that is spoken.

use etcd_client_core::transport::TlsVersion::{Tls12, Tls13};
use etcd_testkit::{Certificates, Cluster};
use rustls::{
    ProtocolVersion,
    version::{TLS12, TLS13},
};

use super::{
    client,
    front::{Front, Speaks},
    trouble, trusting,
};

#[tokio::test]
async fn the_newest_in_common_is_spoken() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let certificates = Certificates::without_cluster("root").expect("written");
    let front =
        Front::start(Some(&cluster.endpoints()[0]), Speaks::with(&certificates.server).config()).await;
    for (min, max, spoken) in [
        (Tls12, Tls13, ProtocolVersion::TLSv1_3),
        (Tls12, Tls12, ProtocolVersion::TLSv1_2),
        (Tls13, Tls13, ProtocolVersion::TLSv1_3),
    ] {
        let tls = trusting(&certificates).min_version(min).max_version(max);
        let client = client([front.endpoint()], tls);
        client.put("k", "v").await.expect("put");
        assert_eq!(front.shown().last().expect("a handshake").version, spoken, "{min} to {max}");
    }
}

#[tokio::test]
async fn no_common_tls_version_is_explained() {
    let certificates = Certificates::without_cluster("root").expect("written");
    for (ours, theirs) in [(Tls12, [&TLS13]), (Tls13, [&TLS12])] {
        let config = Speaks { versions: &theirs, ..Speaks::with(&certificates.server) }.config();
        let front = Front::start(None, config).await;
        let tls = trusting(&certificates).min_version(ours).max_version(ours);
        let why = trouble(&client([front.endpoint()], tls)).await;
        assert!(why.contains("Tls::min_version"), "{ours}: {why}");
    }
}
