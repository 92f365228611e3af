//! The ways to a member, and its end.

use std::time::Duration;

use etcd_client_core::Client;
use etcd_testing::{Etcd, Line};

use crate::{in_memory, member};

#[cfg(unix)]
#[tokio::test]
async fn a_client_connects_to_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("etcd.sock");
    let etcd = Etcd::builder().unix_socket(&path).start().await.expect("a new socket");
    let client = Client::builder([etcd.endpoint()]).build().expect("a valid endpoint");
    client.put("k", "1").await.expect("a put");
    drop(etcd);
    while path.exists() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_dropped_member_is_gone() {
    let (etcd, client) = member().await;
    client.put("k", "1").await.expect("a put");
    let address = etcd.endpoint().strip_prefix("http://").expect("a TCP endpoint").to_owned();
    drop(etcd);
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    client.get("k").timeout(Duration::from_millis(500)).await.expect_err("no member");
}

#[tokio::test(start_paused = true)]
async fn members_do_not_share_anything() {
    let ((one, client), (other, _)) = (in_memory().await, in_memory().await);
    client.put("k", "1").await.expect("a put");
    assert_eq!((one.keys().len(), other.keys().len()), (1, 0));
}

#[tokio::test]
async fn a_member_reports_its_line() {
    for line in Line::ALL {
        let etcd = Etcd::builder().line(line).start().await.expect("a free port");
        let client = Client::builder([etcd.endpoint()]).build().expect("a valid endpoint");
        let status = client.maintenance().status(etcd.endpoint()).await.expect("a status");
        assert_eq!(status.version, line.version());
        let members = client.cluster().member_list().await.expect("a list");
        assert_eq!(members.members[0].client_urls, [etcd.endpoint()]);
    }
}
