//! Many contenders on a real cluster, some of them `etcdctl`: waiting sends no requests, even after early departures and dead members.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_concurrency::{Error, Mutex, Session};
use etcd_testkit::{Cluster, Member};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

use crate::rig::{PATIENCE, client, cluster, count, eventually, in_time};

const LOCKERS: usize = 200;
const ETCDCTLS: usize = 6;
/// Longer than the test: a member that is down must not affect the waiters.
const TTL: Duration = Duration::from_secs(120);
const WINDOW: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_waiters_send_no_requests() {
    let Some(cluster) = cluster(3).await else { return };
    let clients = [client(&cluster), client(&cluster), client(&cluster), client(&cluster)];
    let first = Session::builder(&clients[0]).ttl(TTL).await.expect("a session");
    let held = Mutex::new(&first, "lock").lock().await.expect("free");
    let mut others: Vec<Child> = (0..ETCDCTLS).map(|_| etcdctl_lock(&cluster)).collect();
    let turns = Arc::new(AtomicUsize::new(0));
    let mut lockers = Vec::new();
    for number in 0..LOCKERS {
        let (client, turns) = (clients[number % clients.len()].clone(), Arc::clone(&turns));
        lockers.push(tokio::spawn(async move {
            let session = Session::builder(&client).ttl(TTL).await.expect("a session");
            let guard = Mutex::new(&session, "lock").lock().await?;
            let turn = turns.fetch_add(1, Ordering::SeqCst);
            let fence = guard.fence();
            drop(guard);
            Ok::<_, Error>((turn, fence))
        }));
    }
    let all = (1 + LOCKERS + ETCDCTLS) as u64;
    eventually("all have queued", async || count(&clients[0], "lock/").await == all).await;

    // Three of ten give up, and the waiters behind them find another predecessor.
    let mut stayed = Vec::new();
    for (number, locker) in lockers.into_iter().enumerate() {
        if number % 10 < 3 { locker.abort() } else { stayed.push(locker) }
    }
    let left = all - (LOCKERS * 3 / 10) as u64;
    eventually("they are gone", async || count(&clients[0], "lock/").await == left).await;
    settled(&cluster).await;

    // A member dies: watches move to another one, and again no request is sent.
    cluster.member(1).kill().expect("killed");
    cluster.member(1).wait_exit().await.expect("dead");
    cluster.member(1).restart().await.expect("back");
    cluster.wait_healthy(PATIENCE).await.expect("healthy");
    settled(&cluster).await;
    assert_eq!(turns.load(Ordering::SeqCst), 0);

    held.unlock().await.expect("held");
    let mut order = Vec::new();
    for locker in stayed {
        order.push(in_time("all turns", locker).await.expect("no panic").expect("its turn"));
    }
    order.sort();
    assert!(order.is_sorted_by_key(|(_, fence)| *fence), "turns come in the order of arrival: {order:?}");
    for other in &mut others {
        assert!(in_time("etcdctl", other.wait()).await.expect("it ends").success());
    }
    eventually("nothing is left", async || count(&clients[0], "lock/").await == 0).await;
}

/// A command of etcdctl that acquires and immediately releases the lock.
fn etcdctl_lock(cluster: &Cluster) -> Child {
    let mut command = Command::new(&cluster.binaries().etcdctl);
    command.arg(format!("--endpoints={}", cluster.endpoints().join(",")));
    command.args(["lock", "--ttl=120", "lock", "--", "true"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn().expect("etcdctl starts")
}

/// Waits for a window in which no member receives a request about keys.
async fn settled(cluster: &Cluster) {
    eventually("no requests", async || {
        let before = questions(cluster).await;
        sleep(WINDOW).await;
        before == questions(cluster).await
    })
    .await;
}

/// Returns the number of calls to the KV service that the members received.
pub(crate) async fn questions(cluster: &Cluster) -> Vec<u64> {
    let mut all = Vec::new();
    for member in cluster.members() {
        let metrics = in_time("metrics", metrics(member)).await.expect("they are served");
        let started = metrics.lines().filter(|line| {
            line.starts_with("grpc_server_started_total{")
                && line.contains("grpc_service=\"etcdserverpb.KV\"")
        });
        all.push(started.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum());
    }
    all
}

async fn metrics(member: &Member) -> std::io::Result<String> {
    let endpoint = member.metrics_endpoint();
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).await?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
