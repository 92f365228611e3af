//! A gRPC proxy and a gateway before a cluster: etcdctl works through them, and nothing of them is left behind.

use std::{fs, path::Path, process::Command, time::Duration};

use etcd_testkit::{Cluster, Front};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(15);

fn puts(cluster: &Cluster, front: &Front) -> bool {
    let endpoint = format!("--endpoints={}", front.endpoint());
    let args = [&endpoint, "--command-timeout=5s", "--dial-timeout=5s", "put", "k", "v"];
    Command::new(&cluster.binaries().etcdctl).args(args).output().unwrap().status.success()
}

/// Returns `true` if the process still uses the directory of its cluster. Its number may belong to another process.
fn is_alive(pid: u32, dir: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(dir))
}

async fn ends(pid: u32, dir: &Path) {
    let gone = async {
        while is_alive(pid, dir) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(PATIENCE, gone).await.is_ok(), "{pid} still runs");
}

#[tokio::test]
async fn fronts_serve_restart_and_end() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let dir = cluster.dir().to_owned();
    let (proxy, gateway) = (cluster.grpc_proxy().await.unwrap(), cluster.gateway().await.unwrap());
    let dropped = cluster.gateway().await.unwrap();
    for front in [&proxy, &gateway, &dropped] {
        assert!(puts(&cluster, front), "{}", front.log_text());
        let (before, endpoint) = (front.pid(), front.endpoint());
        front.restart().await.unwrap();
        assert!(front.pid() != before && front.endpoint() == endpoint);
        assert!(puts(&cluster, front), "{}", front.log_text());
    }
    let pid = dropped.pid().unwrap();
    assert!(is_alive(pid, &dir));
    drop(dropped);
    ends(pid, &dir).await;
    let pids = [proxy.pid().unwrap(), gateway.pid().unwrap()];
    cluster.stop().await.unwrap();
    assert!(pids.iter().all(|pid| !is_alive(*pid, &dir)), "the cluster takes them with it");
}
