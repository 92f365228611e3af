//! Writes: guarded by the ownerships of the keys, and repeated after other owners have released them.

use std::sync::Arc;

use etcd_errors::{Error, ErrorKind, Outcome};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    kv::{Get, GetResponse},
    leasing::{
        deadline::CallDeadline,
        keys::owner,
        ownership::{before_the_write, wait_for_release},
        shared::Shared,
        state::{
            Owner, WriteEnd, WriteTicket,
            targets::{Targets, deleted_ranges},
        },
    },
    txn::{Compare, Op, OpResponse, Txn, TxnResponse},
    types::{Key, KeyValue, ResponseHeader, Revision, Value},
};

/// The number of owners of a range that are asked at the same time.
const PARALLEL_REVOCATIONS: usize = 16;

/// Applies an operation that writes, and returns its response with the header of the transaction around it.
///
/// # Errors
/// Returns the error of the request, or a timeout if an owner did not release a key.
pub(crate) async fn write(
    shared: &Arc<Shared>,
    op: Op,
    call: &CallDeadline,
) -> Result<(ResponseHeader, OpResponse), Error> {
    let targets = Targets::of(&op);
    shared.keys.check(&targets)?;
    loop {
        call.check()?;
        let mut guards = Vec::new();
        for span in &targets.ranges {
            let revision = clear_range(shared, &shared.keys.range(span), call).await?;
            guards.push(shared.keys.guard_range(span, revision));
        }
        let attempt = Attempt::begin(shared, &op, &targets);
        let txn = attempt.txn(guards);
        match shared.kv.txn(txn, call.write_options()).await {
            Ok(response) if response.succeeded => return attempt.applied(response),
            Ok(response) => {
                let obstacles = attempt.refused(response)?;
                for (key, found) in obstacles {
                    wait_for_release(shared, &key, found, call).await?;
                }
            }
            Err(error) if error.outcome() == Outcome::NotApplied => {
                attempt.finish(WriteEnd::NotApplied);
                return Err(error);
            }
            // Dropped, the attempt counts as one of unknown outcome.
            Err(error) => return Err(error),
        }
    }
}

/// Waits until the other owners of keys of the range have released them, and returns the revision of their list.
async fn clear_range(
    shared: &Arc<Shared>,
    range: &crate::types::KeyRange,
    call: &CallDeadline,
) -> Result<Revision, Error> {
    let listed =
        shared.kv.get(Get::from_range(range.clone()), call.options()).await.map_err(before_the_write)?;
    let session = shared.with_state(|state, _, _| state.session());
    let owners = listed.kvs.iter().filter_map(|kv| Some((shared.keys.owned(&kv.key)?, owner(kv))));
    let others = owners.filter(|(_, owner)| owner.lease.is_none() || owner.lease != session);
    let releases =
        others.map(|(key, owner)| async move { wait_for_release(shared, &key, owner, call).await });
    // Collected first: a lazy iterator with borrowing closures makes the future too complex to be `Send`.
    let releases: Vec<_> = releases.collect();
    stream::iter(releases).buffer_unordered(PARALLEL_REVOCATIONS).try_collect::<()>().await?;
    Ok(listed.header.revision)
}

/// An attempt to write, which delays the reads of its owned keys. Dropped, its outcome is unknown.
struct Attempt<'a> {
    shared: &'a Arc<Shared>,
    op: &'a Op,
    targets: &'a Targets,
    ticket: Option<WriteTicket>,
}

impl<'a> Attempt<'a> {
    fn begin(shared: &'a Arc<Shared>, op: &'a Op, targets: &'a Targets) -> Self {
        let ticket = shared.with_state(|state, _, _| state.begin_write(&targets.keys, &targets.ranges));
        Self { shared, op, targets, ticket: Some(ticket) }
    }

    fn owned(&self) -> &[(Key, Revision)] {
        self.ticket.as_ref().map_or(&[], |ticket| &ticket.owned)
    }

    fn ownership(&self, key: &Key) -> Option<Revision> {
        self.owned().iter().find(|(owned, _)| owned == key).map(|(_, created)| *created)
    }

    /// The transaction: the operation and reads of the owned keys if the guards hold, otherwise the owners.
    ///
    /// A guard is exact, unlike Go's `create revision < ownership + 1`: a copy that arrives after the ownership has
    /// ended is never applied, so it cannot change a key that was acquired again.
    fn txn(&self, mut guards: Vec<Compare>) -> Txn {
        let keys = &self.shared.keys;
        for key in &self.targets.keys {
            guards.push(keys.guard(key, self.ownership(key).unwrap_or_default()));
        }
        let mut then = vec![self.op.clone()];
        then.extend(self.owned().iter().map(|(key, _)| {
            let get = Get::new(key.clone());
            Op::Get(if self.known_value().is_some() { get.keys_only() } else { get })
        }));
        let owners = self.targets.keys.iter().map(|key| Op::Get(Get::new(keys.of(key.as_bytes()))));
        Txn::new().when(guards).then(then).or_else(owners.collect::<Vec<_>>())
    }

    /// Returns the value that the operation gives to its key, if that is certain. It need not be read back then.
    fn known_value(&self) -> Option<&Value> {
        match self.op {
            Op::Put(put) if !put.ignore_value => Some(&put.value),
            _ => None,
        }
    }

    fn finish(mut self, end: WriteEnd) {
        self.end(end);
    }

    fn end(&mut self, end: WriteEnd) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.update(|state, now, _| state.finish_write(ticket, end, now.into()));
        }
    }

    fn applied(self, response: TxnResponse) -> Result<(ResponseHeader, OpResponse), Error> {
        let header = response.header;
        let mut responses = response.responses.into_iter();
        let first = responses.next();
        let pairs: Vec<_> = responses.map_while(OpResponse::into_get).map(GetResponse::into_first).collect();
        let Some(result) = first.filter(|_| pairs.len() == self.owned().len()) else {
            let text = "the response to a transaction does not match its operations";
            return Err(Error::new(ErrorKind::Protocol, text).with_outcome(Outcome::Unknown));
        };
        let keys: Vec<Key> = self.owned().iter().map(|(key, _)| key.clone()).collect();
        let pairs =
            keys.into_iter().zip(pairs).map(|(key, kv)| (key, kv.map(|kv| self.completed(kv)))).collect();
        let deleted = deleted_ranges(self.op, &result);
        self.finish(WriteEnd::Applied { header, deleted, pairs });
        Ok((header, result))
    }

    /// Adds to a pair without its value what the operation gave it.
    fn completed(&self, mut kv: KeyValue) -> KeyValue {
        if let (Op::Put(put), Some(value)) = (self.op, self.known_value()) {
            kv.value = value.clone().into_bytes();
            // Members of etcd 3.7 omit the lease together with the value.
            kv.lease = put.lease;
        }
        kv
    }

    /// Takes note of the owners that kept the write from being applied, and returns the others.
    fn refused(self, response: TxnResponse) -> Result<Vec<(Key, Owner)>, Error> {
        let owners = response.responses.into_iter();
        let owners =
            owners.map(|response| response.into_get().and_then(GetResponse::into_first).map(|kv| owner(&kv)));
        let (mut obstacles, mut explained) = (Vec::new(), !self.targets.ranges.is_empty());
        for (key, found) in self.targets.keys.iter().zip(owners) {
            let ownership = self.ownership(key);
            if ownership == found.map(|owner| owner.created) {
                continue;
            }
            explained = true;
            if let Some(created) = ownership {
                self.shared.update(|state, now, _| state.disown(key, created, now.into()));
            }
            obstacles.extend(found.map(|owner| (key.clone(), owner)));
        }
        self.finish(WriteEnd::NotApplied);
        if !explained {
            let text = "the member refused a transaction whose conditions hold";
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        Ok(obstacles)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.end(WriteEnd::Unknown);
    }
}
