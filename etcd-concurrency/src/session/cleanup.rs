//! Cleaning up after dropped guards and futures: determines the outcome of an operation by burning its token, and deletes the key
//! that it created by its exact create revision.

use std::sync::Arc;

use etcd_client_core::{
    CallOptions, Compare, Delete, Get, Key, LeaseId, Outcome, Revision, Txn, request::RetryPolicy,
    txn::TxnResponse,
};
use tokio::sync::mpsc;

use super::{entry_leases::EntryLeases, slots::Slot};
use crate::{
    Store,
    backoff::Backoff,
    token::{
        Token, TokenStatus,
        entry_outcome::{EntryOutcome, entry_outcome},
        rules::{Rule, Rules},
    },
};

/// The maximum number of entries of a session. The text of `Error::CapacityExceeded` repeats it. Each entry reserves a slot in
/// the channel of cleanups, which takes memory only when it is used.
pub(super) const MAX_CLEANUPS: usize = 16_384;

/// A reserved slot in the channel of cleanups.
pub(crate) type CleanupPermit = mpsc::OwnedPermit<Cleanup>;

/// The remaining work of an operation that no future waits for.
#[derive(Debug)]
pub(crate) struct Cleanup {
    pub(crate) leftover: Leftover,
    /// Keeps other tasks of this process from using the session's key until the cleanup is done.
    pub(crate) slot: Option<Slot>,
}

/// The state that an operation left behind.
#[derive(Debug)]
pub(crate) enum Leftover {
    /// A key that was created at a revision.
    Key { key: Key, created: Revision },
    /// An operation whose outcome is unknown, and the key to delete if it was created.
    Unresolved { token: Token, key: Option<Key> },
    /// The lease of an entry, and the key under it if it was or will be created.
    Lease(LeaseId),
}

/// Executes the cleanups of a session.
#[derive(Clone, Debug)]
pub(crate) struct Cleaner {
    pub(crate) store: Store,
    pub(crate) lease: LeaseId,
    /// Set in a session that keeps no tokens.
    pub(crate) entries: Option<Arc<EntryLeases>>,
    pub(crate) rules: Rules,
}

/// The resolved outcome of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) status: TokenStatus,
    /// The outcome for the key, if the operation had one.
    pub(crate) outcome: EntryOutcome,
}

impl Cleanup {
    /// Runs until the cleanup is done. Returns the token if its name can be used again.
    pub(super) async fn run(self, cleaner: Cleaner) -> Option<Token> {
        let _slot = self.slot.filter(|_| cleaner.rules.enforces(Rule::SlotUntilResolved));
        match self.leftover {
            Leftover::Key { key, created } => {
                cleaner.delete(&key, created).await;
                None
            }
            #[cfg(test)]
            Leftover::Unresolved { key: Some(key), .. }
                if !cleaner.rules.enforces(Rule::NoDeletionByLease) =>
            {
                cleaner.delete_by_lease(&key).await;
                None
            }
            Leftover::Lease(lease) => {
                cleaner.revoke(lease).await;
                None
            }
            Leftover::Unresolved { token, key } => {
                let resolved = cleaner.burn(&token, key.as_ref()).await?;
                // No other outcome leaves a key of this entry behind.
                if let (EntryOutcome::Created(at) | EntryOutcome::Stray(at), Some(key)) =
                    (resolved.outcome, key)
                {
                    cleaner.delete(&key, at).await;
                }
                token.after(resolved.status)
            }
        }
    }
}

impl Cleaner {
    /// Burns a token until it is known whether its operation was applied. Returns `None` if the lease is gone or the client was
    /// closed.
    ///
    /// An error that rejects a burn, such as a full store or an overload, need not reject a copy of the operation that arrives
    /// later. Therefore a rejected burn is retried. In between, the token is read: if it is spent already, no burn is needed.
    ///
    /// The key is read with its value, because members of etcd 3.7 omit the lease from `keys_only` responses.
    pub(crate) async fn burn(&self, token: &Token, key: Option<&Key>) -> Option<Resolved> {
        let mut backoff = Backoff::OUTAGE;
        loop {
            let burn = token.burn(self.lease, self.rules).or_else(key.map(Get::new));
            let error = match self.send(burn).await {
                Ok(answer) => {
                    let status = token.burnt(&answer, answer.header.revision);
                    if let Some(resolved) = self.resolved(status, &answer) {
                        return Some(resolved);
                    }
                    None
                }
                Err(error) => Some(error),
            };
            match error {
                // The end of the lease deleted its keys, and copies that put a key under it fail.
                Some(error) if error.is_lease_not_found() || error.is_closed() => return None,
                // A member responded, so a read may succeed. `NoSpace` has an unknown outcome, but a code.
                Some(error) if error.outcome() == Outcome::NotApplied || error.code().is_some() => {
                    let read = Txn::new().then(token.read()).then(key.map(Get::new));
                    if let Ok(answer) = read.bind(self.store.kv()).await
                        && let Some(resolved) = self.resolved(token.seen(answer.responses().first()), &answer)
                    {
                        return Some(resolved);
                    }
                }
                _ => {}
            }
            backoff.wait().await;
        }
    }

    /// Returns the outcome once the token is no longer unspent. The key is the second response of the branch that reads the token.
    fn resolved(&self, status: Option<TokenStatus>, answer: &TxnResponse) -> Option<Resolved> {
        let status = status.filter(|status| *status != TokenStatus::Unspent)?;
        let own = answer.get(1).and_then(|own| own.first());
        Some(Resolved { status, outcome: entry_outcome(status, own, self.lease) })
    }

    /// Deletes a key if it is the one that was created at `created`. A create revision never recurs, so that no copy of this
    /// request deletes a later key.
    async fn delete(&self, key: &Key, created: Revision) {
        let exact = Compare::create_revision(key).equal(created);
        let txn = Txn::new().then(Delete::new(key));
        self.send_until_done(if self.rules.enforces(Rule::ExitCompares) { txn.when(exact) } else { txn })
            .await;
    }

    /// Revokes the lease of an entry. The lease is not renewed, so that this ends after its TTL at the latest.
    async fn revoke(&self, lease: LeaseId) {
        let Some(entries) = &self.entries else { return };
        let mut backoff = Backoff::OUTAGE;
        while let Err(error) = entries.revoke(lease).await {
            if error.is_closed() {
                return;
            }
            backoff.wait().await;
        }
    }

    /// Deletes a key by its lease instead of its create revision: a broken rule that the replay tests must notice.
    #[cfg(test)]
    async fn delete_by_lease(&self, key: &Key) {
        let txn = Txn::new().when(Compare::lease(key).equal(self.lease)).then(Delete::new(key));
        self.send_until_done(txn).await;
    }

    /// Retries a transaction until a member accepts it. A key that is not deleted blocks other contenders until the lease ends,
    /// so that no error but a closed client ends the retries.
    async fn send_until_done(&self, txn: Txn) {
        let mut backoff = Backoff::OUTAGE;
        while let Err(error) = self.send(txn.clone()).await {
            if error.is_closed() {
                return;
            }
            backoff.wait().await;
        }
    }

    async fn send(&self, txn: Txn) -> Result<TxnResponse, etcd_client_core::Error> {
        self.store.kv().txn(txn, CallOptions::default().retry(RetryPolicy::AssumeIdempotent)).await
    }
}
