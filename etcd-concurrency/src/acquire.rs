//! Places in a queue under keys of their own: what read-write locks and semaphores have in common.

use etcd_client_core::{Key, LeaseId, Value};

use crate::{
    Error, Guard, Session,
    place::{Entered, Place},
    waiting::{Rivals, wait},
};

/// A key below `prefix` that nobody else has: a session can queue many times.
pub(crate) fn unique_key(prefix: &Key, lease: LeaseId) -> Key {
    below(prefix, &format!("{lease:x}-{:016x}", fastrand::u64(..)))
}

/// `prefix`, then `name`.
pub(crate) fn below(prefix: &Key, name: &str) -> Key {
    [prefix.as_bytes(), name.as_bytes()].concat().into()
}

/// Queues below `prefix` and waits for the turn.
pub(crate) async fn acquire(session: &Session, prefix: &Key, rivals: &Rivals) -> Result<Guard, Error> {
    let mut place = Place::new(session, unique_key(prefix, session.lease()), None)?;
    let entered = place.enter(Value::new(), rivals.ahead()).await?;
    wait(&place, rivals, entered).await?;
    Ok(Guard::new(place))
}

/// Queues below `prefix`, and leaves again if it would have to wait.
pub(crate) async fn try_acquire(session: &Session, prefix: &Key, rivals: &Rivals) -> Result<Guard, Error> {
    let mut place = Place::new(session, unique_key(prefix, session.lease()), None)?;
    let turn = match place.enter(Value::new(), rivals.ahead()).await? {
        Entered::New(standing) => rivals.is_turn(&standing),
        // The answer to the first of two entries was lost, and with it who was ahead.
        Entered::Found(_) => rivals.is_turn(&rivals.standing(&place).await?),
    };
    if turn {
        return Ok(Guard::new(place));
    }
    match place.leave().await {
        // A place that somebody else deleted is left as well.
        Ok(()) | Err(Error::NotOwner) => Err(Error::Held),
        Err(error) => Err(error),
    }
}
