//! The result of an update.

use crate::{
    types::{KeyValue, Revision, Version},
    update::write::Write,
};

/// The result of an [`Update`](crate::update::Update).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Updated {
    /// Whether the key was written or deleted.
    pub changed: bool,
    /// The key before the update, or `None` if it did not exist.
    pub previous: Option<KeyValue>,
    /// The key after the update, or `None` if it does not exist. Its `lease` is the lease that the update requested or kept.
    pub current: Option<KeyValue>,
    /// The revision of the write. If nothing was changed, the revision at which the key was read.
    pub revision: Revision,
    /// The number of attempts to write, zero if there was none.
    pub attempts: u32,
}

impl Updated {
    pub(super) fn unchanged(current: Option<KeyValue>, revision: Revision, attempts: u32) -> Self {
        Self { changed: false, previous: current.clone(), current, revision, attempts }
    }

    pub(super) fn changed(
        write: Write,
        previous: Option<KeyValue>,
        revision: Revision,
        attempts: u32,
    ) -> Self {
        let current = match write {
            Write::Delete => None,
            Write::Put { key, value, lease } => {
                let (created, version) =
                    previous.as_ref().map_or((revision, 0), |kv| (kv.create_revision, kv.version.get()));
                let kv = KeyValue::new(key, value).with_revisions(created, revision);
                Some(kv.with_version(Version::new(version.saturating_add(1))).with_lease(lease))
            }
        };
        Self { changed: true, previous, current, revision, attempts }
    }
}
