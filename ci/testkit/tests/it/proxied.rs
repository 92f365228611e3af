//! A proxy before each member: etcdctl works through it, and is cut off by it alone.

use std::process::Command;

use etcd_testkit::{Accept, Cluster, Direction, Fault, Proxy};

fn gets(cluster: &Cluster, through: &Proxy) -> bool {
    let endpoint = format!("--endpoints={}", through.endpoint());
    let args = [&endpoint, "--command-timeout=1s", "--dial-timeout=1s", "get", "k"];
    let output = Command::new(&cluster.binaries().etcdctl).args(args).output().unwrap();
    output.status.success()
}

#[tokio::test]
async fn clients_reach_members_through_proxies() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let proxied = cluster.proxied().unwrap();
    assert_eq!(proxied.endpoints().len(), 3);
    assert!(gets(&cluster, proxied.proxy(0)));
    assert!(proxied.proxy(0).counts().traffic.to_client.written > 0);
    assert_eq!(proxied.proxy(1).counts().connects, 0);
    proxied.proxy(1).fault(Direction::ToClient, Fault::Blackhole);
    proxied.proxy(2).accept(Accept::Refuse).await;
    assert!(!gets(&cluster, proxied.proxy(1)));
    assert!(!gets(&cluster, proxied.proxy(2)));
    cluster.etcdctl(["put", "k", "v"]).await.unwrap();
    for proxy in proxied.proxies() {
        proxy.heal().await;
        assert!(gets(&cluster, proxy));
    }
    cluster.stop().await.unwrap();
}
