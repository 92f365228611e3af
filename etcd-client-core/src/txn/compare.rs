//! Compare: a condition of a Txn.

use crate::types::{Invalid, Key, KeyRange, LeaseId, Revision, Value, Version, range_setters};

/// A condition on a key, or on every key of a range.
///
/// The version, revisions and lease of a key that does not exist are zero. A condition on its *value* never holds,
/// regardless of the operator.
///
/// # Examples
/// ```
/// use etcd_client_core::Compare;
///
/// let unchanged = Compare::mod_revision("k").equal(42);
/// let new = Compare::missing("k");
/// assert_eq!(new, Compare::version("k").equal(0));
/// let drained = Compare::create_revision("jobs/").equal(0).prefix();
/// # let _ = (unchanged, drained);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "Cmp")]
#[must_use = "a Compare has no effect until it is part of a Txn"]
pub struct Compare {
    range: KeyRange,
    op: CompareOp,
    operand: CompareOperand,
}

/// The relation between the stored value and the operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "CompareResult")]
pub enum CompareOp {
    /// The stored value equals the operand.
    Equal,
    /// The stored value differs from the operand.
    NotEqual,
    /// The stored value is greater than the operand.
    Greater,
    /// The stored value is less than the operand.
    Less,
}

/// The property of the key that is compared, together with the value to compare it with.
#[doc(alias = "CompareTarget")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CompareOperand {
    /// The value, compared as bytes.
    Value(Value),
    /// The version: how many times the key was put since its creation.
    Version(Version),
    /// The revision that created the key.
    CreateRevision(Revision),
    /// The revision that last modified the key.
    ModRevision(Revision),
    /// The lease that the key is attached to; `None` for no lease.
    Lease(Option<LeaseId>),
}

impl CompareOperand {
    pub(crate) fn value_len(&self) -> usize {
        match self {
            Self::Value(value) => value.len(),
            _ => 0,
        }
    }
}

impl Compare {
    /// Compares the value of `key`.
    pub fn value(key: impl Into<Key>) -> CompareSubject<Value> {
        CompareSubject::new(key.into(), CompareOperand::Value)
    }

    /// Compares the version of `key`: how many times it was put since its creation.
    pub fn version(key: impl Into<Key>) -> CompareSubject<Version> {
        CompareSubject::new(key.into(), CompareOperand::Version)
    }

    /// Compares the revision that created `key`.
    pub fn create_revision(key: impl Into<Key>) -> CompareSubject<Revision> {
        CompareSubject::new(key.into(), CompareOperand::CreateRevision)
    }

    /// Compares the revision that last modified `key`.
    pub fn mod_revision(key: impl Into<Key>) -> CompareSubject<Revision> {
        CompareSubject::new(key.into(), CompareOperand::ModRevision)
    }

    /// Compares the lease that `key` is attached to. The operand is a `LeaseId`, or `None` for no lease.
    #[doc(alias = "LeaseValue")]
    pub fn lease(key: impl Into<Key>) -> CompareSubject<Option<LeaseId>> {
        CompareSubject::new(key.into(), CompareOperand::Lease)
    }

    /// Requires that `key` exists: its version is greater than zero.
    #[doc(alias = "KeyExists")]
    pub fn exists(key: impl Into<Key>) -> Self {
        Self::version(key).greater(0)
    }

    /// Requires that `key` does not exist: its version is zero.
    #[doc(alias = "KeyMissing")]
    pub fn missing(key: impl Into<Key>) -> Self {
        Self::version(key).equal(0)
    }

    range_setters!(range);

    /// Returns the keys that the condition applies to.
    pub fn range(&self) -> &KeyRange {
        &self.range
    }

    /// Returns the keys that the condition applies to, for modification, for example by a wrapper.
    pub fn range_mut(&mut self) -> &mut KeyRange {
        &mut self.range
    }

    /// Returns the operator.
    pub fn op(&self) -> CompareOp {
        self.op
    }

    /// Returns the operand, and with it the property that is compared.
    pub fn operand(&self) -> &CompareOperand {
        &self.operand
    }

    /// Returns the keys that the condition applies to, the operator and the operand.
    pub fn into_parts(self) -> (KeyRange, CompareOp, CompareOperand) {
        (self.range, self.op, self.operand)
    }

    pub(crate) fn check(&self) -> Result<(), Invalid> {
        self.range.check()
    }
}

/// A comparison without an operand yet. One of its four methods completes it to a [`Compare`].
#[derive(Clone, Debug)]
#[must_use = "complete the comparison with equal, not_equal, greater or less"]
pub struct CompareSubject<T> {
    key: Key,
    operand: fn(T) -> CompareOperand,
}

impl<T> CompareSubject<T> {
    fn new(key: Key, operand: fn(T) -> CompareOperand) -> Self {
        Self { key, operand }
    }

    /// Requires that the stored value equals `operand`.
    pub fn equal(self, operand: impl Into<T>) -> Compare {
        self.complete(CompareOp::Equal, operand.into())
    }

    /// Requires that the stored value differs from `operand`. For the *value* of a key, the key must also exist.
    pub fn not_equal(self, operand: impl Into<T>) -> Compare {
        self.complete(CompareOp::NotEqual, operand.into())
    }

    /// Requires that the stored value is greater than `operand`.
    pub fn greater(self, operand: impl Into<T>) -> Compare {
        self.complete(CompareOp::Greater, operand.into())
    }

    /// Requires that the stored value is less than `operand`.
    pub fn less(self, operand: impl Into<T>) -> Compare {
        self.complete(CompareOp::Less, operand.into())
    }

    fn complete(self, op: CompareOp, operand: T) -> Compare {
        Compare { range: KeyRange::one(self.key), op, operand: (self.operand)(operand) }
    }
}
