//! Blocking calls in threads, beside a runtime, and in async code.

use std::{thread, time::Duration};

use etcd_client_core::{
    Client, Compare, Error, ErrorKind, Outcome, Put,
    blocking::{Wait, WaitEach},
};

use crate::servers::{PATIENCE, shared};

fn client() -> Option<Client> {
    let cluster = shared()?;
    Some(Client::builder(cluster.endpoints()).timeout(PATIENCE).build_blocking().expect("valid"))
}

#[test]
fn every_part_works_without_a_runtime() -> Result<(), Error> {
    let Some(client) = client() else { return Ok(()) };
    client.put("blocking/k", "a").wait()?;
    assert_eq!(client.get("blocking/k").wait()?.kvs[0].value, "a");
    let txn = client.txn().when(Compare::value("blocking/k").equal("a")).then(Put::new("blocking/k", "b"));
    let swapped = txn.wait()?;
    assert!(swapped.succeeded());
    client.update("blocking/k", |_| "c").wait()?;

    let lease = client.lease().grant(Duration::from_secs(60)).keep_alive().wait()?;
    client.put("blocking/leased", "v").lease(lease.id()).wait()?;
    lease.revoke().wait()?;
    assert_eq!(client.get("blocking/leased").wait()?.count, 0);

    let watch = client.watch("blocking/k").start_revision(swapped.header.revision).wait()?;
    let values: Result<Vec<_>, Error> =
        watch.events().wait_each().take(2).map(|event| Ok(event?.kv.value)).collect();
    assert_eq!(values?, ["b", "c"]);
    assert_eq!(client.delete("blocking/k").wait()?.deleted, 1);
    async {
        client.close().await;
        Ok::<_, Error>(())
    }
    .wait()
}

#[test]
fn threads_share_a_client() {
    let Some(client) = client() else { return };
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let client = client.clone();
            thread::spawn(move || {
                for _ in 0..20 {
                    client.put(format!("blocking/threads/{number}"), "v").wait().expect("put");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    let found = client.get("blocking/threads/").prefix().wait().expect("get");
    assert!(found.kvs.iter().all(|kv| kv.version == 20));
    assert_eq!(found.count, 8);
}

#[test]
fn closed_client_ends_an_iterator() {
    let Some(client) = client() else { return };
    let events = client.watch("blocking/closed").wait().expect("a watch").events();
    let reading = thread::spawn(move || events.wait_each().last());
    async {
        client.close().await;
        Ok::<_, Error>(())
    }
    .wait()
    .expect("closed");
    let last = reading.join().expect("no panic");
    assert!(last.is_none_or(|event| event.is_err()));
}

fn assert_rejected<T: std::fmt::Debug>(result: Result<T, Error>) {
    let error = result.expect_err("it would block the runtime");
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidRequest, Outcome::NotApplied));
    assert!(error.to_string().contains("tokio::task::spawn_blocking"), "{error}");
}

async fn rejects(client: &Client) {
    assert_rejected(client.put("blocking/async", "v").wait());
    let mut events = client.watch("blocking/async").await.expect("a watch").events().wait_each();
    assert_rejected(events.next().expect("an error"));
    assert!(events.next().is_none());
    assert_eq!(client.get("blocking/async").await.expect("the client works").count, 0);
}

#[tokio::test]
async fn calls_from_async_code_fail_on_one_thread() {
    let Some(client) = client() else { return };
    rejects(&client).await;
    tokio::spawn(async move { rejects(&client).await }).await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_from_async_code_fail_on_many_threads() {
    let Some(client) = client() else { return };
    rejects(&client).await;
    tokio::task::block_in_place(|| client.put("blocking/in-place", "v").wait()).expect("allowed");
    tokio::spawn(async move { rejects(&client).await }).await.expect("no panic");
}

#[tokio::test]
async fn calls_in_spawn_blocking_work() {
    let Some(client) = client() else { return };
    let put = tokio::task::spawn_blocking(move || client.put("blocking/spawned", "v").wait());
    put.await.expect("no panic").expect("put");
}

#[tokio::test]
async fn client_of_a_runtime_can_be_used_from_a_thread() {
    let Some(cluster) = shared() else { return };
    let client = crate::servers::client(cluster.endpoints());
    let put = tokio::task::spawn_blocking(move || client.put("blocking/other", "v").wait());
    put.await.expect("no panic").expect("put");
}
