//! Behind HAProxy and nginx with the settings that `docs/proxies.md` recommends, and with those that it warns of. Ignored: both
//! have to be installed.
#![allow(clippy::print_stdout, reason = "the figures are what these tests are read for")]

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use etcd_client_core::Outcome;
use etcd_testkit::Cluster;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    servers::{PATIENCE, client, eventually},
    watch::rig::{events, short},
};

const TTL: Duration = Duration::from_secs(8);

/// Longer than a stream of watches may be silent before it is asked for a sign of life.
const IDLE: Duration = Duration::from_secs(12);

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only where it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn haproxy(mode: &str, proto: &str, port: u16, servers: &[String]) -> String {
    let servers: Vec<String> =
        servers.iter().enumerate().map(|(n, address)| format!("  server m{n} {address} {proto}\n")).collect();
    format!(
        "defaults\n  mode {mode}\n  timeout connect 2s\n  timeout client 1h\n  timeout server 1h\n  timeout tunnel 1h\n\
         frontend clients\n  bind 127.0.0.1:{port} {proto}\n  default_backend members\n\
         backend members\n  balance roundrobin\n  option redispatch\n  \
         default-server check inter 1s fall 2 rise 1 on-marked-down shutdown-sessions\n{}",
        servers.concat()
    )
}

fn nginx(block: &str, server: &str, port: u16, servers: &[String], dir: &Path) -> String {
    let servers: String = servers.iter().map(|address| format!("server {address};")).collect();
    let dir = dir.display();
    format!(
        "daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;\n\
         include /etc/nginx/modules-enabled/*.conf;\nevents {{ worker_connections 4096; }}\n\
         {block} {{ upstream members {{ {servers} {keepalive} }} server {{ listen 127.0.0.1:{port} {server} }} }}\n",
        keepalive = if block == "http" { "keepalive 64;" } else { "" },
    )
}

const STREAM: &str = ";
    proxy_pass members; proxy_connect_timeout 2s; proxy_timeout 1h; proxy_socket_keepalive on;";

const GRPC: &str = "http2;
    access_log off; http2_max_concurrent_streams 4096; keepalive_requests 1000000; keepalive_timeout 1h;
    client_max_body_size 0; client_body_timeout 1h;
    location / { grpc_pass grpc://members; grpc_connect_timeout 2s; grpc_read_timeout 1h; grpc_send_timeout 1h; }";

/// A program before members, until this is dropped.
struct Foreign {
    port: u16,
    _running: Running,
    _dir: tempfile::TempDir,
}

impl Foreign {
    async fn start(kind: &str, endpoints: &[String]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
        let dir = tempfile::tempdir().expect("a directory");
        let servers: Vec<String> =
            endpoints.iter().map(|endpoint| endpoint.trim_start_matches("http://").to_owned()).collect();
        let (program, flag, text) = match kind {
            "haproxy tcp" => ("haproxy", "-f", haproxy("tcp", "", port, &servers)),
            "haproxy h2" => ("haproxy", "-f", haproxy("http", "proto h2", port, &servers)),
            "haproxy 2 s" => ("haproxy", "-f", haproxy("tcp", "", port, &servers).replace("1h", "2s")),
            "nginx stream" => ("nginx", "-c", nginx("stream", STREAM, port, &servers, dir.path())),
            "nginx 100 calls" => {
                let limited = GRPC.replace("keepalive_requests 1000000", "keepalive_requests 100");
                ("nginx", "-c", nginx("http", &limited, port, &servers, dir.path()))
            }
            _ => ("nginx", "-c", nginx("http", GRPC, port, &servers, dir.path())),
        };
        let file = dir.path().join("configuration");
        std::fs::write(&file, text).expect("written");
        let running = Command::new(program).arg(flag).arg(&file).stdin(Stdio::null()).spawn();
        let running = Running(running.expect("it is installed"));
        eventually("it listens", async || TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
        Self { port, _running: running, _dir: dir }
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

async fn serves(kind: &str) {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let endpoints = cluster.endpoints();
    let foreign = Foreign::start(kind, &endpoints).await;

    let behind = client([foreign.endpoint()]);
    let large = "x".repeat(1_400_000);
    behind.put("large", large).await.unwrap_or_else(|error| panic!("{kind}: {}", error.report()));
    let id = behind.lease().grant(TTL).await.expect("grant").id;
    behind.lease().keep_alive_once(id).await.unwrap_or_else(|error| panic!("{kind}: {}", error.report()));
    let kept = behind.lease().keep_alive(id).await.expect("kept");
    let mut watch = behind.watch("k").await.expect("watch");
    sleep(IDLE).await;
    assert_eq!(watch.counters().resumed, 0, "{kind}: the idle watch stayed");
    behind.put("k", "idle").await.unwrap_or_else(|error| panic!("{kind}: {}", error.report()));
    assert_eq!(events(&mut watch, 1).await.len(), 1);
    cluster.member(0).kill().expect("it ran");
    let direct = client(&endpoints[1..]);
    eventually("the others have a leader", async || direct.put("k", "killed").await.is_ok()).await;
    let value = timeout(PATIENCE, async {
        loop {
            let seen = events(&mut watch, 1).await;
            if short(&seen[0]).1 == "killed" {
                return;
            }
        }
    });
    value.await.unwrap_or_else(|_| panic!("{kind}: the watch does not go on"));
    eventually("calls go on", async || behind.get("k").await.is_ok()).await;
    sleep(TTL * 2).await;
    assert!(!kept.is_lost(), "{kind}: {:?}", kept.state());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy"]
async fn haproxy_tcp() {
    serves("haproxy tcp").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs HAProxy"]
async fn haproxy_h2() {
    serves("haproxy h2").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx with its stream module"]
async fn nginx_stream() {
    serves("nginx stream").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx"]
async fn nginx_grpc_pass() {
    serves("nginx grpc_pass").await;
}

/// What tasks that call one after the other got.
#[derive(Debug)]
struct Rate {
    per_second: f64,
    p99: Duration,
    failed: usize,
}

async fn gets(endpoint: &str, tasks: usize, span: Duration) -> Rate {
    let client = client([endpoint]);
    client.ready().await.expect("ready");
    let end = Instant::now() + span;
    let mut calling = JoinSet::new();
    for _ in 0..tasks {
        let client = client.clone();
        calling.spawn(async move {
            let (mut took, mut failed) = (Vec::new(), 0);
            while Instant::now() < end {
                let started = Instant::now();
                match client.get("k").await {
                    Ok(_) => took.push(started.elapsed()),
                    Err(error) => {
                        println!("{}", error.report());
                        failed += 1;
                    }
                }
            }
            (took, failed)
        });
    }
    let (mut all, mut failed) = (Vec::new(), 0);
    for (took, failures) in calling.join_all().await {
        all.extend(took);
        failed += failures;
    }
    client.close().await;
    all.sort();
    let p99 = *all.get(all.len().saturating_sub(1) * 99 / 100).expect("some were answered");
    Rate { per_second: all.len() as f64 / span.as_secs_f64(), p99, failed }
}

/// nginx ends each connection with a graceful GOAWAY after 100 calls.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nginx, and measures"]
async fn nginx_that_ends_connections_after_100_calls() {
    const SPAN: Duration = Duration::from_secs(4);
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let endless = Foreign::start("nginx grpc_pass", &cluster.endpoints()).await;
    let limited = Foreign::start("nginx 100 calls", &cluster.endpoints()).await;
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let without = gets(&endless.endpoint(), 32, SPAN).await;
        let with = gets(&limited.endpoint(), 32, SPAN).await;
        println!("32 tasks: without {without:?}, with {with:?}");
        assert!(with.p99 < Duration::from_millis(500) && with.failed == 0, "{with:?}");
        ratios.push(with.per_second / without.per_second);
    }
    ratios.sort_by(f64::total_cmp);
    println!("ratios of throughput: {ratios:?}");
    assert!(ratios[2] >= 0.7, "{ratios:?}");
    let many = gets(&limited.endpoint(), 500, SPAN).await;
    println!("500 tasks: {many:?}");
    assert_eq!(many.failed, 0);
}

/// As `unsent::idle_cut`, with the timeouts of HAProxy itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs HAProxy"]
async fn puts_around_the_cut_of_haproxy_are_hardly_ever_unknown() {
    const AROUND: i64 = 30;
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let haproxy = Foreign::start("haproxy 2 s", &cluster.endpoints()).await;
    let mut unknown = 0;
    for round in 0..6 {
        let mut puts = JoinSet::new();
        for n in -AROUND..AROUND {
            let client = client([haproxy.endpoint()]);
            puts.spawn(async move {
                client.put(format!("{round}/{n}"), "v").await.expect("the first put");
                sleep(Duration::from_millis(u64::try_from(2_000 + n).expect("positive"))).await;
                client.put(format!("{round}/{n}"), "w").await.map(drop)
            });
        }
        for error in puts.join_all().await.into_iter().filter_map(Result::err) {
            assert_eq!(error.outcome(), Outcome::Unknown, "{}", error.report());
            unknown += 1;
        }
    }
    println!("HAProxy with timeouts of 2 s: {unknown} of 360 puts unknown");
    assert!(unknown <= 1, "{unknown} of 360 puts are unknown");
}
