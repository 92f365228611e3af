//! Giving up a key after its guard or its future was dropped: burning the token of an entry whose outcome is unknown, and
//! deleting by the exact create revision what was created.

use std::sync::Arc;

use etcd_client_core::{
    CallOptions, Compare, Delete, Get, Key, LeaseId, Outcome, Resend, Revision, Txn, TxnResponse,
};
use tokio::sync::mpsc;

use super::{entry_leases::EntryLeases, slots::Slot};
use crate::{
    Store,
    pause::Pauses,
    token::{
        Fate, Token,
        judge::{Verdict, judge},
        rules::{Rule, Rules},
    },
};

/// How many keys a session may answer for at a time. Each is an entry of a queue that takes memory only when it is used.
pub(super) const PLACES: usize = 16_384;

/// Room for one settlement.
pub(crate) type Ticket = mpsc::OwnedPermit<Settlement>;

/// What is left to do for an operation that no future waits for.
#[derive(Debug)]
pub(crate) struct Settlement {
    pub(crate) left: Left,
    /// Until when no other task of this process may use the session's key.
    pub(crate) slot: Option<Slot>,
}

/// What an operation left behind.
#[derive(Debug)]
pub(crate) enum Left {
    /// A key that was created at a revision.
    Key { key: Key, created: Revision },
    /// An operation whose outcome is unknown, and the key to delete if it was created.
    Open { token: Token, key: Option<Key> },
    /// The lease of an entry, and the key under it if it was or will be created.
    Lease(LeaseId),
}

/// What the settlements of a session work with.
#[derive(Clone, Debug)]
pub(crate) struct Settler {
    pub(crate) store: Store,
    pub(crate) lease: LeaseId,
    /// In a session that keeps no tokens.
    pub(crate) entries: Option<Arc<EntryLeases>>,
    pub(crate) rules: Rules,
}

/// How an operation with an unknown outcome ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) fate: Fate,
    /// What that means for the key, where there is one.
    pub(crate) verdict: Verdict,
}

impl Settlement {
    /// Settles, however long it takes. Gives back the token where its name can be used again.
    pub(super) async fn run(self, settler: Settler) -> Option<Token> {
        let _slot = self.slot.filter(|_| settler.rules.hold(Rule::SlotUntilSettled));
        match self.left {
            Left::Key { key, created } => {
                settler.delete(&key, created).await;
                None
            }
            #[cfg(test)]
            Left::Open { key: Some(key), .. } if !settler.rules.hold(Rule::NoDeletionByLease) => {
                settler.delete_by_lease(&key).await;
                None
            }
            Left::Lease(lease) => {
                settler.revoke(lease).await;
                None
            }
            Left::Open { token, key } => {
                let settled = settler.burn(&token, key.as_ref()).await?;
                if let (Verdict::Entered(at) | Verdict::Stray(at), Some(key)) = (settled.verdict, key) {
                    settler.delete(&key, at).await;
                }
                token.after(settled.fate)
            }
        }
    }
}

impl Settler {
    /// Burns a token until it is known whether its operation was applied; `None` when the lease is gone, or the client was closed.
    ///
    /// What refuses a burn, such as a full store or an overload, need not refuse a copy of the operation that comes later. So a
    /// refused burn is repeated, and meanwhile the token is read: where it is spent already, no burn is needed.
    ///
    /// The key is read with its value: members of 3.7 leave out the lease with it.
    pub(crate) async fn burn(&self, token: &Token, key: Option<&Key>) -> Option<Settled> {
        let mut pauses = Pauses::OUTAGE;
        loop {
            let burn = token.burn(self.lease, self.rules).or_else(key.map(Get::new));
            let error = match self.send(burn).await {
                Ok(answer) => {
                    let fate = token.burnt(&answer, answer.header.revision);
                    if let Some(settled) = self.settled(fate, &answer) {
                        return Some(settled);
                    }
                    None
                }
                Err(error) => Some(error),
            };
            match error {
                Some(error) if error.is_lease_not_found() || error.is_closed() => return None,
                // Answered by a member: `NoSpace` is one of those whose outcome is unknown.
                Some(error) if error.outcome() == Outcome::NotApplied || error.code().is_some() => {
                    let read = Txn::new().then(token.read()).then(key.map(Get::new));
                    if let Ok(answer) = read.bind(self.store.kv()).await
                        && let Some(settled) = self.settled(token.seen(answer.responses().first()), &answer)
                    {
                        return Some(settled);
                    }
                }
                _ => {}
            }
            pauses.pause().await;
        }
    }

    /// The key is read second, in the branch where the token is read first.
    fn settled(&self, fate: Option<Fate>, answer: &TxnResponse) -> Option<Settled> {
        let fate = fate.filter(|fate| *fate != Fate::Open)?;
        let own = answer.get(1).and_then(|own| own.first());
        Some(Settled { fate, verdict: judge(fate, own, self.lease) })
    }

    /// Deletes a key if it is the one that was created at `created`: a create revision never recurs, so that no copy of this
    /// deletes a later key.
    async fn delete(&self, key: &Key, created: Revision) {
        let exact = Compare::create_revision(key).equal(created);
        let txn = Txn::new().then(Delete::new(key));
        self.repeat(if self.rules.hold(Rule::ExitCompares) { txn.when(exact) } else { txn }).await;
    }

    /// Revokes the lease of an entry. It is not renewed any more, so that this ends after its TTL at the latest.
    async fn revoke(&self, lease: LeaseId) {
        let Some(entries) = &self.entries else { return };
        let mut pauses = Pauses::OUTAGE;
        while let Err(error) = entries.revoke(lease).await {
            if error.is_closed() {
                return;
            }
            pauses.pause().await;
        }
    }

    /// What the replay tests must notice.
    #[cfg(test)]
    async fn delete_by_lease(&self, key: &Key) {
        self.repeat(Txn::new().when(Compare::lease(key).equal(self.lease)).then(Delete::new(key))).await;
    }

    /// A refusal now says nothing about later, and the key stands in the way of others until the lease ends.
    async fn repeat(&self, txn: Txn) {
        let mut pauses = Pauses::OUTAGE;
        while let Err(error) = self.send(txn.clone()).await {
            if error.is_closed() {
                return;
            }
            pauses.pause().await;
        }
    }

    async fn send(&self, txn: Txn) -> Result<TxnResponse, etcd_client_core::Error> {
        self.store.kv().txn(txn, CallOptions::default().resend(Resend::AsIfIdempotent)).await
    }
}
