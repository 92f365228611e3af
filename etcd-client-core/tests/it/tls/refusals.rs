//! Peers that a client must not talk to, each told apart.

use etcd_client_core::{ErrorKind, Tls};
use etcd_testkit::Certificates;

use super::{
    client,
    front::{Front, Speaks},
    never_ready, trouble, trusting,
};

fn certificates() -> Certificates {
    Certificates::without_cluster("root").expect("written")
}

#[tokio::test]
async fn certificate_for_another_name_is_rejected_with_both_names() {
    let certificates = certificates();
    let other = certificates.issue_server("other", &["etcd-7.example", "10.1.2.3"]).expect("written");
    let front = Front::start(None, Speaks::with(&other).config()).await;
    let client = client([front.endpoint()], trusting(&certificates));
    let error = never_ready(&client).await;
    let report = error.report().to_string();
    for name in ["not for 127.0.0.1:", "etcd-7.example", "10.1.2.3", "Tls::server_name"] {
        assert!(report.contains(name), "{name} is not in {report}");
    }
    assert!(front.shown().is_empty(), "a client must not go on with it");
}

#[tokio::test]
async fn an_authority_that_is_not_trusted() {
    let (ours, theirs) = (certificates(), certificates());
    let front = Front::start(None, Speaks::with(&theirs.server).config()).await;
    let why = trouble(&client([front.endpoint()], trusting(&ours))).await;
    assert!(why.contains("not signed by a trusted authority"), "{why}");
    assert!(front.shown().is_empty());
}

#[tokio::test]
async fn a_certificate_out_of_date() {
    let certificates = certificates();
    let expired = certificates.issue_expired_server("expired").expect("written");
    let front = Front::start(None, Speaks::with(&expired).config()).await;
    let why = trouble(&client([front.endpoint()], trusting(&certificates))).await;
    assert!(why.contains("expired"), "{why}");
}

#[tokio::test]
async fn a_peer_that_does_not_choose_http2() {
    let certificates = certificates();
    for alpn in [&[][..], &[b"http/1.1".as_slice()][..]] {
        let config = Speaks { alpn, ..Speaks::with(&certificates.server) }.config();
        let front = Front::start(None, config).await;
        for tls in [trusting(&certificates), Tls::new().danger_accept_invalid_certs(true)] {
            let why = trouble(&client([front.endpoint()], tls)).await;
            assert!(why.contains("not") && why.contains("HTTP/2 (ALPN h2)"), "{alpn:?}: {why}");
        }
    }
}

#[tokio::test]
async fn peer_unresponsive_after_the_handshake_is_reported() {
    let certificates = certificates();
    let front = Front::start(None, Speaks::with(&certificates.server).config()).await;
    let silent = client([front.endpoint()], trusting(&certificates));
    let error = silent.wait_ready(std::time::Duration::from_secs(7)).await.expect_err("it is no etcd");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.report().to_string().contains("no response within 5 s"), "{}", error.report());
}
