//! TLS and auth are on, and on means that going without is refused.

use std::process::Command;

use etcd_testkit::Cluster;

const PLAIN: [&str; 4] = ["--command-timeout=1s", "--dial-timeout=1s", "get", "k"];

#[tokio::test]
async fn tls_serves_and_plain_text_is_rejected() {
    let Some(cluster) = Cluster::builder().tls().start_or_skip().await else { return };
    assert!(cluster.endpoints()[0].starts_with("https://"));
    cluster.etcdctl(["put", "k", "v"]).await.unwrap();
    cluster.certificates().unwrap().renew_server().unwrap();
    cluster.etcdctl(["get", "k"]).await.unwrap();
    let plain = cluster.endpoints()[0].replace("https", "http");
    let refused =
        Command::new(&cluster.binaries().etcdctl).arg(format!("--endpoints={plain}")).args(PLAIN).output();
    assert!(!refused.unwrap().status.success());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn mutual_tls_wants_a_certificate_of_the_authority() {
    let Some(cluster) = Cluster::builder().mutual_tls("app").members(3).start_or_skip().await else { return };
    cluster.etcdctl(["put", "k", "v"]).await.unwrap();
    let other = cluster.certificates().unwrap().issue_client("other").unwrap();
    let with = |cert: &std::path::Path, key: &std::path::Path| {
        [format!("--cert={}", cert.display()), format!("--key={}", key.display()), "get".into(), "k".into()]
    };
    cluster.etcdctl(with(&other.cert, &other.key)).await.unwrap();
    let stranger = rcgen_stranger(cluster.dir());
    assert!(cluster.etcdctl(with(&stranger.0, &stranger.1)).await.is_err());
    cluster.stop().await.unwrap();
}

fn rcgen_stranger(dir: &std::path::Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let made = rcgen::generate_simple_self_signed(["stranger".to_owned()]).unwrap();
    let (cert, key) = (dir.join("stranger.pem"), dir.join("stranger.key"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (cert, key)
}

#[tokio::test]
async fn auth_refuses_whoever_shows_no_password() {
    for builder in [Cluster::builder().auth("secret"), Cluster::builder().auth("secret").jwt()] {
        let Some(cluster) = builder.start_or_skip().await else { return };
        cluster.etcdctl(["put", "k", "v"]).await.unwrap();
        let refused = cluster.etcdctl(["--user=root:wrong", "get", "k"]).await.unwrap_err().to_string();
        assert!(refused.contains("authentication failed"), "{refused}");
        cluster.member(0).restart().await.unwrap();
        cluster.etcdctl(["get", "k"]).await.unwrap();
        cluster.stop().await.unwrap();
    }
}
