//! A key range as a pair of bounds.

use std::ops::{Bound, RangeBounds};

use bytes::Bytes;

use crate::types::KeyRange;

/// The bounds of a key range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: Bytes,
    /// `None` if there is no upper bound.
    end: Option<Bytes>,
}

impl Span {
    pub(crate) fn of(range: &KeyRange) -> Self {
        let (start, end) = range.bounds();
        let end = match &end[..] {
            // A single key: the range ends before the next possible key.
            b"" => Some([&start[..], b"\0"].concat().into()),
            b"\0" => None,
            _ => Some(end),
        };
        Self { start, end }
    }

    pub(crate) fn has(&self, key: &[u8]) -> bool {
        *self.start <= *key && self.end.as_ref().is_none_or(|end| *key < **end)
    }

    /// Returns true if the range contains every key of `other`, judged by the bounds alone.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let ends = match (&self.end, &other.end) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => other <= own,
        };
        self.start <= other.start && ends
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }
}

impl RangeBounds<[u8]> for Span {
    fn start_bound(&self) -> Bound<&[u8]> {
        Bound::Included(&self.start)
    }

    fn end_bound(&self) -> Bound<&[u8]> {
        self.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_covers_its_contents() {
        let dir = Span::of(&KeyRange::prefix("dir/"));
        for inside in [
            KeyRange::prefix("dir/"),
            KeyRange::one("dir/"),
            KeyRange::one("dir/a"),
            KeyRange::between("dir/", "dir0"),
            KeyRange::prefix("dir/\u{7f}"),
            KeyRange::prefix(b"dir/\xff"),
        ] {
            assert!(dir.covers(&Span::of(&inside)), "{inside:?}");
        }
        for outside in [
            KeyRange::all(),
            KeyRange::one("dir"),
            KeyRange::one("dir0"),
            KeyRange::prefix("dir"),
            KeyRange::from_key("dir/a"),
            KeyRange::between("dir/", "dir1"),
            KeyRange::between("dir", "dir/a"),
        ] {
            assert!(!dir.covers(&Span::of(&outside)), "{outside:?}");
        }
        let all = Span::of(&KeyRange::all());
        assert!(all.covers(&dir) && all.covers(&Span::of(&KeyRange::from_key("a"))) && all.has(b"\xff"));
        let one = Span::of(&KeyRange::one("k"));
        assert!(one.has(b"k") && !one.has(b"k\0") && !one.has(b"j") && one.covers(&one));
        assert!(!one.covers(&Span::of(&KeyRange::prefix("k"))));
    }
}
