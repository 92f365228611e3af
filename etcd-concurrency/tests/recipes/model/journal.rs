//! Every transaction that was sent to the model, to be applied again at any later time.

use etcd_client_core::{Error, Op, Outcome, TxnResponse, TxnSpec};

use super::Model;

/// What was sent, and what that did.
#[derive(Debug, Default)]
pub(super) struct Journal {
    sent: Vec<Sent>,
    /// What a copy did that it must not do.
    late: Vec<String>,
}

#[derive(Debug)]
struct Sent {
    txn: TxnSpec,
    /// Whether any number of copies may arrive, each at any time.
    copies: bool,
    /// Whether the client may send several: a copy may then come before the one that is answered.
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
    /// A transaction is sent. Copies are made of those that the client may send several times, and of those that only delete
    /// under a condition: whoever sends them counts on copies doing no harm.
    pub(super) fn record(&self, txn: TxnSpec, idempotent: bool) -> usize {
        let deletes = |op: &Op| matches!(op, Op::Delete(_));
        let copies = idempotent || (!txn.compares().is_empty() && txn.success().iter().all(deletes));
        let sent = &mut self.inner().journal.sent;
        sent.push(Sent { txn, copies, idempotent, arrived: false, effective: false });
        sent.len() - 1
    }

    /// The client is refused. Where no copy was applied meanwhile, it knows that none will be; otherwise it is in the dark.
    pub(super) fn refused(&self, id: usize, error: Error) -> Error {
        let sent = &mut self.inner().journal.sent[id];
        if sent.effective {
            return error.with_outcome(Outcome::Unknown);
        }
        sent.copies = false;
        error
    }

    /// A copy arrives. Only the first one that changes anything may.
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

    /// Copies of one request of which copies may come; of the last ones more often than of early ones.
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

    /// Copies of all that was ever sent, in a random order, while nothing is under way: none of them may change anything.
    ///
    /// A request that is sent once and never arrived is none of them: it may still be applied, once.
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

    /// What copies did that they must not do.
    pub(crate) fn late_effects(&self) -> Vec<String> {
        self.inner().journal.late.clone()
    }
}
