//! The examples of the testing guide, `docs/testing.md`.

use std::time::Duration;

use etcd_client_core::{Client, Code, Compare, Error, Outcome, Put};
use etcd_concurrency::{Mutex, Session};
use etcd_testing::{Fault, Method, Rule};

use crate::in_memory;

/// The code under test: adds one to a counter, exactly once.
async fn increment(client: &Client, key: &str, name: &str) -> Result<i64, Error> {
    loop {
        let found = client.get(key).await?;
        let (revision, count) = match found.kvs.first() {
            Some(kv) => {
                (kv.mod_revision.get(), kv.value_str().ok().and_then(|text| text.parse().ok()).unwrap_or(0))
            }
            None => (0, 0),
        };
        let unchanged = Compare::mod_revision(key).equal(revision);
        // The second key shows whether this transaction was applied, if its answer is lost.
        let done = format!("{key}/done/{name}");
        let txn = client.txn().when(unchanged);
        let txn = txn.then(Put::new(key, (count + 1).to_string())).then(Put::new(done.as_str(), "1"));
        match txn.await {
            Ok(response) if response.succeeded() => return Ok(count + 1),
            Ok(_) => {}
            Err(error) if error.outcome() == Outcome::Unknown => {
                if !client.get(done).await?.kvs.is_empty() {
                    return Ok(count + 1);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_does_not_count_twice() {
    for fault in [Fault::LoseAnswer, Fault::LoseRequest] {
        let (etcd, client) = in_memory().await;
        increment(&client, "counter", "a").await.expect("no fault yet");
        etcd.inject(Rule::new(Method::Txn, fault));
        increment(&client, "counter", "b").await.expect("a lost call");
        assert_eq!(etcd.key("counter").expect("a counter").value, "2");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_learns_of_a_compaction() {
    let (etcd, client) = in_memory().await;
    for value in ["1", "2", "3"] {
        client.put("config", value).await.expect("a put");
    }
    let compacted = etcd.compact();
    let mut events = client.watch("config").start_revision(2).await.expect("a watch").events();
    let error = events.next().await.expect("an answer").expect_err("the history is gone");
    assert_eq!(error.code(), Some(Code::Compacted));
    let found = client.get("config").await.expect("the present is readable");
    assert_eq!(found.kvs[0].mod_revision.get(), compacted);
}

#[tokio::test(start_paused = true)]
async fn a_registration_ends_when_its_process_hangs() {
    let (etcd, client) = in_memory().await;
    let lease = client.lease().grant(Duration::from_secs(10)).await.expect("a lease").id;
    client.put("services/a", "10.0.0.1").lease(lease).await.expect("a put");
    // The process renews its lease, and then hangs.
    tokio::time::sleep(Duration::from_secs(8)).await;
    client.lease().keep_alive_once(lease).await.expect("a renewal");
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(etcd.keys().len(), 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(etcd.keys().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lock_holder_notices_that_it_lost_its_lease() {
    let (etcd, client) = in_memory().await;
    let session = Session::builder(&client).ttl(Duration::from_secs(10)).await.expect("a session");
    let guard = Mutex::new(&session, "jobs/nightly").lock().await.expect("a free lock");
    etcd.pause();
    let began = tokio::time::Instant::now();
    guard.lost().await;
    assert!(began.elapsed() <= Duration::from_secs(10), "at the deadline of the lease, at the latest");
    etcd.resume();
    // A fenced write of the former holder has no effect.
    let stale =
        client.txn().when(guard.owned()).then(Put::new("result", "42")).await.expect("a resumed member");
    assert!(!stale.succeeded());
}
