//! Txn: operations that depend on conditions, applied all or none.

#[cfg(test)]
pub(crate) mod arbitrary;
mod check;
mod duplicates;
mod linearize;
#[cfg(test)]
mod tests;

use etcd_errors::Error;

pub(crate) use linearize::{Branch, add_linearizing_range};

use super::bind::bindable;
use super::{
    Compare, DeleteResponse, GetResponse, IntoCompares, IntoOps, Limits, Op, OpResponse, PutResponse, Unbound,
};
use crate::model::ResponseHeader;

/// Levels of nesting, the outermost Txn included. An answer nested deeper could not be decoded: prost stops
/// at 100 nested messages, each level takes two, a pair in the innermost answer three.
pub(super) const MAX_DEPTH: usize = 49;

/// A transaction: if all conditions hold, the operations of one branch are applied in order and atomically,
/// else those of the other.
///
/// The conditions see the store as one revision. A Txn without a write and without a linearizable read is
/// still answered from current state, unless [`serializable`](Self::serializable) says otherwise.
/// Dropping the future after it was polled leaves the outcome of a Txn that writes unknown.
///
/// ```
/// use etcd_client_core::{Compare, Delete, Get, Put, Txn};
///
/// let create = Txn::new()
///     .when(Compare::missing("k"))
///     .then((Put::new("k", "v"), Delete::new("old")))
///     .or_else(Get::new("k"));
/// assert!(!create.is_read_only());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Txn does nothing until it is awaited, executed or part of another Txn"]
pub struct Txn<B = Unbound> {
    pub(super) spec: TxnSpec,
    pub(super) binding: B,
}

/// What a [`Txn`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnSpec {
    compares: Vec<Compare>,
    success: Vec<Op>,
    failure: Vec<Op>,
    serializable: bool,
    depth: usize,
    /// Set when a Txn nested too deep was left out; such a Txn is refused.
    too_deep: bool,
}

bindable!(Txn, TxnSpec => TxnResponse, Bound: Kv.txn);

impl Default for Txn {
    fn default() -> Self {
        Self::new()
    }
}

impl Txn {
    /// A Txn without conditions, which hold therefore, and without operations.
    pub fn new() -> Self {
        let spec = TxnSpec {
            compares: Vec::new(),
            success: Vec::new(),
            failure: Vec::new(),
            serializable: false,
            depth: 1,
            too_deep: false,
        };
        spec.into()
    }
}

impl<B> Txn<B> {
    /// Adds conditions: all have to hold, those of earlier calls too.
    pub fn when(mut self, compares: impl IntoCompares) -> Self {
        compares.append_to(&mut self.spec.compares);
        self
    }

    /// Adds operations to apply when the conditions hold, after those of earlier calls.
    pub fn then(mut self, ops: impl IntoOps) -> Self {
        self.spec.append(Branch::Success, ops);
        self
    }

    /// Adds operations to apply when a condition does not hold, after those of earlier calls.
    pub fn or_else(mut self, ops: impl IntoOps) -> Self {
        self.spec.append(Branch::Failure, ops);
        self
    }

    /// Lets a Txn without a write and without a linearizable Get be answered from a member's own, possibly
    /// stale, state: its conditions then hold for some earlier time. Has no effect on any other Txn, nor on
    /// a nested one. Default: linearizable.
    pub fn serializable(mut self) -> Self {
        self.spec.serializable = true;
        self
    }

    /// Whether it changes nothing, whatever its conditions say: both branches hold only Gets, and nested
    /// Txns that are read-only themselves.
    pub fn is_read_only(&self) -> bool {
        self.spec.success.iter().chain(&self.spec.failure).all(Op::is_read_only)
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse and where it stands, with the code etcd would answer with where
    /// there is one.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        self.spec.check(limits)?;
        Ok(())
    }
}

impl TxnSpec {
    /// The conditions.
    pub fn compares(&self) -> &[Compare] {
        &self.compares
    }

    /// The conditions, to be rewritten by a decorator.
    pub fn compares_mut(&mut self) -> &mut [Compare] {
        &mut self.compares
    }

    /// The operations for when the conditions hold.
    pub fn success(&self) -> &[Op] {
        &self.success
    }

    /// The operations for when the conditions hold, to be rewritten by a decorator.
    pub fn success_mut(&mut self) -> &mut [Op] {
        &mut self.success
    }

    /// The operations for when a condition does not hold.
    pub fn failure(&self) -> &[Op] {
        &self.failure
    }

    /// The operations for when a condition does not hold, to be rewritten by a decorator.
    pub fn failure_mut(&mut self) -> &mut [Op] {
        &mut self.failure
    }

    /// Whether a check may be answered from a member's own state.
    pub fn is_serializable(&self) -> bool {
        self.serializable
    }

    /// Whether a server that lags behind may answer the Txn as it will be sent.
    pub(crate) fn may_be_stale(&self) -> bool {
        linearize::may_be_stale(self)
    }

    /// Returns the conditions, the operations for when they hold, and those for when one does not.
    ///
    /// ```
    /// use etcd_client_core::{Compare, Op, Put, Txn};
    ///
    /// let txn = Txn::new().when(Compare::missing("k")).then(Put::new("k", "v"));
    /// let (compares, success, failure) = txn.into_spec().into_parts();
    /// assert_eq!((compares.len(), failure.len()), (1, 0));
    /// let Some(Op::Put(put)) = success.into_iter().next() else { panic!("one put") };
    /// assert_eq!(put.into_spec().value, "v");
    /// ```
    pub fn into_parts(self) -> (Vec<Compare>, Vec<Op>, Vec<Op>) {
        (self.compares, self.success, self.failure)
    }

    /// Returns the conditions, owned.
    pub fn into_compares(self) -> Vec<Compare> {
        self.compares
    }

    /// Returns the operations for when the conditions hold, owned.
    pub fn into_success(self) -> Vec<Op> {
        self.success
    }

    /// Returns the operations for when a condition does not hold, owned.
    pub fn into_failure(self) -> Vec<Op> {
        self.failure
    }

    /// A Txn nested too deep is left out, so that no recursion over a Txn, its drop included, can be deep.
    fn append(&mut self, branch: Branch, ops: impl IntoOps) {
        let into = match branch {
            Branch::Success => &mut self.success,
            Branch::Failure => &mut self.failure,
        };
        let from = into.len();
        ops.append_to(into);
        let mut index = from;
        while let Some(op) = into.get(index) {
            if let Op::Txn(nested) = op {
                if nested.spec.too_deep || nested.spec.depth >= MAX_DEPTH {
                    self.too_deep = true;
                    into.truncate(index);
                    return;
                }
                self.depth = self.depth.max(nested.spec.depth + 1);
            }
            index += 1;
        }
    }
}

/// The answer to a [`Txn`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TxnResponse {
    /// Who answered, and at which revision the store is afterwards.
    pub header: ResponseHeader,
    /// Whether the conditions held.
    pub succeeded: bool,
    /// The answers to the operations of the branch that was applied, in their order.
    pub responses: Vec<OpResponse>,
}

impl TxnResponse {
    /// An answer.
    pub fn new(header: ResponseHeader, succeeded: bool, responses: Vec<OpResponse>) -> Self {
        Self { header, succeeded, responses }
    }

    /// Whether the conditions held.
    pub fn succeeded(&self) -> bool {
        self.succeeded
    }

    /// The answers to the operations of the branch that was applied, in their order.
    pub fn responses(&self) -> &[OpResponse] {
        &self.responses
    }

    /// The answer at `index`, where that is a get's.
    ///
    /// ```
    /// use etcd_client_core::{GetResponse, KeyValue, OpResponse, ResponseHeader, TxnResponse};
    ///
    /// let header = ResponseHeader::default();
    /// let get = GetResponse::new(header, vec![KeyValue::new("k", "v")]);
    /// let txn = TxnResponse::new(header, false, vec![OpResponse::Get(get)]);
    /// assert_eq!(txn.get(0).and_then(GetResponse::first).map(|kv| &kv.value[..]), Some(&b"v"[..]));
    /// assert!(txn.put(0).is_none() && txn.get(1).is_none());
    /// ```
    pub fn get(&self, index: usize) -> Option<&GetResponse> {
        self.responses.get(index)?.as_get()
    }

    /// The answer at `index`, where that is a put's.
    pub fn put(&self, index: usize) -> Option<&PutResponse> {
        self.responses.get(index)?.as_put()
    }

    /// The answer at `index`, where that is a delete's.
    pub fn delete(&self, index: usize) -> Option<&DeleteResponse> {
        self.responses.get(index)?.as_delete()
    }

    /// The answer at `index`, where that is a nested Txn's.
    pub fn txn(&self, index: usize) -> Option<&Self> {
        self.responses.get(index)?.as_txn()
    }

    /// The answers, owned.
    pub fn into_responses(self) -> Vec<OpResponse> {
        self.responses
    }
}
