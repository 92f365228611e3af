//! Compare: one condition of a Txn.

use super::{Invalid, KeyRange, range_setters};
use crate::model::{Key, LeaseId, Revision, Value, Version};

/// A condition on a key, or on every key of a range.
///
/// A key that does not exist has version, revisions and lease zero; a condition on its *value* never holds,
/// whatever the operator.
///
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
#[must_use = "a Compare has no effect until it is part of a Txn"]
pub struct Compare {
    range: KeyRange,
    op: CompareOp,
    operand: CompareOperand,
}

/// How what is stored has to relate to what is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CompareOp {
    /// It is the same.
    Equal,
    /// It is different.
    NotEqual,
    /// What is stored is greater.
    Greater,
    /// What is stored is less.
    Less,
}

/// What of the key is compared, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CompareOperand {
    /// The value, bytewise.
    Value(Value),
    /// How many times the key was put.
    Version(Version),
    /// The revision that created the key.
    CreateRevision(Revision),
    /// The revision that last changed the key.
    ModRevision(Revision),
    /// The lease the key is attached to; `None` for no lease.
    Lease(Option<LeaseId>),
}

impl CompareOperand {
    pub(super) fn value_len(&self) -> usize {
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

    /// Compares how many times `key` was put since it was created.
    pub fn version(key: impl Into<Key>) -> CompareSubject<Version> {
        CompareSubject::new(key.into(), CompareOperand::Version)
    }

    /// Compares the revision that created `key`.
    pub fn create_revision(key: impl Into<Key>) -> CompareSubject<Revision> {
        CompareSubject::new(key.into(), CompareOperand::CreateRevision)
    }

    /// Compares the revision that last changed `key`.
    pub fn mod_revision(key: impl Into<Key>) -> CompareSubject<Revision> {
        CompareSubject::new(key.into(), CompareOperand::ModRevision)
    }

    /// Compares the lease that `key` is attached to; takes a `LeaseId`, or `None` for no lease.
    pub fn lease(key: impl Into<Key>) -> CompareSubject<Option<LeaseId>> {
        CompareSubject::new(key.into(), CompareOperand::Lease)
    }

    /// Holds when `key` exists: its version is greater than zero.
    pub fn exists(key: impl Into<Key>) -> Self {
        Self::version(key).greater(0)
    }

    /// Holds when `key` does not exist: its version is zero.
    pub fn missing(key: impl Into<Key>) -> Self {
        Self::version(key).equal(0)
    }

    range_setters!(range);

    /// The keys the condition is about.
    pub fn range(&self) -> &KeyRange {
        &self.range
    }

    /// The keys the condition is about, to be rewritten by a decorator.
    pub fn range_mut(&mut self) -> &mut KeyRange {
        &mut self.range
    }

    /// How what is stored has to relate to the operand.
    pub fn op(&self) -> CompareOp {
        self.op
    }

    /// What is compared, and with what.
    pub fn operand(&self) -> &CompareOperand {
        &self.operand
    }

    /// Returns the keys that the condition is about, the operator and the operand.
    pub fn into_parts(self) -> (KeyRange, CompareOp, CompareOperand) {
        (self.range, self.op, self.operand)
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        self.range.check()
    }
}

/// What is compared, still without the condition: one of the four methods completes it.
#[derive(Clone, Debug)]
#[must_use = "say what to compare with: equal, not_equal, greater or less"]
pub struct CompareSubject<T> {
    key: Key,
    operand: fn(T) -> CompareOperand,
}

impl<T> CompareSubject<T> {
    fn new(key: Key, operand: fn(T) -> CompareOperand) -> Self {
        Self { key, operand }
    }

    /// Holds when what is stored is `operand`.
    pub fn equal(self, operand: impl Into<T>) -> Compare {
        self.complete(CompareOp::Equal, operand.into())
    }

    /// Holds when what is stored is not `operand`.
    pub fn not_equal(self, operand: impl Into<T>) -> Compare {
        self.complete(CompareOp::NotEqual, operand.into())
    }

    /// Holds when what is stored is greater than `operand`.
    pub fn greater(self, operand: impl Into<T>) -> Compare {
        self.complete(CompareOp::Greater, operand.into())
    }

    /// Holds when what is stored is less than `operand`.
    pub fn less(self, operand: impl Into<T>) -> Compare {
        self.complete(CompareOp::Less, operand.into())
    }

    fn complete(self, op: CompareOp, operand: T) -> Compare {
        Compare { range: KeyRange::one(self.key), op, operand: (self.operand)(operand) }
    }
}
