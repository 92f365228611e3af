//! How the pairs of a range are ordered.

/// What the pairs of a range are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SortTarget {
    /// The key, bytewise.
    Key,
    /// How many times the key was put.
    Version,
    /// The revision that created the key.
    CreateRevision,
    /// The revision that last changed the key.
    ModRevision,
    /// The value, bytewise.
    Value,
}

/// In which direction the pairs of a range are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SortOrder {
    /// The lowest first.
    Ascend,
    /// The highest first.
    Descend,
}
