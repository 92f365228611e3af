//! The release lines of etcd that a member can behave like.

/// A release line of etcd.
///
/// A member behaves like the newest patch release of its line, as of 2026-11. A member of a line differs from the others
/// only where a client can notice it, such as in the order of two checks or in a method that a line does not have.
///
/// ```
/// use etcd_testing::Line;
///
/// assert!(Line::V3_4 < Line::V3_7);
/// assert_eq!(Line::default(), Line::V3_7);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Line {
    /// etcd 3.4, as of 3.4.45.
    V3_4,
    /// etcd 3.5, as of 3.5.35.
    V3_5,
    /// etcd 3.6, as of 3.6.16.
    V3_6,
    /// etcd 3.7, as of 3.7.3. The default.
    #[default]
    V3_7,
}

impl Line {
    /// All lines, the oldest first.
    pub const ALL: [Self; 4] = [Self::V3_4, Self::V3_5, Self::V3_6, Self::V3_7];

    /// Returns the version that a member of this line reports in its status, such as `3.7.3`.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::V3_4 => "3.4.45",
            Self::V3_5 => "3.5.35",
            Self::V3_6 => "3.6.16",
            Self::V3_7 => "3.7.3",
        }
    }

    /// Returns the version of the storage format that a member of this line reports. Lines before 3.6 report none.
    pub(crate) const fn storage_version(self) -> &'static str {
        match self {
            Self::V3_4 | Self::V3_5 => "",
            Self::V3_6 => "3.6.0",
            Self::V3_7 => "3.7.0",
        }
    }
}
