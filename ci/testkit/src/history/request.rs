//! Requests: the parts of operations and watches that a check needs.

use serde::{Deserialize, Serialize};

use super::{LeaseId, Rev, Value};

/// Keys, as etcd names them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Keys {
    /// The key, or the first one.
    pub key: String,
    /// The key behind the last one; `"\0"` for no last one, nothing for one key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
}

impl Keys {
    /// Exactly this key.
    pub fn one(key: impl Into<String>) -> Self {
        Self { key: key.into(), end: None }
    }

    /// Every key from `key` up to, and without, `end`.
    pub fn between(key: impl Into<String>, end: impl Into<String>) -> Self {
        Self { key: key.into(), end: Some(end.into()) }
    }

    /// Every key that begins so; `prefix` must end in ASCII other than DEL.
    pub fn prefix(prefix: impl Into<String>) -> Self {
        let key = prefix.into();
        let mut end = key.clone().into_bytes();
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        let end = String::from_utf8(end).ok().filter(|end| !end.is_empty());
        Self { key, end: Some(end.unwrap_or_else(|| "\0".to_owned())) }
    }

    /// Returns `true` if the range contains `key`.
    #[must_use]
    pub fn cover(&self, key: &str) -> bool {
        match self.end.as_deref() {
            None => self.key == key,
            Some("\0") => self.key.as_str() <= key,
            Some(end) => self.key.as_str() <= key && key < end,
        }
    }
}

/// One part of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Puts a key.
    Put {
        /// The key.
        key: String,
        /// The value.
        value: Value,
        /// The lease it is attached to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lease: Option<LeaseId>,
    },
    /// Deletes keys.
    Delete {
        /// The keys.
        keys: Keys,
    },
    /// Reads keys.
    Get {
        /// The keys.
        keys: Keys,
    },
    /// Forgets the history before a revision.
    Compact {
        /// The revision.
        revision: Rev,
    },
    /// Ends a lease, with the keys attached to it.
    Revoke {
        /// The lease.
        lease: LeaseId,
    },
}

/// The request of a watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRequest {
    /// The keys.
    pub keys: Keys,
    /// The first revision that is wanted; nothing for what happens from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Rev>,
    /// Set if events have the previous pair.
    #[serde(default)]
    pub prev_kv: bool,
    /// Set if puts are filtered out.
    #[serde(default)]
    pub no_put: bool,
    /// Set if deletions are filtered out.
    #[serde(default)]
    pub no_delete: bool,
    /// Set if the watch may skip compacted history, which it reports.
    #[serde(default)]
    pub resync: bool,
}

impl WatchRequest {
    /// These keys, from now on, without anything else.
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self { keys, from: None, prev_kv: false, no_put: false, no_delete: false, resync: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_cover_what_etcd_says() {
        assert!(Keys::one("a").cover("a") && !Keys::one("a").cover("aa"));
        assert!(Keys::prefix("a/").cover("a/b") && Keys::prefix("a/").cover("a/"));
        assert!(!Keys::prefix("a/").cover("a") && !Keys::prefix("a/").cover("a0"));
        assert!(Keys::prefix("").cover("anything"));
        assert!(Keys::between("b", "\0").cover("z") && !Keys::between("b", "\0").cover("a"));
        assert!(Keys::between("b", "d").cover("c") && !Keys::between("b", "d").cover("d"));
    }
}
