//! Keys, ranges, values and revisions.

use bytes::Bytes;
use fastrand::Rng;

use super::{among, one_in, weighted};
use crate::operation::{COMPACTED, CURRENT};

const KEYS: [&[u8]; 7] = [b"a", b"b", b"c", b"d", b"ab", b"c\0", b"b\xff"];
const VALUES: [&[u8]; 6] = [b"", b"0", b"1", b"2", b"10", b"\xff"];

pub(super) fn key(rng: &mut Rng) -> Bytes {
    if one_in(rng, 60) {
        return Bytes::from_static(among::<&[u8]>(rng, &[b"", b"\0", b"z"]));
    }
    Bytes::from_static(among(rng, &KEYS))
}

pub(super) fn value(rng: &mut Rng) -> Bytes {
    Bytes::from_static(among(rng, &VALUES))
}

/// The key and the end of a range.
pub(super) fn range(rng: &mut Rng) -> (Bytes, Bytes) {
    let key = key(rng);
    match weighted(rng, &[(40, 0), (25, 1), (10, 2), (10, 3), (8, 4), (4, 5), (3, 6)]) {
        0 => (key, Bytes::new()),
        1 => bounded(key, self::key(rng)),
        2 => {
            let end = prefix_end(&key);
            (key, end)
        }
        3 => (key, Bytes::from_static(b"\0")),
        4 => (Bytes::from_static(b"\0"), Bytes::from_static(b"\0")),
        5 => (key, self::key(rng)),
        _ => (key.clone(), key),
    }
}

fn bounded(one: Bytes, other: Bytes) -> (Bytes, Bytes) {
    if one <= other { (one, other) } else { (other, one) }
}

/// The end of the range of all keys with this prefix.
fn prefix_end(key: &[u8]) -> Bytes {
    let mut end = key.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end.into();
        }
    }
    Bytes::from_static(b"\0")
}

/// A revision to read or to watch from, often none.
pub(super) fn revision(rng: &mut Rng) -> i64 {
    if rng.bool() { 0 } else { any_revision(rng) }
}

/// A revision in the near past, around the compacted one, in the future, or an impossible one.
pub(super) fn any_revision(rng: &mut Rng) -> i64 {
    match weighted(rng, &[(60, 0), (20, 1), (8, 2), (5, 3)]) {
        0 => CURRENT - rng.i64(0..12),
        1 => COMPACTED + rng.i64(-1..4),
        2 => CURRENT + rng.i64(1..4),
        _ => among(rng, &[-1, 1, i64::MAX, i64::MIN, -7]),
    }
}
