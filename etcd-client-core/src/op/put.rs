//! Put: writes a key.

use etcd_errors::{Code, Error};

use super::bind::bindable;
use super::{Invalid, Limits, Unbound, size};
use crate::model::{Key, KeyValue, LeaseId, ResponseHeader, Value};

/// Writes a value under a key, and takes the key off its lease unless told otherwise.
///
/// Dropping the future after it was polled leaves the outcome unknown: the write may still be applied, once.
///
/// ```
/// use etcd_client_core::{LeaseId, Put};
///
/// let put = Put::new("jobs/1", "todo").lease(LeaseId::new(7).unwrap()).prev_kv();
/// assert_eq!(put.spec().key, "jobs/1");
/// let renewed = Put::touch("jobs/1");     // same value, new revision
/// # let _ = renewed;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Put writes nothing until it is awaited, executed or part of a Txn"]
pub struct Put<B = Unbound> {
    pub(super) spec: PutSpec,
    pub(super) binding: B,
}

/// What a [`Put`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PutSpec {
    /// The key to write.
    pub key: Key,
    /// The value to write.
    pub value: Value,
    /// The lease to attach the key to; `None` for no lease.
    pub lease: Option<LeaseId>,
    /// Whether the pair as it was before is returned.
    pub prev_kv: bool,
    /// Whether the key keeps its value.
    pub ignore_value: bool,
    /// Whether the key keeps its lease.
    pub ignore_lease: bool,
}

bindable!(Put, PutSpec => PutResponse, Bound: Kv.put);

impl Put {
    /// Writes `value` under `key`.
    pub fn new(key: impl Into<Key>, value: impl Into<Value>) -> Self {
        let spec = PutSpec {
            key: key.into(),
            value: value.into(),
            lease: None,
            prev_kv: false,
            ignore_value: false,
            ignore_lease: false,
        };
        spec.into()
    }

    /// Writes `key` again with the value it has, for its lease or its revision. The key must exist.
    pub fn touch(key: impl Into<Key>) -> Self {
        Self::new(key, Value::new()).ignore_value()
    }
}

impl<B> Put<B> {
    /// Attaches the key to a lease: it is deleted when the lease ends. Default: no lease, and a key that had
    /// one loses it.
    pub fn lease(mut self, id: LeaseId) -> Self {
        self.spec.lease = Some(id);
        self
    }

    /// Returns the pair as it was before.
    pub fn prev_kv(mut self) -> Self {
        self.spec.prev_kv = true;
        self
    }

    /// Keeps the value the key has. The value given must be empty, and the key must exist.
    pub fn ignore_value(mut self) -> Self {
        self.spec.ignore_value = true;
        self
    }

    /// Keeps the lease the key has. No lease may be given, and the key must exist.
    pub fn ignore_lease(mut self) -> Self {
        self.spec.ignore_lease = true;
        self
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// Names the field etcd would refuse, with the code it would answer with where there is one.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        self.spec.check()?;
        size::check(limits, true, size::of_put(&self.spec), || crate::wire::put_len(&self.spec))?;
        Ok(())
    }
}

impl PutSpec {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        if self.key.is_empty() {
            return Err(Invalid::new("key", "is empty").code(Code::EmptyKey));
        }
        if self.ignore_value && !self.value.is_empty() {
            return Err(
                Invalid::new("value", "is provided together with ignore_value").code(Code::ValueProvided)
            );
        }
        if self.ignore_lease && self.lease.is_some() {
            return Err(
                Invalid::new("lease", "is provided together with ignore_lease").code(Code::LeaseProvided)
            );
        }
        Ok(())
    }
}

/// The answer to a [`Put`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PutResponse {
    /// Who answered; its revision is that of the write.
    pub header: ResponseHeader,
    /// The pair as it was before, when asked for and when there was one.
    pub prev_kv: Option<KeyValue>,
}

impl PutResponse {
    /// An answer without the pair as it was before.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header, prev_kv: None }
    }

    /// Sets the pair as it was before.
    #[must_use = "returns the changed response"]
    pub fn with_prev_kv(mut self, prev_kv: impl Into<Option<KeyValue>>) -> Self {
        self.prev_kv = prev_kv.into();
        self
    }
}
