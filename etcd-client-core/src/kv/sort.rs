//! The order of the pairs of a range.

/// The property by which the pairs of a range are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SortTarget {
    /// The key, compared as bytes.
    #[doc(alias = "SortByKey")]
    Key,
    /// The version: how many times the key was put since its creation.
    #[doc(alias = "SortByVersion")]
    Version,
    /// The revision that created the key.
    #[doc(alias = "SortByCreateRevision")]
    CreateRevision,
    /// The revision that last modified the key.
    #[doc(alias = "SortByModRevision")]
    ModRevision,
    /// The value, compared as bytes.
    #[doc(alias = "SortByValue")]
    Value,
}

/// The direction in which the pairs of a range are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SortOrder {
    /// Lowest first.
    #[doc(alias = "SortAscend")]
    Ascend,
    /// Highest first.
    #[doc(alias = "SortDescend")]
    Descend,
}
