//! The answers to an update, and what the marker in them proves. Pure.

use crate::{
    types::{KeyValue, Revision, Value},
    update::{marker::Marker, state::Attempt},
};

/// An answer to an attempt, a resolution or an inspection.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    /// Whether the comparisons held.
    pub(super) succeeded: bool,
    /// The revision of the response.
    pub(super) revision: Revision,
    /// The key, if it was read and exists.
    pub(super) current: Option<KeyValue>,
    /// The marker, if it was read and exists.
    pub(super) marker: Option<KeyValue>,
}

/// The conclusion from the marker about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The attempt was applied at this revision.
    Applied(Revision),
    /// The attempt was not applied and never will be. The marker has this mod revision.
    Dead(Revision),
    /// The marker exists as the attempt expects it.
    Unmoved,
    /// The marker does not exist, as the attempt expects it. It may also have been deleted since.
    Missing,
    /// The marker does not exist, although it did before the attempt.
    Gone,
}

impl Answer {
    /// Returns the conclusion about an attempt that expects `marker`.
    pub(super) fn evidence(&self, marker: Option<&Marker>, attempt: Option<&Attempt>) -> Evidence {
        let (Some(marker), Some(attempt)) = (marker, attempt) else { return Evidence::Gone };
        match &self.marker {
            Some(found) if found.mod_revision == marker.known => Evidence::Unmoved,
            Some(found) if found.value == mark(attempt.number).as_bytes() => {
                Evidence::Applied(found.mod_revision)
            }
            Some(found) => Evidence::Dead(found.mod_revision),
            None if marker.known == 0 => Evidence::Missing,
            None => Evidence::Gone,
        }
    }
}

/// Returns the value that attempt `number` gives the marker.
pub(super) fn mark(number: u64) -> String {
    format!("update {number}")
}

/// Returns the value that the resolution of attempt `number` gives the marker.
pub(super) fn burned(number: u64) -> Value {
    format!("resolved {number}").into()
}
