//! Txn: conditional operations, applied atomically.

#[cfg(test)]
mod tests;

use etcd_errors::Error;

pub(crate) use crate::txn::Branch;
use crate::{
    kv::{DeleteResponse, GetResponse, KvService, PutResponse},
    request::{Limits, Unbound, bound::bindable},
    txn::{Compare, IntoCompares, IntoOps, Op, OpResponse, linearize},
    types::ResponseHeader,
};

/// The maximum number of nested levels, including the outermost Txn. The response to a deeper one could not be
/// decoded: prost stops at 100 nested messages, each level takes two, and a pair in the innermost response takes
/// three.
pub(crate) const MAX_DEPTH: usize = 49;

/// A transaction: one branch of operations if all conditions hold, the other branch if not.
///
/// The operations of the branch are applied in order and atomically. The conditions are evaluated at a single
/// revision of the store. A Txn without a write and without a linearizable read is still evaluated against the
/// current state, unless [`serializable`](Self::serializable) is set.
///
/// # Cancel safety
/// The outcome of a Txn that writes is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::{Compare, Delete, Get, Put, Txn};
///
/// let create = Txn::new()
///     .when(Compare::missing("k"))
///     .then((Put::new("k", "v"), Delete::new("old")))
///     .or_else(Get::new("k"));
/// assert!(!create.is_read_only());
///
/// // Compare-and-swap: writes only if the key still has the revision at which it was read.
/// let swap = Txn::new().when(Compare::mod_revision("k").equal(42)).then(Put::new("k", "new"));
/// # let _ = swap;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "OpTxn")]
#[doc(alias = "TxnRequest")]
#[doc(alias = "transaction")]
#[doc(alias = "compare-and-swap")]
#[must_use = "a Txn does nothing until it is awaited, executed or part of another Txn"]
pub struct Txn<B = Unbound> {
    pub(crate) compares: Vec<Compare>,
    pub(crate) success: Vec<Op>,
    pub(crate) failure: Vec<Op>,
    pub(crate) serializable: bool,
    depth: usize,
    /// Set when a Txn was dropped because it was nested too deep; validation then rejects this Txn.
    pub(crate) too_deep: bool,
    pub(crate) binding: B,
}

bindable!(Txn { compares, success, failure, serializable, depth, too_deep } => TxnResponse, KvService.txn);

impl Default for Txn {
    fn default() -> Self {
        Self::new()
    }
}

impl Txn {
    /// Creates a Txn without conditions and operations. Without conditions, the `then` branch is applied.
    pub fn new() -> Self {
        Self {
            compares: Vec::new(),
            success: Vec::new(),
            failure: Vec::new(),
            serializable: false,
            depth: 1,
            too_deep: false,
            binding: Unbound,
        }
    }
}

impl<B> Txn<B> {
    /// Adds conditions. All of them must hold, including those of earlier calls.
    #[doc(alias = "If")]
    #[doc(alias = "Cmp")]
    pub fn when(mut self, compares: impl IntoCompares) -> Self {
        compares.append_to(&mut self.compares);
        self
    }

    /// Adds operations to apply if all conditions hold, after those of earlier calls.
    #[doc(alias = "Then")]
    #[doc(alias = "and_then")]
    pub fn then(mut self, ops: impl IntoOps) -> Self {
        self.append(Branch::Success, ops);
        self
    }

    /// Adds operations to apply if a condition does not hold, after those of earlier calls.
    #[doc(alias = "Else")]
    pub fn or_else(mut self, ops: impl IntoOps) -> Self {
        self.append(Branch::Failure, ops);
        self
    }

    /// Allows a member to evaluate the Txn against its own state, which may be stale. The default is linearizable.
    ///
    /// This applies to a Txn without a write and without a linearizable Get: its conditions then hold for some
    /// earlier time. The setting has no effect on any other Txn, nor on a nested one.
    #[doc(alias = "WithSerializable")]
    pub fn serializable(mut self) -> Self {
        self.serializable = true;
        self
    }

    /// Returns whether the Txn changes nothing, regardless of its conditions.
    ///
    /// Both branches then hold only Gets and nested Txns that are read-only themselves.
    pub fn is_read_only(&self) -> bool {
        self.success.iter().chain(&self.failure).all(Op::is_read_only)
    }
}

impl Txn {
    /// Validates the request against `limits` without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject and its position, with etcd's error code if there is
    /// one.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        self.check(limits)?;
        Ok(())
    }
}

impl<B> Txn<B> {
    /// Returns the conditions.
    pub fn compares(&self) -> &[Compare] {
        &self.compares
    }

    /// Returns the conditions for modification, for example by a wrapper.
    pub fn compares_mut(&mut self) -> &mut [Compare] {
        &mut self.compares
    }

    /// Returns the operations to apply if all conditions hold.
    pub fn success(&self) -> &[Op] {
        &self.success
    }

    /// Returns the operations to apply if all conditions hold, for modification, for example by a wrapper.
    pub fn success_mut(&mut self) -> &mut [Op] {
        &mut self.success
    }

    /// Returns the operations to apply if a condition does not hold.
    pub fn failure(&self) -> &[Op] {
        &self.failure
    }

    /// Returns the operations to apply if a condition does not hold, for modification, for example by a wrapper.
    pub fn failure_mut(&mut self) -> &mut [Op] {
        &mut self.failure
    }

    /// Returns whether a member may evaluate a read-only Txn against its own state.
    pub fn is_serializable(&self) -> bool {
        self.serializable
    }

    /// Returns the conditions, the operations to apply if all hold, and those to apply otherwise.
    ///
    /// # Examples
    /// ```
    /// use etcd_client_core::{Compare, Put, Txn};
    /// use etcd_client_core::txn::Op;
    ///
    /// let txn = Txn::new().when(Compare::missing("k")).then(Put::new("k", "v"));
    /// let (compares, success, failure) = txn.into_parts();
    /// assert_eq!((compares.len(), failure.len()), (1, 0));
    /// let Some(Op::Put(put)) = success.into_iter().next() else { panic!("one put") };
    /// assert_eq!(put.value, "v");
    /// ```
    pub fn into_parts(self) -> (Vec<Compare>, Vec<Op>, Vec<Op>) {
        (self.compares, self.success, self.failure)
    }

    /// Returns the conditions, owned.
    pub fn into_compares(self) -> Vec<Compare> {
        self.compares
    }

    /// Returns the operations to apply if all conditions hold, owned.
    pub fn into_success(self) -> Vec<Op> {
        self.success
    }

    /// Returns the operations to apply if a condition does not hold, owned.
    pub fn into_failure(self) -> Vec<Op> {
        self.failure
    }

    /// Appends the operations, except for a Txn that is nested too deep. No recursion over a Txn, not even its drop,
    /// can therefore overflow the stack.
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
                if nested.too_deep || nested.depth >= MAX_DEPTH {
                    self.too_deep = true;
                    into.truncate(index);
                    return;
                }
                self.depth = self.depth.max(nested.depth + 1);
            }
            index += 1;
        }
    }
}

impl Txn {
    /// Returns whether a stale member could respond to the Txn in the form in which it is sent.
    pub(crate) fn may_be_stale(&self) -> bool {
        linearize::may_be_stale(self)
    }
}

/// The response to a [`Txn`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TxnResponse {
    /// The header, with the revision of the store after the Txn.
    pub header: ResponseHeader,
    /// True if all conditions held.
    pub succeeded: bool,
    /// The responses to the operations of the applied branch, in their order.
    pub responses: Vec<OpResponse>,
}

impl TxnResponse {
    /// Creates a response.
    pub fn new(header: ResponseHeader, succeeded: bool, responses: Vec<OpResponse>) -> Self {
        Self { header, succeeded, responses }
    }

    /// Returns whether all conditions held.
    pub fn succeeded(&self) -> bool {
        self.succeeded
    }

    /// Returns the responses to the operations of the applied branch, in their order.
    pub fn responses(&self) -> &[OpResponse] {
        &self.responses
    }

    /// Returns the response at `index` if it belongs to a Get.
    ///
    /// # Examples
    /// ```
    /// use etcd_client_core::KeyValue;
    /// use etcd_client_core::kv::GetResponse;
    /// use etcd_client_core::txn::{OpResponse, TxnResponse};
    /// use etcd_client_core::types::ResponseHeader;
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

    /// Returns the response at `index` if it belongs to a Put.
    pub fn put(&self, index: usize) -> Option<&PutResponse> {
        self.responses.get(index)?.as_put()
    }

    /// Returns the response at `index` if it belongs to a Delete.
    pub fn delete(&self, index: usize) -> Option<&DeleteResponse> {
        self.responses.get(index)?.as_delete()
    }

    /// Returns the response at `index` if it belongs to a nested Txn.
    pub fn txn(&self, index: usize) -> Option<&Self> {
        self.responses.get(index)?.as_txn()
    }

    /// Returns the responses, owned.
    pub fn into_responses(self) -> Vec<OpResponse> {
        self.responses
    }
}
