//! Put: writes a key.

use etcd_errors::{Code, Error};

use crate::{
    kv::KvService,
    request::{Limits, Unbound, bound::bindable},
    txn::size,
    types::{Invalid, Key, KeyValue, LeaseId, ResponseHeader, Value},
};

/// Writes a value under a key.
///
/// The write detaches the key from its lease unless [`lease`](Self::lease) or [`ignore_lease`](Self::ignore_lease) is
/// set.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled: the write may still be applied, at most once.
///
/// # Examples
///
/// ```
/// use etcd_client_core::{LeaseId, Put};
///
/// let put = Put::new("jobs/1", "todo").lease(LeaseId::new(7).unwrap()).prev_kv();
/// assert_eq!(put.key, "jobs/1");
/// let refreshed = Put::touch("jobs/1"); // same value, new revision
/// # let _ = refreshed;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "OpPut")]
#[doc(alias = "PutRequest")]
#[doc(alias = "PutOptions")]
#[must_use = "a Put writes nothing until it is awaited, executed or part of a Txn"]
pub struct Put<B = Unbound> {
    /// The key to write.
    pub key: Key,
    /// The value to write.
    pub value: Value,
    /// The lease to attach the key to; `None` for no lease.
    pub lease: Option<LeaseId>,
    /// Returns the previous pair.
    pub prev_kv: bool,
    /// Keeps the current value of the key.
    pub ignore_value: bool,
    /// Keeps the current lease of the key.
    pub ignore_lease: bool,
    pub(crate) binding: B,
}

bindable!(Put { key, value, lease, prev_kv, ignore_value, ignore_lease } => PutResponse, KvService.put);

impl Put {
    /// Creates a request that writes `value` under `key`.
    pub fn new(key: impl Into<Key>, value: impl Into<Value>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            lease: None,
            prev_kv: false,
            ignore_value: false,
            ignore_lease: false,
            binding: Unbound,
        }
    }

    /// Creates a request that writes `key` with its current value.
    ///
    /// Use it to give the key a new revision or another lease. The key must exist.
    pub fn touch(key: impl Into<Key>) -> Self {
        Self::new(key, Value::new()).ignore_value()
    }
}

impl<B> Put<B> {
    /// Attaches the key to a lease, which deletes the key when it expires or is revoked.
    ///
    /// By default the key gets no lease, and a key that had one is detached from it.
    #[doc(alias = "WithLease")]
    #[doc(alias = "with_lease")]
    pub fn lease(mut self, id: LeaseId) -> Self {
        self.lease = Some(id);
        self
    }

    /// Returns the previous pair.
    #[doc(alias = "WithPrevKV")]
    #[doc(alias = "with_prev_key")]
    pub fn prev_kv(mut self) -> Self {
        self.prev_kv = true;
        self
    }

    /// Keeps the current value of the key. The value of this request must be empty, and the key must exist.
    #[doc(alias = "WithIgnoreValue")]
    #[doc(alias = "with_ignore_value")]
    pub fn ignore_value(mut self) -> Self {
        self.ignore_value = true;
        self
    }

    /// Keeps the current lease of the key. This request must not set a lease, and the key must exist.
    #[doc(alias = "WithIgnoreLease")]
    #[doc(alias = "with_ignore_lease")]
    pub fn ignore_lease(mut self) -> Self {
        self.ignore_lease = true;
        self
    }
}

impl Put {
    /// Validates the request against `limits` without sending it.
    ///
    /// # Errors
    /// Returns an error that names the field etcd would reject, with etcd's error code if there is one.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        self.check()?;
        size::check(limits, true, size::of_put(self), || size::put_len(self))?;
        Ok(())
    }
}

impl Put {
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if self.key.is_empty() {
            return Err(Invalid::new("key", "is empty").code(Code::EmptyKey));
        }
        if self.ignore_value && !self.value.is_empty() {
            return Err(
                Invalid::new("value", "must be empty when ignore_value is set").code(Code::ValueProvided)
            );
        }
        if self.ignore_lease && self.lease.is_some() {
            return Err(
                Invalid::new("lease", "must not be set together with ignore_lease").code(Code::LeaseProvided)
            );
        }
        Ok(())
    }
}

/// The response to a [`Put`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PutResponse {
    /// The header, with the revision of the write.
    pub header: ResponseHeader,
    /// The previous pair, if it was requested and existed.
    pub prev_kv: Option<KeyValue>,
}

impl PutResponse {
    /// Creates a response without a previous pair.
    pub fn new(header: ResponseHeader) -> Self {
        Self { header, prev_kv: None }
    }

    /// Sets the previous pair.
    #[must_use = "returns the changed response"]
    pub fn with_prev_kv(mut self, prev_kv: impl Into<Option<KeyValue>>) -> Self {
        self.prev_kv = prev_kv.into();
        self
    }
}
