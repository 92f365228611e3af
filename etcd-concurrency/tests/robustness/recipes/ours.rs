//! The recipes of this crate.

use std::num::NonZeroUsize;

use etcd_client_core::{Client, Value};
use etcd_concurrency::{
    Barrier, DoubleBarrier, Election, EphemeralKey, Error, Guard, Mutex, PriorityQueue, Queue, RwLock,
    Semaphore, Session, election::Leadership,
};

use super::{Held, LockKind, MEETING, PERMITS, Participant, QueueKind, Recipes};

/// A contender that uses this crate.
#[derive(Clone, Debug)]
pub(crate) struct Ours {
    client: Client,
    session: Session,
}

#[derive(Debug)]
pub(crate) enum Ownership {
    Guard(Guard),
    Leadership(Leadership),
    Barrier(EphemeralKey, Session),
}

impl Ours {
    fn queue(&self, line: QueueKind) -> Queue {
        let name = line.name();
        if line.is_known() {
            Queue::with_session(&self.session, name)
        } else {
            Queue::new(&self.client, name)
        }
    }

    fn priority_queue(&self, line: QueueKind) -> PriorityQueue {
        let name = line.name();
        if line.is_known() {
            PriorityQueue::with_session(&self.session, name)
        } else {
            PriorityQueue::new(&self.client, name)
        }
    }

    fn semaphore(&self) -> Semaphore {
        let permits = NonZeroUsize::new(PERMITS).expect("not zero");
        Semaphore::new(&self.session, LockKind::Permit.name(), permits)
    }
}

impl Recipes for Ours {
    type Held = Ownership;
    type Participant = etcd_concurrency::double_barrier::DoubleBarrierGuard;

    const RESOLVES_OUTCOMES: bool = true;

    fn new(client: &Client, session: &Session) -> Self {
        Self { client: client.clone(), session: session.clone() }
    }

    fn session(&self) -> &Session {
        &self.session
    }

    async fn take(&self, what: LockKind, number: u64) -> Result<Ownership, Error> {
        let (session, name) = (&self.session, what.name());
        let guard = match what {
            LockKind::Lock => Mutex::new(session, name).lock().await,
            LockKind::TryLock => Mutex::new(session, name).try_lock().await,
            LockKind::Read => RwLock::new(session, name).read().await,
            LockKind::Write => RwLock::new(session, name).write().await,
            LockKind::TryWrite => RwLock::new(session, name).try_write().await,
            LockKind::Permit => self.semaphore().acquire().await,
            LockKind::TryPermit => self.semaphore().try_acquire().await,
            LockKind::Lead => {
                let leadership = Election::new(session, name).campaign(format!("v{number}")).await?;
                if number.is_multiple_of(2) {
                    // A failure shows when the leadership is lost.
                    let _ = leadership.proclaim(format!("w{number}")).await;
                }
                return Ok(Ownership::Leadership(leadership));
            }
            LockKind::Barrier => {
                let key = Barrier::new(&self.client, name).hold_with_session(session).await?;
                return Ok(Ownership::Barrier(key, session.clone()));
            }
        };
        guard.map(Ownership::Guard)
    }

    async fn enqueue(&self, line: QueueKind, item: String) -> Result<i64, Error> {
        let priority = item.len() as u16 % 3;
        let put = match line {
            QueueKind::Queue | QueueKind::Known => self.queue(line).enqueue(item).await,
            QueueKind::Priority | QueueKind::KnownPriority => {
                self.priority_queue(line).enqueue(item, priority).await
            }
        };
        put.map(etcd_client_core::Revision::get)
    }

    async fn dequeue(&self, line: QueueKind) -> Result<Option<Value>, Error> {
        match line {
            QueueKind::Queue | QueueKind::Known => self.queue(line).try_dequeue().await,
            QueueKind::Priority | QueueKind::KnownPriority => self.priority_queue(line).try_dequeue().await,
        }
    }

    async fn enter(&self) -> Result<Self::Participant, Error> {
        let count = NonZeroUsize::new(MEETING.1).expect("not zero");
        DoubleBarrier::new(&self.session, MEETING.0, count).enter().await
    }
}

impl Held for Ownership {
    fn fence(&self) -> i64 {
        match self {
            Self::Guard(guard) => guard.fence().get(),
            Self::Leadership(leadership) => leadership.fence().get(),
            Self::Barrier(key, _) => key.create_revision().get(),
        }
    }

    fn lost(&self) -> impl Future<Output = Error> + Send + 'static {
        let lost: std::pin::Pin<Box<dyn Future<Output = Error> + Send>> = match self {
            Self::Guard(guard) => Box::pin(guard.lost()),
            Self::Leadership(leadership) => Box::pin(leadership.lost()),
            Self::Barrier(_, session) => {
                let lost = session.lost();
                Box::pin(async move { Error::SessionExpired(lost.await) })
            }
        };
        lost
    }

    async fn give_back(self) -> Result<(), Error> {
        match self {
            Self::Guard(guard) => guard.unlock().await,
            Self::Leadership(leadership) => leadership.resign().await,
            Self::Barrier(key, _) => key.delete().await,
        }
    }
}

impl Participant for etcd_concurrency::double_barrier::DoubleBarrierGuard {
    async fn leave(self) -> Result<(), Error> {
        Self::leave(self).await
    }
}
