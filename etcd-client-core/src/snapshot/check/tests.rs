//! Tests of snapshots that are split in every way, and damaged in every way.

use proptest::{collection::vec, prelude::*};

use super::*;

/// Returns some sectors of a database, followed by their digest.
fn snapshot(sectors: usize) -> Vec<u8> {
    let mut all: Vec<u8> = (0..sectors * 512).map(|at| (at * 31 % 251) as u8).collect();
    let digest = Sha256::digest(&all);
    all.extend_from_slice(&digest);
    all
}

/// Splits a snapshot at `cuts`, each part with the number of bytes that etcd would announce after it.
fn parts(snapshot: &[u8], cuts: &[usize]) -> Vec<(Bytes, u64)> {
    let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut % (snapshot.len() + 1)).collect();
    bounds.extend([0, snapshot.len()]);
    bounds.sort_unstable();
    let data = snapshot.len() - DIGEST_BYTES;
    let part = |bounds: &[usize]| {
        let remaining = data.saturating_sub(bounds[1]) as u64;
        (Bytes::copy_from_slice(&snapshot[bounds[0]..bounds[1]]), remaining)
    };
    bounds.windows(2).map(part).collect()
}

/// Feeds all parts to a check with the limit `max`. Returns the released parts and the result.
fn run_within(
    max: u64,
    parts: impl IntoIterator<Item = (Bytes, u64)>,
) -> (Vec<Bytes>, Result<(), SnapshotFault>) {
    let mut check = SnapshotCheck::new(max);
    let mut released = Vec::new();
    for (part, remaining) in parts {
        if let Err(fault) = check.push(part, remaining) {
            return (released, Err(fault));
        }
        released.extend(std::iter::from_fn(|| check.pop()));
    }
    let finished = check.finish();
    released.extend(std::iter::from_fn(|| check.pop()));
    (released, finished)
}

fn run(parts: impl IntoIterator<Item = (Bytes, u64)>) -> (Vec<Bytes>, Result<(), SnapshotFault>) {
    run_within(u64::MAX, parts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_returns_everything_with_the_digest_last(
        sectors in 1_usize..6,
        cuts in vec(any::<usize>(), 0..60),
        near_the_end in vec(0_usize..70, 0..20),
    ) {
        let snapshot = snapshot(sectors);
        let cuts: Vec<usize> =
            cuts.into_iter().chain(near_the_end.into_iter().map(|back| snapshot.len() - back)).collect();
        let (released, result) = run(parts(&snapshot, &cuts));
        prop_assert_eq!(result, Ok(()));
        prop_assert_eq!(released.concat(), &snapshot[..]);
        prop_assert_eq!(released.last().map(Bytes::len), Some(DIGEST_BYTES));
    }

    #[test]
    fn any_changed_byte_is_detected_before_the_end(
        sectors in 1_usize..6,
        cuts in vec(any::<usize>(), 0..60),
        at in any::<prop::sample::Index>(),
        change in 1_u8..=255,
    ) {
        let mut snapshot = snapshot(sectors);
        let at = at.index(snapshot.len());
        snapshot[at] ^= change;
        let (released, result) = run(parts(&snapshot, &cuts));
        prop_assert_eq!(result, Err(SnapshotFault::Corrupt));
        prop_assert!(released.concat().len() <= snapshot.len() - DIGEST_BYTES);
    }

    #[test]
    fn missing_parts_are_detected(
        sectors in 1_usize..6,
        cuts in vec(any::<usize>(), 1..60),
        keep in any::<prop::sample::Index>(),
    ) {
        let snapshot = snapshot(sectors);
        let all: Vec<_> = parts(&snapshot, &cuts).into_iter().filter(|(part, _)| !part.is_empty()).collect();
        prop_assume!(all.len() > 1);
        let one = keep.index(all.len());
        let cut_off = all[..one].to_vec();
        prop_assert!(run(cut_off).1.is_err(), "cut off after {} of {}", one, all.len());
        let mut gap = all.clone();
        gap.remove(one);
        prop_assert!(run(gap).1.is_err(), "without part {} of {}", one, all.len());
    }

    #[test]
    fn arbitrary_parts_never_panic(
        parts in vec((vec(any::<u8>(), 0..100), any::<u64>()), 0..20),
        max in any::<u64>(),
    ) {
        let length: usize = parts.iter().map(|(part, _)| part.len()).sum();
        let (released, _) = run_within(max, parts.into_iter().map(|(part, remaining)| (part.into(), remaining)));
        prop_assert!(released.concat().len() <= length);
    }
}

/// Returns the parts of a snapshot of four sectors: one part per sector, and one for the digest.
fn honest() -> Vec<(Bytes, u64)> {
    parts(&snapshot(4), &[512, 1024, 1536, 2048])
}

#[test]
fn parts_are_handed_on_as_they_came() {
    let parts = honest();
    let mut check = SnapshotCheck::new(u64::MAX);
    let (first, remaining) = parts[0].clone();
    check.push(first.clone(), remaining).expect("announced");
    assert_eq!(check.pop(), None, "the digest may be its end");
    check.push(parts[1].0.clone(), parts[1].1).expect("announced");
    assert_eq!(check.pop().map(|part| part.as_ptr()), Some(first.as_ptr()), "not copied");
    assert_eq!((check.length(), check.announced()), (1024, Some(2080)));
}

#[test]
fn a_part_that_hides_the_digest_is_cut() {
    let (released, result) = run([(snapshot(1).into(), 0)]);
    assert_eq!(result, Ok(()));
    assert_eq!(released.iter().map(Bytes::len).collect::<Vec<_>>(), [512, 32]);
}

#[test]
fn a_digest_that_is_announced_is_none_too_many() {
    let counted = honest().into_iter().map(|(part, remaining)| {
        let digest = part.len() == DIGEST_BYTES;
        (part, if digest { 0 } else { remaining + DIGEST_BYTES as u64 })
    });
    assert_eq!(run(counted).1, Ok(()));
}

#[test]
fn nothing_and_nothing_but_a_digest() {
    assert_eq!(run([]).1, Err(SnapshotFault::Empty { length: 0 }));
    assert_eq!(run([(Bytes::new(), 0)]).1, Err(SnapshotFault::Empty { length: 0 }));
    assert_eq!(run([(snapshot(0).into(), 0)]).1, Err(SnapshotFault::Empty { length: 32 }));
    assert_eq!(run([("short".into(), 0)]).1, Err(SnapshotFault::Empty { length: 5 }));
}

#[test]
fn received_bytes_match_the_announcement() {
    let mut truncated = honest();
    truncated.truncate(2);
    assert_eq!(run(truncated).1, Err(SnapshotFault::Truncated { missing: 1024 }));
    let mut without_digest = honest();
    without_digest.pop();
    assert_eq!(run(without_digest).1, Err(SnapshotFault::NoDigest { length: 2048 }));
    let mut zero = honest();
    zero[0].1 = 0;
    assert_eq!(run(zero).1, Err(SnapshotFault::Longer { announced: 512 }));
    let mut growing = honest();
    growing[2].1 = 5_000;
    assert_eq!(run(growing).1, Err(SnapshotFault::Unsteady { length: 1536, remaining: 5_000 }));
    let mut late = honest();
    late[4].1 = 7;
    assert_eq!(run(late).1, Err(SnapshotFault::Unsteady { length: 2080, remaining: 7 }));
    let mut negative = honest();
    negative[0].1 = u64::MAX;
    assert_eq!(run(negative).1, Err(SnapshotFault::Unsteady { length: 512, remaining: u64::MAX }));
    let mut huge = honest();
    huge[0].1 = u64::MAX - 512;
    assert_eq!(run(huge).1, Err(SnapshotFault::Unsteady { length: 1024, remaining: 1024 }));
}

#[test]
fn the_largest_that_is_taken_includes_the_digest() {
    assert_eq!(run_within(2080, honest()).1, Ok(()));
    let too_large = |max| Err(SnapshotFault::TooLarge { max });
    assert_eq!(run_within(2079, honest()).1, too_large(2079));
    let (released, result) = run_within(2047, honest());
    assert_eq!((released.len(), result), (0, too_large(2047)), "refused by what is announced");
    let endless = std::iter::repeat_n((Bytes::from(vec![7; 512]), 0), 100);
    assert_eq!(run_within(10_000, endless).1, Err(SnapshotFault::Longer { announced: 512 }));
}
