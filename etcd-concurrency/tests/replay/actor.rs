//! A task that uses one recipe after the other, and sometimes gives up.

use std::{future::poll_fn, num::NonZeroUsize, pin::pin, rc::Rc, task::Poll, time::Duration};

use fastrand::Rng;
use tokio::time::{sleep, timeout};

use super::audit::{Audit, PRIORITY, QUEUE};
use crate::{
    Barrier, DoubleBarrier, Election, EphemeralKey, Error, Guard, Mutex, PriorityQueue, Queue, RwLock,
    Semaphore, Session, Store,
};

/// The number of operations of an actor in a run.
const OPERATIONS: usize = 8;

pub(super) struct Actor {
    session: Session,
    store: Store,
    audit: Rc<Audit>,
    rng: Rng,
}

impl Actor {
    pub(super) fn new(session: Session, store: Store, audit: Rc<Audit>, rng: Rng) -> Self {
        Self { session, store, audit, rng }
    }

    pub(super) async fn run(mut self) {
        for _ in 0..OPERATIONS {
            match self.rng.u8(0..12) {
                0 | 1 => self.lock().await,
                2 | 3 => self.try_lock().await,
                4 => self.lead().await,
                5 => self.share().await,
                6 => self.permit().await,
                7 => self.meet().await,
                8 => self.keep_a_key().await,
                9 => self.enqueue().await,
                10 => self.dequeue().await,
                _ => self.priority().await,
            }
            self.pause(2_000).await;
        }
    }

    async fn pause(&mut self, millis: u64) {
        let most = [1, 20, millis][self.rng.usize(0..3)];
        sleep(Duration::from_millis(self.rng.u64(0..=most))).await;
    }

    /// Runs a future to its end, or drops it after a number of polls or after a time.
    async fn some<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        let polls = if self.rng.u8(0..4) == 0 { self.rng.u32(0..24) } else { u32::MAX };
        // Waits are limited: of two actors that wait for each other, one has to give up.
        let limit = if self.rng.u8(0..3) == 0 { self.rng.u64(0..6_000) } else { 40_000 };
        timeout(Duration::from_millis(limit), first_polls(polls, future)).await.ok().flatten()
    }

    async fn lock(&mut self) {
        let mutex = Mutex::new(&self.session, "mutex");
        let got = self.some(mutex.lock()).await;
        self.hold("mutex", true, 0, got).await;
    }

    async fn try_lock(&mut self) {
        let mutex = Mutex::new(&self.session, "mutex");
        let got = self.some(mutex.try_lock()).await;
        self.hold("mutex", true, 0, got).await;
    }

    async fn share(&mut self) {
        let lock = RwLock::new(&self.session, "rw");
        let alone = self.rng.bool();
        let got = match (alone, self.rng.bool()) {
            (false, false) => self.some(lock.read()).await,
            (false, true) => self.some(lock.try_read()).await,
            (true, false) => self.some(lock.write()).await,
            (true, true) => self.some(lock.try_write()).await,
        };
        self.hold("rw", alone, usize::MAX, got).await;
    }

    async fn permit(&mut self) {
        let semaphore = Semaphore::new(&self.session, "semaphore", NonZeroUsize::new(2).expect("not zero"));
        let got = match self.rng.bool() {
            false => self.some(semaphore.acquire()).await,
            true => self.some(semaphore.try_acquire()).await,
        };
        self.hold("semaphore", false, 2, got).await;
    }

    async fn hold(
        &mut self,
        name: &'static str,
        alone: bool,
        most: usize,
        got: Option<Result<Guard, Error>>,
    ) {
        let guard = match got {
            Some(Ok(guard)) => guard,
            Some(Err(error)) => return self.audit.expects(name, &error),
            None => return,
        };
        self.audit.enter(name, alone, most);
        self.pause(5_000).await;
        self.audit.leave(name, alone);
        if self.rng.bool() {
            return drop(guard);
        }
        if let Some(Err(error)) = self.some(guard.unlock()).await {
            self.audit.expects(name, &error);
        }
    }

    async fn lead(&mut self) {
        let election = Election::new(&self.session, "election");
        // The values of one leadership increase, so that a restored older value shows.
        let got = self.some(election.campaign("0")).await;
        let leadership = match got {
            Some(Ok(leadership)) => leadership,
            Some(Err(error)) => return self.audit.expects("campaign", &error),
            None => return,
        };
        self.audit.enter("election", true, 0);
        for value in 1..=self.rng.u32(0..4) {
            if let Some(Err(error)) = self.some(leadership.proclaim(value.to_string())).await {
                self.audit.expects("proclaim", &error);
            }
            self.pause(1_000).await;
        }
        self.audit.leave("election", true);
        if let Some(Err(error)) = self.some(leadership.resign()).await {
            self.audit.expects("resign", &error);
        }
    }

    async fn meet(&mut self) {
        let two = NonZeroUsize::new(2).expect("not zero");
        let barrier = DoubleBarrier::new(&self.session, "meeting", two);
        let inside = match self.some(barrier.enter()).await {
            Some(Ok(inside)) => inside,
            Some(Err(error)) => return self.audit.expects("enter", &error),
            None => return,
        };
        self.pause(1_000).await;
        if let Some(Err(error)) = self.some(inside.leave()).await {
            self.audit.expects("leave", &error);
        }
    }

    async fn keep_a_key(&mut self) {
        let (session, barrier) = (self.session.clone(), Barrier::new(&self.store, "barrier"));
        let got = match self.rng.u8(0..3) {
            0 => self.some(EphemeralKey::create(&session, "host", "0")).await,
            1 => self.some(EphemeralKey::create_unique(&session, "hosts", "0")).await,
            _ => self.some(barrier.hold_with_session(&session)).await,
        };
        let key = match got {
            Some(Ok(key)) => key,
            Some(Err(error)) => return self.audit.expects("create", &error),
            None => return,
        };
        self.pause(1_000).await;
        if let Some(Err(error)) = self.some(key.put("1")).await {
            self.audit.expects("put", &error);
        }
        if let Some(Err(error)) = self.some(key.delete()).await {
            self.audit.expects("delete", &error);
        }
    }

    async fn enqueue(&mut self) {
        let (by_session, value) = (self.rng.bool(), self.audit.next_value());
        let queue = match by_session {
            true => Queue::with_session(&self.session, QUEUE),
            false => Queue::new(&self.store, QUEUE),
        };
        if let Some(result) = self.some(queue.enqueue(value.to_string())).await {
            self.audit.enqueued(value, &result, by_session);
        }
    }

    async fn dequeue(&mut self) {
        let by_session = self.rng.bool();
        let queue = match by_session {
            true => Queue::with_session(&self.session, QUEUE),
            false => Queue::new(&self.store, QUEUE),
        };
        let got = match self.rng.bool() {
            true => self.some(queue.dequeue()).await.map(|got| got.map(Some)),
            false => self.some(queue.try_dequeue()).await,
        };
        self.took(got, by_session);
    }

    async fn priority(&mut self) {
        let by_session = self.rng.bool();
        let queue = match by_session {
            true => PriorityQueue::with_session(&self.session, PRIORITY),
            false => PriorityQueue::new(&self.store, PRIORITY),
        };
        if self.rng.bool() {
            let value = self.audit.next_value();
            let priority = self.rng.u16(0..2);
            if let Some(result) = self.some(queue.enqueue(value.to_string(), priority)).await {
                self.audit.enqueued(value, &result, by_session);
            }
        } else {
            let got = self.some(queue.try_dequeue()).await;
            self.took(got, by_session);
        }
    }

    fn took(&self, got: Option<Result<Option<etcd_client_core::Value>, Error>>, by_session: bool) {
        match got {
            Some(Ok(Some(value))) => self.audit.taken(value.as_bytes()),
            Some(Ok(None)) => {}
            Some(Err(error)) => {
                self.audit.expects("dequeue", &error);
                match error.outcome() {
                    etcd_client_core::Outcome::NotApplied => {}
                    _ if by_session => {
                        self.audit.wrong(format!("the outcome of a claim is unknown: {error}"))
                    }
                    _ => self.audit.value_may_be_lost(),
                }
            }
            None => self.audit.value_may_be_lost(),
        }
    }
}

/// Drops a future that is not ready after this many polls.
async fn first_polls<T>(polls: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}
