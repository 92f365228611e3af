//! The keys and ranges that an operation may write.

use std::ops::Bound;

use bytes::Bytes;

use crate::{
    txn::{Op, OpResponse},
    types::{Key, KeyRange},
};

/// The keys from `start` to `end`, excluding `end`; without an end, all keys from `start` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Key,
    pub(crate) end: Option<Key>,
}

impl Span {
    /// Returns the span of a range of keys, or `None` if the range is one key.
    pub(crate) fn of(range: &KeyRange) -> Option<Self> {
        let (start, end) = range.bounds();
        match &end[..] {
            b"" => None,
            b"\0" => Some(Self { start: start.into(), end: None }),
            _ => Some(Self { start: start.into(), end: Some(end.into()) }),
        }
    }

    pub(crate) fn contains(&self, key: &Key) -> bool {
        *key >= self.start && self.end.as_ref().is_none_or(|end| key < end)
    }

    /// Returns whether the span and the keys with `prefix` have a key in common.
    pub(crate) fn touches_prefix(&self, prefix: &Key, prefix_end: &Bytes) -> bool {
        let starts_before_end = &prefix_end[..] == b"\0" || self.start.as_bytes() < &prefix_end[..];
        starts_before_end && self.end.as_ref().is_none_or(|end| end > prefix)
    }

    /// Returns the bounds for a map. Those of an empty span are equal, because a map rejects an end before the start.
    pub(super) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let start = self.start.as_bytes();
        let end =
            self.end.as_ref().map_or(Bound::Unbounded, |end| Bound::Excluded(end.as_bytes().max(start)));
        (Bound::Included(start), end)
    }
}

/// The keys and ranges that an operation may write, in any of its branches.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Targets {
    pub(crate) keys: Vec<Key>,
    pub(crate) ranges: Vec<Span>,
}

impl Targets {
    pub(crate) fn of(op: &Op) -> Self {
        let mut targets = Self::default();
        targets.add(op);
        targets.keys.sort_unstable();
        targets.keys.dedup();
        targets.ranges.dedup();
        targets
    }

    fn add(&mut self, op: &Op) {
        match op {
            Op::Get(_) => {}
            Op::Put(put) => self.keys.push(put.key.clone()),
            Op::Delete(delete) => match Span::of(&delete.range) {
                Some(span) => self.ranges.push(span),
                None => self.keys.push(delete.range.key().clone()),
            },
            // The depth was validated, so the recursion is bounded.
            Op::Txn(txn) => txn.success().iter().chain(txn.failure()).for_each(|op| self.add(op)),
        }
    }
}

/// Returns the ranges that an applied operation deleted, given the response to it.
pub(crate) fn deleted_ranges(op: &Op, response: &OpResponse) -> Vec<Span> {
    match (op, response) {
        (Op::Delete(delete), _) => Span::of(&delete.range).into_iter().collect(),
        (Op::Txn(txn), OpResponse::Txn(response)) => {
            let branch = if response.succeeded { txn.success() } else { txn.failure() };
            branch
                .iter()
                .zip(&response.responses)
                .flat_map(|(op, response)| deleted_ranges(op, response))
                .collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kv::{Delete, Get, Put},
        txn::{Txn, TxnResponse},
        types::ResponseHeader,
    };

    fn span(start: &str, end: Option<&str>) -> Span {
        Span { start: start.into(), end: end.map(Key::from) }
    }

    #[test]
    fn collects_written_keys_of_all_branches() {
        let nested =
            Txn::new().then(Put::new("b", "")).or_else((Delete::new("d").prefix(), Put::new("a", "")));
        let op = Op::from(Txn::new().then((Get::new("g"), nested)).or_else(Delete::new("c")));
        let targets = Targets::of(&op);
        assert_eq!(targets.keys, [Key::from("a"), Key::from("b"), Key::from("c")]);
        assert_eq!(targets.ranges, [span("d", Some("e"))]);
    }

    #[test]
    fn spans_cover_the_range_of_a_member() {
        let (ab, from_b) = (span("a", Some("b")), span("b", None));
        assert!(ab.contains(&"a".into()) && ab.contains(&"az".into()) && !ab.contains(&"b".into()));
        assert!(
            from_b.contains(&"b".into()) && from_b.contains(&"z".into()) && !from_b.contains(&"a".into())
        );
        assert_eq!(Span::of(&KeyRange::one("a")), None);
        assert_eq!(Span::of(&KeyRange::all()), Some(span("\0", None)));
        let inverted = span("c", Some("a"));
        assert_eq!(inverted.bounds(), (Bound::Included(&b"c"[..]), Bound::Excluded(&b"c"[..])));
    }

    #[test]
    fn finds_overlap_with_a_prefix() {
        let touches = |span: Span| span.touches_prefix(&"own/".into(), &Bytes::from_static(b"own0"));
        assert!(
            touches(span("\0", None)) && touches(span("own/", Some("own0"))) && touches(span("o", Some("p")))
        );
        assert!(touches(span("own/k", Some("own/l"))));
        assert!(
            !touches(span("a", Some("own/")))
                && !touches(span("own0", None))
                && !touches(span("p", Some("q")))
        );
    }

    #[test]
    fn deleted_ranges_are_those_of_the_applied_branch() {
        let header = ResponseHeader::default();
        let op = Op::from(Txn::new().then(Delete::new("a").prefix()).or_else(Delete::new("b").prefix()));
        let deleted = OpResponse::Delete(crate::kv::DeleteResponse::new(header, 1));
        let response =
            |succeeded| OpResponse::Txn(TxnResponse::new(header, succeeded, vec![deleted.clone()]));
        assert_eq!(deleted_ranges(&op, &response(true)), [span("a", Some("b"))]);
        assert_eq!(deleted_ranges(&op, &response(false)), [span("b", Some("c"))]);
    }
}
