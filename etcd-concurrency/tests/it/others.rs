//! Read-write locks, semaphores, barriers and queues on real members: one pass through each.

use std::num::NonZeroUsize;

use etcd_client_core::Value;
use etcd_concurrency::{Barrier, DoubleBarrier, PriorityQueue, Queue, RwLock, Semaphore};

use crate::rig::{client, cluster, count, eventually, in_time, session};

#[tokio::test]
async fn rw_lock_and_semaphore_enforce_their_limits() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let session = session(&client).await;
    let lock = RwLock::new(&session, "rw");
    let (one, two) = (lock.read().await.expect("free"), lock.read().await.expect("shared"));
    let writing = lock.clone();
    let writer = tokio::spawn(async move { writing.write().await });
    eventually("the writer queues", async || count(&client, "rw/").await == 3).await;
    assert!(lock.try_read().await.is_err(), "the writer is ahead");
    one.unlock().await.expect("held");
    two.unlock().await.expect("held");
    in_time("the writer's turn", writer)
        .await
        .expect("no panic")
        .expect("its turn")
        .unlock()
        .await
        .expect("held");

    let semaphore = Semaphore::new(&session, "permits", NonZeroUsize::new(2).expect("not zero"));
    let (one, _two) = (semaphore.acquire().await.expect("free"), semaphore.acquire().await.expect("free"));
    assert!(semaphore.try_acquire().await.is_err());
    let next = tokio::spawn(async move { semaphore.acquire().await });
    eventually("it queues", async || count(&client, "permits/").await == 3).await;
    one.unlock().await.expect("held");
    in_time("its turn", next).await.expect("no panic").expect("its turn").unlock().await.expect("held");
}

#[tokio::test]
async fn barriers_block_all_participants() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let barrier = Barrier::new(&client, "barrier");
    barrier.hold().await.expect("free");
    let waiting = barrier.clone();
    let waiter = tokio::spawn(async move { waiting.wait().await });
    barrier.release().await.expect("up");
    in_time("the release", waiter).await.expect("no panic").expect("no error");

    let mut meeting = Vec::new();
    for _ in 0..5 {
        let session = session(&client).await;
        let barrier = DoubleBarrier::new(&session, "meeting", NonZeroUsize::new(5).expect("not zero"));
        meeting.push(tokio::spawn(async move { barrier.enter().await?.leave().await }));
    }
    for one in meeting {
        in_time("the meeting", one).await.expect("no panic").expect("entered and left");
    }
    assert_eq!(count(&client, "meeting/").await, 0);
}

#[tokio::test]
async fn queues_keep_their_order() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    let queue = Queue::new(&client, "queue");
    let waiting = queue.clone();
    let consumer = tokio::spawn(async move {
        let mut taken = Vec::new();
        for _ in 0..10 {
            taken.push(waiting.dequeue().await.expect("taken"));
        }
        taken
    });
    for number in 0..10 {
        queue.enqueue(number.to_string()).await.expect("put");
    }
    let taken = in_time("ten values", consumer).await.expect("no panic");
    let expected: Vec<Value> = (0..10).map(|number: i32| number.to_string().into()).collect();
    assert_eq!(taken, expected);

    let queue = PriorityQueue::new(&client, "pq");
    for (value, priority) in [("third", 9), ("first", 1), ("second", 1)] {
        queue.enqueue(value, priority).await.expect("put");
    }
    for value in ["first", "second", "third"] {
        assert_eq!(in_time("a value", queue.dequeue()).await.expect("taken"), value);
    }
}
