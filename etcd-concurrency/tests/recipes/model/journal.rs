//! All transactions that were sent to the model, to be applied again at any later time.

use etcd_client_core::{
    Error, Outcome, Txn,
    txn::{Op, TxnResponse},
};

use super::Model;

/// The transactions, and their effects.
#[derive(Debug, Default)]
pub(super) struct Journal {
    sent: Vec<Sent>,
    /// Forbidden effects of copies.
    late: Vec<String>,
}

#[derive(Debug)]
struct Sent {
    txn: Txn,
    /// Any number of copies may arrive, each at any time.
    copies: bool,
    /// The client may send several copies: one may arrive before the one that is answered.
    idempotent: bool,
    arrived: bool,
    effective: bool,
}

impl Sent {
    fn may_come(&self) -> bool {
        self.copies && (self.idempotent || self.arrived)
    }
}

impl Model {
    /// Records a transaction. Copies are made of transactions that the client may retry, and of those that only delete under a
    /// condition, whose senders rely on copies being harmless.
    pub(super) fn record(&self, txn: Txn, idempotent: bool) -> usize {
        let deletes = |op: &Op| matches!(op, Op::Delete(_));
        let copies = idempotent || (!txn.compares().is_empty() && txn.success().iter().all(deletes));
        let sent = &mut self.inner().journal.sent;
        sent.push(Sent { txn, copies, idempotent, arrived: false, effective: false });
        sent.len() - 1
    }

    /// Records a rejection. If no copy was applied in between, the client knows that none will be; otherwise the outcome is unknown.
    pub(super) fn rejected(&self, id: usize, error: Error) -> Error {
        let sent = &mut self.inner().journal.sent[id];
        if sent.effective {
            return error.with_outcome(Outcome::Unknown);
        }
        sent.copies = false;
        error
    }

    /// Applies a copy. Only the first copy that changes anything may do so.
    pub(super) fn apply(&self, id: usize) -> Result<TxnResponse, Error> {
        let txn = self.inner().journal.sent[id].txn.clone();
        let before = self.revision();
        let response = self.change(|mvcc| mvcc.txn(&txn));
        let changed = self.revision() != before;
        let journal = &mut self.inner().journal;
        let sent = &mut journal.sent[id];
        sent.arrived = true;
        if changed && sent.effective && sent.copies {
            journal.late.push(format!("a second copy changed something: {txn:?}"));
        }
        journal.sent[id].effective |= changed;
        response
    }

    /// Applies copies of one request that may be copied, recent ones more often than early ones.
    pub(crate) fn replay(&self, rng: &mut fastrand::Rng) {
        self.replay_grant(rng);
        let count = self.inner().journal.sent.len();
        if count == 0 {
            return;
        }
        let from = if rng.bool() { count.saturating_sub(8) } else { 0 };
        let id = rng.usize(from..count);
        if self.inner().journal.sent[id].may_come() {
            let _ = self.apply(id);
        }
    }

    /// Applies copies of everything that was ever sent, in random order, while nothing is in flight. No copy may change anything.
    ///
    /// It leaves out a request that is sent once and never arrived: it may still be applied, once.
    pub(crate) fn replay_all(&self, rng: &mut fastrand::Rng) {
        let mut all: Vec<usize> = (0..self.inner().journal.sent.len()).collect();
        rng.shuffle(&mut all);
        for id in all {
            if !self.inner().journal.sent[id].may_come() {
                continue;
            }
            let before = self.revision();
            let _ = self.apply(id);
            if self.revision() != before {
                let mut inner = self.inner();
                let txn = format!("a copy came late and changed something: {:?}", inner.journal.sent[id].txn);
                inner.journal.late.push(txn);
            }
        }
    }

    /// Returns the forbidden effects of copies.
    pub(crate) fn late_effects(&self) -> Vec<String> {
        self.inner().journal.late.clone()
    }
}
