//! Real members with TLS: what they take, and what they refuse.

use etcd_client_core::{Code, Tls, types::Endpoint};
use etcd_testkit::Cluster;
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};

use super::{client, mutual, trouble, trusting};

/// A put that is read back.
async fn works(endpoints: &[String], tls: Tls) {
    let client = client(endpoints, tls);
    client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(client.get("k").await.expect("get").kvs[0].value, "v");
    client.close().await;
}

#[tokio::test]
async fn with_and_without_a_scheme() {
    let Some(cluster) = Cluster::builder().tls().start_or_skip().await else { return };
    let certificates = cluster.certificates().expect("TLS");
    works(&cluster.endpoints(), trusting(certificates)).await;
    let bare = cluster.endpoints()[0].trim_start_matches("https://").to_owned();
    works(&[bare], trusting(certificates)).await;
    let ca = std::fs::read(&certificates.ca).expect("the file exists");
    works(&cluster.endpoints(), Tls::new().ca_pem(ca)).await;
    works(&cluster.endpoints(), Tls::new().danger_accept_invalid_certs(true)).await;
}

#[tokio::test]
async fn mutual_tls_from_files_and_from_memory() {
    let Some(cluster) = Cluster::builder().mutual_tls("root").start_or_skip().await else { return };
    let certificates = cluster.certificates().expect("TLS");
    works(&cluster.endpoints(), mutual(certificates)).await;
    let read = |path| std::fs::read(path).expect("the file exists");
    let (cert, key) = (read(&certificates.client.cert), read(&certificates.client.key));
    works(&cluster.endpoints(), trusting(certificates).identity_pem(cert.clone(), key.clone())).await;
    works(&cluster.endpoints(), trusting(certificates).identity_pem(cert, sec1(&key))).await;
}

/// The same key as openssl's `ecparam -genkey` writes it: a PKCS #8 key of P-256 ends with it.
fn sec1(pkcs8: &[u8]) -> String {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pkcs8).expect("PKCS #8");
    let der = der.secret_pkcs8_der();
    let start = der.windows(4).position(|bytes| bytes == [0x02, 0x01, 0x01, 0x04]).expect("version 1") - 2;
    let text = base64(&der[start..]);
    format!("-----BEGIN EC PRIVATE KEY-----\n{text}\n-----END EC PRIVATE KEY-----\n")
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0, |group, i| group << 8 | u32::from(chunk.get(i).copied().unwrap_or(0)));
        for digit in 0..4 {
            let value = (group >> (18 - 6 * digit) & 63) as usize;
            text.push(if digit <= chunk.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    text
}

#[tokio::test]
async fn a_unix_socket_shows_a_certificate_for_localhost() {
    let Some(cluster) = Cluster::builder().tls().unix_socket().start_or_skip().await else { return };
    let certificates = cluster.certificates().expect("TLS");
    let endpoint: Endpoint = cluster.endpoints()[0].parse().expect("an endpoint");
    assert!(endpoint.as_str().starts_with("unixs:"), "{endpoint}");
    works(&cluster.endpoints(), trusting(certificates)).await;
    let other = client(cluster.endpoints(), trusting(certificates).server_name("other.example"));
    let why = trouble(&other).await;
    assert!(why.contains("localhost") && why.contains("other.example"), "{why}");
}

#[tokio::test]
async fn client_without_identity_sends_no_certificate() {
    let Some(cluster) = Cluster::builder().mutual_tls("root").start_or_skip().await else { return };
    let certificates = cluster.certificates().expect("TLS");
    let why = trouble(&client(cluster.endpoints(), trusting(certificates))).await;
    assert!(why.contains("client certificate") && why.contains("identity_pem_files"), "{why}");
    assert!(!why.contains("requires TLS"), "{why}");
}

#[tokio::test]
async fn member_without_the_clients_authority_rejects_it() {
    let Some(cluster) = Cluster::builder().mutual_tls("root").start_or_skip().await else { return };
    let certificates = cluster.certificates().expect("TLS");
    let stranger = etcd_testkit::Certificates::without_cluster("root").expect("written");
    let tls = Tls::from_pem_files(&certificates.ca, &stranger.client.cert, &stranger.client.key);
    let why = trouble(&client(cluster.endpoints(), tls)).await;
    assert!(why.contains("client's certificate"), "{why}");
}

#[tokio::test]
async fn plain_and_tls_ports_confused_are_explained() {
    let Some(plain) = Cluster::builder().start_or_skip().await else { return };
    let Some(secure) = Cluster::builder().tls().start_or_skip().await else { return };
    let tls = trusting(secure.certificates().expect("TLS"));
    let https = plain.endpoints()[0].replace("http://", "https://");
    let why = trouble(&client([https], tls)).await;
    assert!(why.contains("http://"), "{why}");
    let http = secure.endpoints()[0].replace("https://", "http://");
    let why = trouble(&crate::servers::client([http])).await;
    assert!(why.contains("requires TLS (https://)"), "{why}");
}

#[tokio::test]
async fn the_common_name_of_the_certificate_is_the_user() {
    let cluster = Cluster::builder().mutual_tls("root").auth("secret");
    let Some(cluster) = cluster.start_or_skip().await else { return };
    let certificates = cluster.certificates().expect("TLS");
    works(&cluster.endpoints(), mutual(certificates)).await;
    cluster.etcdctl(["user", "add", "guest:x"]).await.expect("added");
    let guest = certificates.issue_client("guest").expect("written");
    let tls = Tls::from_pem_files(&certificates.ca, &guest.cert, &guest.key);
    let error = client(cluster.endpoints(), tls).put("k", "v").await.expect_err("guest may not");
    assert_eq!(error.code(), Some(Code::PermissionDenied), "{}", error.report());
}
