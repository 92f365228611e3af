//! The `Debug` output of handles, as a log line shows it, and the lifetime of recipes without a client handle.

use std::{fmt::Debug, num::NonZeroUsize};

use etcd_client_core::{Client, Put};
use etcd_concurrency::{
    Barrier, DoubleBarrier, Election, EphemeralKey, Error, Mutex, PriorityQueue, Queue, RwLock, Semaphore,
    Session, Stm, Store,
    election::{Leader, Observer},
    session::{SessionEnd, Tokens},
};

use crate::rig::{client, cluster, in_time, session};

/// The maximum length of one value in a line of a log.
const MOST: usize = 1_024;

const SECRET: &str = "canary-value";

const ONE: NonZeroUsize = NonZeroUsize::MIN;

#[track_caller]
fn short(what: &str, shown: &dyn Debug) {
    for text in [format!("{shown:?}"), format!("{shown:#?}")] {
        assert!(text.len() <= MOST, "{what} takes {} bytes: {text}", text.len());
        assert!(!text.contains(SECRET), "{what} shows a value: {text}");
    }
}

/// A number of keys that a transaction can read twice: each read counts as a compare.
const KEYS: usize = 50;

async fn put_keys(client: &Client, prefix: &str) {
    for number in 0..KEYS {
        client.put(format!("{prefix}{number}"), SECRET).await.expect("put");
    }
}

#[tokio::test]
async fn debug_output_of_handles_is_short() {
    let Some(cluster) = cluster(1).await else { return };
    let endpoints = [cluster.member(0).endpoint(), "http://127.0.0.1:1", "http://127.0.0.1:2"];
    let client = Client::builder(endpoints).build().expect("valid");
    let session = session(&client).await;
    put_keys(&client, "stm/").await;
    put_keys(&client, "crowd/").await;
    let mutex = Mutex::new(&session, "debugging/mutex");
    let guard = mutex.lock().await.expect("free");
    let election = Election::new(&session, "debugging/election");
    let leadership = election.campaign(SECRET).await.expect("alone");
    let key = EphemeralKey::create(&session, "debugging/key", SECRET).await.expect("free");
    let double_barrier = DoubleBarrier::new(&session, "debugging/double", ONE);
    let inside = double_barrier.enter().await.expect("alone");
    let mut observer = Observer::new(&client, "crowd");
    let leader = observer.next().await.expect("open").expect("one of the crowd");
    assert!(matches!(leader, Leader::Elected(_)));
    let stm = Stm::new(&client).prefetch((0..KEYS).map(|number| format!("stm/{number}")));
    let committed = stm.run(|tx| async move {
        let read = tx.get_prefix("stm/").await?;
        (0..KEYS).for_each(|number| tx.put(format!("written/{number}"), SECRET));
        short("Tx", &tx);
        Ok::<_, Error>(read.len())
    });
    assert_eq!(committed.await.expect("committed").value, KEYS);
    let unreachable = Client::builder(["http://127.0.0.1:1"]).build().expect("valid");
    let error = Queue::new(&unreachable, "q").enqueue(SECRET).await.expect_err("nothing listens");
    for (what, shown) in [
        ("Session", &session as &dyn Debug),
        ("SessionBuilder", &Session::builder(&client)),
        ("Tokens", &Tokens::default()),
        ("Store", &Store::from(&client)),
        ("Mutex", &mutex),
        ("Guard", &guard),
        ("RwLock", &RwLock::new(&session, "debugging/rw")),
        ("Semaphore", &Semaphore::new(&session, "debugging/semaphore", ONE)),
        ("Election", &election),
        ("Leadership", &leadership),
        ("Observer", &observer),
        ("Leader", &leader),
        ("Stm", &stm),
        ("Barrier", &Barrier::new(&client, "debugging/barrier")),
        ("DoubleBarrier", &double_barrier),
        ("DoubleBarrierGuard", &inside),
        ("Queue", &Queue::new(&client, "debugging/queue")),
        ("Queue with a session", &Queue::with_session(&session, "debugging/queue")),
        ("PriorityQueue", &PriorityQueue::new(&client, "debugging/priority")),
        ("EphemeralKey", &key),
        ("Error", &error),
        ("Error of a session", &Error::SessionExpired(SessionEnd::Lost)),
    ] {
        short(what, shown);
    }
}

#[tokio::test]
async fn recipes_outlive_the_last_client_handle() {
    let Some(cluster) = cluster(1).await else { return };
    let (others, client) = (client(&cluster), client(&cluster));
    let session = session(&client).await;
    let guard = Mutex::new(&session, "lives/mutex").lock().await.expect("free");
    let key = EphemeralKey::create(&session, "lives/key", "1").await.expect("free");
    let leadership = Election::new(&session, "lives/election").campaign("1").await.expect("alone");
    let mut observer = Observer::new(&client, "lives/election");
    let (queue, stm) = (Queue::new(&client, "lives/queue"), Stm::new(&client));
    let barrier = Barrier::new(&client, "lives/barrier");
    drop((client, session));

    leadership.proclaim("2").await.expect("held");
    let leader = in_time("the leader", observer.next()).await.expect("open").expect("elected");
    assert_eq!(leader.value(), Some(&b"2"[..]));
    key.put("2").await.expect("held");
    queue.enqueue("v").await.expect("put");
    assert_eq!(in_time("the value", queue.dequeue()).await.expect("taken"), "v");
    let run = stm.run(|tx| async move {
        tx.put("lives/stm", "v");
        Ok::<_, Error>(())
    });
    run.await.expect("committed");
    barrier.hold().await.expect("down");
    barrier.release().await.expect("up");
    let write = others.txn().when(guard.owned()).then(Put::new("lives/write", "v")).await.expect("txn");
    assert!(write.succeeded(), "the lock is held");
    guard.unlock().await.expect("held");
}
