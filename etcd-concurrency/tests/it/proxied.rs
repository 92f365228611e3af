//! Recipes behind etcd's gRPC proxy, which answers some requests itself and ends every stream when it restarts.

use etcd_client_core::{Cache, Client, types::KeyRange};
use etcd_concurrency::{Election, Mutex, election::Observer};

use crate::rig::{cluster, count, eventually, in_time, session};

async fn seen(observer: &mut Observer) -> String {
    let leader = in_time("the next leader", observer.next()).await.expect("more").expect("no error");
    String::from_utf8_lossy(leader.value().expect("a leader")).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn recipes_watches_and_cache_survive_a_proxy_restart() {
    let Some(cluster) = cluster(1).await else { return };
    let proxy = cluster.grpc_proxy().await.expect("a proxy");
    let client = Client::builder([proxy.endpoint()]).build().expect("valid");
    let direct = crate::rig::client(&cluster);

    let leading = session(&client).await;
    let leadership = Election::new(&leading, "office").campaign("first").await.expect("free");
    let mut observers: Vec<Observer> = (0..4).map(|_| Observer::new(&client, "office")).collect();
    for observer in &mut observers {
        assert_eq!(seen(observer).await, "first");
    }
    let holding = session(&client).await;
    let held = Mutex::new(&holding, "lock").lock().await.expect("free");
    let mut waiters = Vec::new();
    for number in 2..=5 {
        let waiting = session(&client).await;
        waiters.push(tokio::spawn(async move {
            let guard = Mutex::new(&waiting, "lock").lock().await?;
            guard.unlock().await
        }));
        eventually("it queues", async || count(&direct, "lock/").await == number).await;
    }
    let mut watches = Vec::new();
    for _ in 0..5 {
        watches.push(client.watch("k").await.expect("watch"));
    }
    let cache = Cache::builder(&client, KeyRange::prefix("k")).start().expect("a runtime");
    in_time("the cache", cache.ready()).await.expect("a cache");

    proxy.restart().await.expect("back");
    direct.put("k", "after").await.expect("put");
    leadership.proclaim("second").await.expect("leads");
    held.unlock().await.expect("held");
    for (n, observer) in observers.iter_mut().enumerate() {
        assert_eq!(seen(observer).await, "second", "observer {n}");
    }
    for (n, waiter) in waiters.into_iter().enumerate() {
        let turn = in_time("its turn", waiter).await.expect("no panic");
        turn.unwrap_or_else(|error| panic!("waiter {n}: {error}"));
    }
    for (n, watch) in watches.iter_mut().enumerate() {
        let next = in_time("an event", watch.next()).await.expect("more");
        let events = next.unwrap_or_else(|error| panic!("watch {n}: {}", error.report())).events;
        assert_eq!((events.len(), &events[0].kv.value), (1, &"after".into()), "watch {n}");
    }
    eventually("the cache has it", async || {
        cache.get("k").expect("of its range").is_some_and(|kv| kv.value == "after")
    })
    .await;
}

/// An existing lease: its first renewal is one message each way, and the proxy requires its sending half to stay open.
#[tokio::test(flavor = "multi_thread")]
async fn session_takes_over_a_lease() {
    let Some(cluster) = cluster(1).await else { return };
    let proxy = cluster.grpc_proxy().await.expect("a proxy");
    let client = Client::builder([proxy.endpoint()]).build().expect("valid");
    let granted = client.lease().grant(crate::rig::TTL).await.expect("grant");
    let session = etcd_concurrency::Session::builder(&client).lease(granted.id).await;
    let session = session.unwrap_or_else(|error| panic!("{error}"));
    let guard = Mutex::new(&session, "lock").lock().await.expect("free");
    guard.unlock().await.expect("held");
}
