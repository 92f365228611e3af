//! A TCP load balancer that closes connections which were idle for 2 s, and puts around that moment.
#![allow(clippy::print_stdout, reason = "the figures are what this test is read for")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    thread,
    time::Duration,
};

use etcd_client_core::Outcome;
use etcd_testkit::Cluster;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::rounds;
use crate::servers::client;

/// After this much idleness the balancer closes a connection.
const IDLE: Duration = Duration::from_secs(2);

/// Puts are sent from so much before the cut to as much after it.
const AROUND: Duration = Duration::from_millis(30);

/// The puts of one round, of a client each.
const PUTS: usize = 18;

/// A balancer on a thread of its own; it ends with the sender.
fn balancer(upstream: String) -> (SocketAddr, oneshot::Sender<()>) {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.set_nonblocking(true).expect("prepared");
    let address = listener.local_addr().expect("an address");
    let (owner, ended) = oneshot::channel::<()>();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            let serve = async {
                while let Ok((inner, _)) = listener.accept().await {
                    let upstream = upstream.clone();
                    tokio::spawn(async move {
                        let Ok(outer) = TcpStream::connect(upstream).await else { return };
                        balance(inner, outer).await;
                    });
                }
            };
            tokio::select! {
                () = serve => {}
                _ = ended => {}
            }
        });
    });
    (address, owner)
}

/// Carries bytes both ways until one side ends, or nothing has come for a while.
async fn balance(mut client: TcpStream, mut server: TcpStream) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, mut from_server) = (vec![0; 16 << 10], vec![0; 16 << 10]);
    loop {
        let carried = timeout(IDLE, async {
            tokio::select! {
                read = client.read(&mut from_client) => match read {
                    Ok(read @ 1..) => server.write_all(&from_client[..read]).await.is_ok(),
                    _ => false,
                },
                read = server.read(&mut from_server) => match read {
                    Ok(read @ 1..) => client.write_all(&from_server[..read]).await.is_ok(),
                    _ => false,
                },
            }
        });
        if carried.await != Ok(true) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn puts_around_the_cut_of_a_balancer_are_hardly_ever_unknown() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let upstream = cluster.member(0).tcp_endpoint().trim_start_matches("http://").to_owned();
    let (address, _balancer) = balancer(upstream);
    let (mut unknown, mut all) = (0, 0);
    for round in 0..rounds(2) {
        let mut puts = JoinSet::new();
        for n in 0..PUTS {
            let client = client([format!("http://{address}")]);
            puts.spawn(async move {
                client.put(format!("{round}/{n}"), "v").await.expect("the first put");
                sleep(IDLE - AROUND + 2 * AROUND * n as u32 / PUTS as u32).await;
                client.put(format!("{round}/{n}"), "w").await.map(drop)
            });
        }
        while let Some(put) = puts.join_next().await {
            all += 1;
            if let Err(error) = put.expect("no panic") {
                assert_eq!(error.outcome(), Outcome::Unknown, "{}", error.report());
                unknown += 1;
            }
        }
    }
    println!("idle cut: {unknown} of {all} puts unknown");
    assert!(unknown <= 1 + all / 360, "{unknown} of {all} puts are unknown");
}
