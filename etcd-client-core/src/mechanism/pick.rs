//! Chooses a connection: the less loaded of two random ones.

/// The index to use among `candidates` connections, or `None` when none may be used.
///
/// `load` gives a connection's requests in flight, or `None` when it can take no more. `avoid` marks connections of the
/// member that failed last: they are used only when nothing else is left. `random` is uniform over all of `u64`.
pub(crate) fn pick(
    candidates: usize,
    load: impl Fn(usize) -> Option<usize>,
    avoid: impl Fn(usize) -> bool,
    random: u64,
) -> Option<usize> {
    match candidates {
        0 => None,
        1 => load(0).map(|_| 0),
        _ => two_choices(candidates, &load, &avoid, random)
            .or_else(|| least_loaded(candidates, &load, |i| !avoid(i)))
            .or_else(|| least_loaded(candidates, &load, |_| true)),
    }
}

fn two_choices(
    candidates: usize,
    load: &impl Fn(usize) -> Option<usize>,
    avoid: &impl Fn(usize) -> bool,
    random: u64,
) -> Option<usize> {
    let (low, high) = (random as u32 as usize, (random >> 32) as usize);
    let first = low % candidates;
    let second = (first + 1 + high % (candidates - 1)) % candidates;
    let usable = |i: usize| if avoid(i) { None } else { load(i) };
    match (usable(first), usable(second)) {
        (Some(a), Some(b)) => Some(if b < a { second } else { first }),
        (Some(_), None) => Some(first),
        (None, Some(_)) => Some(second),
        (None, None) => None,
    }
}

fn least_loaded(
    candidates: usize,
    load: &impl Fn(usize) -> Option<usize>,
    usable: impl Fn(usize) -> bool,
) -> Option<usize> {
    (0..candidates).filter(|&i| usable(i)).filter_map(|i| Some((load(i)?, i))).min().map(|(_, i)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_of_nothing() {
        assert_eq!(pick(0, |_| Some(0), |_| false, 7), None);
    }

    #[test]
    fn a_full_connection_is_never_picked() {
        assert_eq!(pick(1, |_| None, |_| false, 7), None);
        for random in 0..1000_u64 {
            let random = random.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            assert_eq!(pick(3, |i| (i == 2).then_some(900), |_| false, random), Some(2));
        }
    }

    #[test]
    fn the_less_loaded_of_two_wins() {
        for random in 0..1000_u64 {
            let random = random.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            assert_eq!(pick(2, |i| Some(if i == 0 { 5 } else { 1 }), |_| false, random), Some(1));
        }
    }

    #[test]
    fn the_failed_member_is_the_last_resort() {
        for random in 0..1000_u64 {
            let random = random.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            assert_eq!(pick(3, |i| Some(i * 100), |i| i != 2, random), Some(2));
            assert!(pick(3, |i| Some(i * 100), |_| true, random).is_some());
        }
        assert_eq!(pick(1, |_| Some(0), |_| true, 3), Some(0));
    }

    #[test]
    fn equal_loads_are_shared_evenly() {
        let mut shares = [0_u32; 3];
        for random in 0..30_000_u64 {
            let random = random.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            shares[pick(3, |_| Some(0), |_| false, random).expect("three candidates")] += 1;
        }
        assert!(shares.iter().all(|&n| (9_000..=11_000).contains(&n)), "{shares:?}");
    }
}
