//! Locks with several holders: read-write locks and semaphores.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_concurrency::{Error, Guard, RwLock, Semaphore};
use tokio::time::sleep;

use crate::{
    contest::{HOUR, NAME, SECOND, TTL},
    model::{Counts, Model},
};

type Waiting = tokio::task::JoinHandle<Result<Guard, Error>>;

fn read(model: &Model) -> Waiting {
    let lock = RwLock::new(&model.session(TTL), NAME);
    tokio::spawn(async move { lock.read().await })
}

fn write(model: &Model) -> Waiting {
    let lock = RwLock::new(&model.session(TTL), NAME);
    tokio::spawn(async move { lock.write().await })
}

async fn turn(waiting: Waiting) -> Guard {
    waiting.await.expect("no panic").expect("its turn")
}

#[tokio::test(start_paused = true)]
async fn readers_share_and_writers_exclude() {
    let model = Model::default();
    let (one, two) = (turn(read(&model)).await, turn(read(&model)).await);
    let writer = write(&model);
    sleep(SECOND).await;
    // A reader that arrives after a writer waits for it.
    let late = read(&model);
    sleep(SECOND).await;
    let before = model.counts();
    sleep(HOUR).await;
    assert_eq!(model.counts(), before, "waiting sends no requests");
    assert!(!writer.is_finished() && !late.is_finished());
    one.unlock().await.expect("held");
    sleep(SECOND).await;
    assert!(!writer.is_finished());
    two.unlock().await.expect("held");
    let writer = turn(writer).await;
    sleep(SECOND).await;
    assert!(!late.is_finished());
    writer.unlock().await.expect("held");
    turn(late).await.unlock().await.expect("held");
    assert!(model.keys("").is_empty());
}

#[tokio::test(start_paused = true)]
async fn abandoned_writer_admits_the_readers_behind_it() {
    let model = Model::default();
    let _reading = turn(read(&model)).await;
    let writer = write(&model);
    sleep(SECOND).await;
    let late = read(&model);
    sleep(SECOND).await;
    writer.abort();
    turn(late).await.unlock().await.expect("held");
}

#[tokio::test(start_paused = true)]
async fn try_methods_acquire_only_free_locks() {
    let model = Model::default();
    let lock = RwLock::new(&model.session(TTL), NAME);
    let reading = lock.try_read().await.expect("free");
    let also = lock.try_read().await.expect("shared");
    assert!(matches!(lock.try_write().await, Err(Error::Locked)));
    assert_eq!(model.keys("").len(), 2, "a rejected attempt leaves no key");
    drop((reading, also));
    sleep(SECOND).await;
    let writing = lock.try_write().await.expect("free");
    assert!(matches!(lock.try_read().await, Err(Error::Locked)));
    writing.unlock().await.expect("held");
    assert!(lock.try_read_for(SECOND).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn excludes_go_clients_by_their_keys() {
    let model = Model::default();
    model.put("lock/write/1700000000000000000", "");
    let (reader, writer) = (read(&model), write(&model));
    sleep(SECOND).await;
    assert!(!reader.is_finished() && !writer.is_finished());
    assert!(model.keys("lock/read/").len() == 1 && model.keys("lock/write/").len() == 2);
    model.delete("lock/write/1700000000000000000");
    turn(reader).await.unlock().await.expect("held");
    turn(writer).await.unlock().await.expect("held");
}

fn permits(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("not zero")
}

#[tokio::test(start_paused = true)]
async fn semaphore_limits_concurrent_holders() {
    let model = Model::default();
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut workers = Vec::new();
    for number in 0..20 {
        let semaphore = Semaphore::new(&model.session(TTL), NAME, permits(3));
        let (inside, most) = (Arc::clone(&inside), Arc::clone(&most));
        workers.push(tokio::spawn(async move {
            sleep(number * SECOND / 100).await;
            let permit = semaphore.acquire().await.expect("its turn");
            most.fetch_max(inside.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            sleep(SECOND).await;
            inside.fetch_sub(1, Ordering::Relaxed);
            permit.unlock().await.expect("held");
        }));
    }
    for worker in workers {
        worker.await.expect("no panic");
    }
    sleep(SECOND).await;
    assert_eq!(most.load(Ordering::Relaxed), 3);
    assert!(model.keys("").is_empty());
    // Each waiter has one watch and sends one read.
    assert_eq!(model.counts(), Counts { writes: 40, reads: 17, creates: 17, cancels: 17 });
}

#[tokio::test(start_paused = true)]
async fn permits_return_after_expiry_and_cancellation() {
    let model = Model::default();
    let (one, two) = (model.session(TTL), model.session(HOUR));
    let _dead = Semaphore::new(&one, NAME, permits(2)).acquire().await.expect("free");
    let semaphore = Semaphore::new(&two, NAME, permits(2));
    let held = semaphore.acquire().await.expect("free");
    assert!(matches!(semaphore.try_acquire().await, Err(Error::Locked)));
    assert!(matches!(semaphore.try_acquire_for(SECOND).await, Err(Error::TimedOut)));
    model.freeze(one.lease());
    let again = semaphore.try_acquire_for(Duration::from_secs(20)).await.expect("expired");
    drop(again);
    sleep(SECOND).await;
    assert_eq!(model.keys("").len(), 1);
    held.unlock().await.expect("held");
}
