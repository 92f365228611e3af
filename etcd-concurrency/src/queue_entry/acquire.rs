//! Acquiring with a unique key per attempt: the common part of read-write locks and semaphores.

use etcd_client_core::{Key, Value};

use super::{Entered, QueueEntry};
use crate::{
    Error, Guard, Session,
    keys::unique_key,
    waiting::{WaitSet, wait},
};

/// Enters the queue below `prefix` and waits until no more keys are ahead than `wait_set` tolerates.
pub(crate) async fn acquire(session: &Session, prefix: &Key, wait_set: &WaitSet) -> Result<Guard, Error> {
    let mut entry = QueueEntry::new(session, unique_key(prefix, session.lease()), None)?;
    let entered = entry.enter(Value::new(), wait_set.query()).await?;
    wait(&entry, wait_set, entered).await?;
    Ok(Guard::new(entry))
}

/// Enters the queue below `prefix`, and leaves it again if the entry would have to wait.
pub(crate) async fn try_acquire(session: &Session, prefix: &Key, wait_set: &WaitSet) -> Result<Guard, Error> {
    let mut entry = QueueEntry::new(session, unique_key(prefix, session.lease()), None)?;
    let turn = match entry.enter(Value::new(), wait_set.query()).await? {
        Entered::New(position) => wait_set.is_turn(&position),
        // The response to the first of two copies was lost, and with it the keys ahead: read them again.
        Entered::Found(_) => wait_set.is_turn(&wait_set.position(&entry).await?),
    };
    if turn {
        return Ok(Guard::new(entry));
    }
    match entry.leave().await {
        // Another client deleted the key: it has left the queue as well.
        Ok(()) | Err(Error::NotOwner) => Err(Error::Locked),
        Err(error) => Err(error),
    }
}
