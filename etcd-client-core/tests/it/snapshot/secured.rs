//! Snapshots over TLS with users: who may have one, also from a member that is none of the client's.

use etcd_client_core::{Client, Code, Tls};
use etcd_testkit::Cluster;

use super::{all, directory::Directory};

const PASSWORD: &str = "secret";

fn client(cluster: &Cluster, user: &str, password: &str) -> Client {
    let tls = Tls::new().ca_pem_file(&cluster.certificates().expect("it has TLS").ca);
    let builder = Client::builder([cluster.member(0).endpoint()]).tls(tls);
    builder.password(user, password).build().expect("valid")
}

#[tokio::test]
async fn only_root_gets_a_snapshot() {
    let builder = Cluster::builder().members(3).tls().auth(PASSWORD);
    let Some(cluster) = builder.start_or_skip().await else { return };
    cluster.etcdctl(["user", "add", "app:app"]).await.expect("added");
    let directory = Directory::new();

    let root = client(&cluster, "root", PASSWORD);
    root.snapshot().save_to(directory.join("any.db")).await.unwrap_or_else(|e| panic!("{}", e.report()));
    for member in cluster.members() {
        let opened = root.snapshot().member(member.endpoint()).await;
        let stream = opened.unwrap_or_else(|error| panic!("{}", error.report()));
        assert_eq!(all(stream).await.len() % 512, 32, "{}", member.name());
    }

    for (user, password, code) in
        [("app", "app", Code::PermissionDenied), ("root", "a guess", Code::AuthFailed)]
    {
        let client = client(&cluster, user, password);
        for member in [cluster.member(0), cluster.member(1)] {
            let error = client.snapshot().member(member.endpoint()).await.expect_err(user);
            assert_eq!(error.code(), Some(code), "{}", error.report());
        }
        let error = client.snapshot().save_to(directory.join("no.db")).await.expect_err(user);
        assert_eq!(error.code(), Some(code), "{}", error.report());
    }
    assert_eq!(directory.names(), ["any.db"]);
}
