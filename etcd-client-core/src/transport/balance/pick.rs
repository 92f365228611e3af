//! The choice of a connection for a call: usually the cheaper of two random ones.

/// The preference class of a connection for one call. Lower is better, and a worse class is used only if there is no
/// better one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing(u8);

impl Standing {
    pub(crate) const GOOD: Self = Self(0);
    /// The call's policy prefers other members.
    pub(crate) const OTHERS_PREFERRED: Self = Self(1);
    /// This call has already failed there.
    pub(crate) const TRIED: Self = Self(2);
    /// The member's calls have failed recently.
    pub(crate) const EJECTED: Self = Self(4);
    /// Another connection of this call was silent, and nothing was received on this one since.
    pub(crate) const UNPROVEN: Self = Self(8);
    /// It was silent for a while, and a PING is in progress.
    pub(crate) const DOUBTFUL: Self = Self(16);

    #[must_use]
    pub(crate) fn and_if(self, condition: bool, other: Self) -> Self {
        if condition { Self(self.0 | other.0) } else { self }
    }
}

/// The cost of a connection for a call: its class first, then the value to minimize.
pub(crate) type Rating = (Standing, u64);

/// The method of choosing among connections of the same class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The cheaper of two random ones, so that concurrent callers do not all choose the same connection.
    TwoRandom(u64),
    /// Round robin from this position, regardless of cost.
    InTurn(usize),
    /// The cheapest.
    Cheapest,
}

/// Returns the index of the connection to use, or `None` if none is usable.
///
/// `rate` returns `None` for a connection that cannot take a call.
pub(crate) fn pick(
    candidates: usize,
    rate: impl Fn(usize) -> Option<Rating>,
    choice: Choice,
) -> Option<usize> {
    match (candidates, choice) {
        (0, _) => None,
        (1, _) => rate(0).map(|_| 0),
        (_, Choice::TwoRandom(random)) => {
            two_random(candidates, &rate, random).or_else(|| best(candidates, &rate, random as usize))
        }
        (_, Choice::InTurn(turn)) => in_turn(candidates, &rate, turn),
        (_, Choice::Cheapest) => best(candidates, &rate, 0),
    }
}

/// Returns the cheaper of two random good ones, or `None` if neither is good and all have to be compared.
fn two_random(candidates: usize, rate: &impl Fn(usize) -> Option<Rating>, random: u64) -> Option<usize> {
    let (low, high) = (random as u32 as usize, (random >> 32) as usize);
    let first = low % candidates;
    // The offset is from 1 to `candidates - 1`, so the second index differs from the first.
    let second = (first + 1 + high % (candidates - 1)) % candidates;
    let cost = |i: usize| rate(i).filter(|(standing, _)| *standing == Standing::GOOD).map(|(_, cost)| cost);
    match (cost(first), cost(second)) {
        (Some(a), Some(b)) => Some(if b < a { second } else { first }),
        (Some(_), None) => Some(first),
        (None, Some(_)) => Some(second),
        (None, None) => None,
    }
}

/// Returns the best one. Among equals it is the first from `start` on.
fn best(candidates: usize, rate: &impl Fn(usize) -> Option<Rating>, start: usize) -> Option<usize> {
    let start = start % candidates;
    (0..candidates)
        .map(|i| (start + i) % candidates)
        .filter_map(|i| Some((rate(i)?, i)))
        .min_by_key(|(rating, _)| *rating)
        .map(|(_, i)| i)
}

/// Returns the first one of the best class from `turn` on.
fn in_turn(candidates: usize, rate: &impl Fn(usize) -> Option<Rating>, turn: usize) -> Option<usize> {
    best(candidates, &|i| Some((rate(i)?.0, 0)), turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Standing = Standing::GOOD;

    fn randoms() -> impl Iterator<Item = u64> {
        (0..30_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn choices() -> impl Iterator<Item = Choice> {
        let random = randoms().take(1_000).map(Choice::TwoRandom);
        random.chain((0..9).map(Choice::InTurn)).chain([Choice::Cheapest])
    }

    #[test]
    fn no_candidates_give_no_pick() {
        for choice in choices() {
            assert_eq!(pick(0, |_| Some((GOOD, 0)), choice), None);
        }
    }

    #[test]
    fn a_full_connection_is_never_picked() {
        for choice in choices() {
            assert_eq!(pick(1, |_| None, choice), None);
            assert_eq!(pick(3, |_| None, choice), None);
            assert_eq!(pick(3, |i| (i == 2).then_some((GOOD, 900)), choice), Some(2));
        }
    }

    #[test]
    fn the_cheaper_of_two_wins() {
        let cost = |i| Some((GOOD, if i == 0 { 5 } else { 1 }));
        for random in randoms() {
            assert_eq!(pick(2, cost, Choice::TwoRandom(random)), Some(1));
        }
        assert_eq!(pick(2, cost, Choice::Cheapest), Some(1));
    }

    #[test]
    fn worse_standing_is_used_last() {
        let standings = [
            GOOD,
            Standing::OTHERS_PREFERRED,
            Standing::TRIED,
            Standing::TRIED.and_if(true, Standing::OTHERS_PREFERRED),
            Standing::EJECTED,
            Standing::EJECTED.and_if(true, Standing::TRIED),
            Standing::UNPROVEN,
            Standing::DOUBTFUL,
        ];
        for (better, worse) in standings.iter().zip(&standings[1..]) {
            for choice in choices() {
                let rate = |i| Some(if i == 2 { (*better, 1_000) } else { (*worse, 0) });
                assert_eq!(pick(3, rate, choice), Some(2), "{better:?} {worse:?} {choice:?}");
                assert!(pick(3, |_| Some((*worse, 0)), choice).is_some());
            }
        }
        assert_eq!(pick(1, |_| Some((Standing::DOUBTFUL, 0)), Choice::Cheapest), Some(0));
    }

    #[test]
    fn equal_connections_are_shared_evenly() {
        for standing in [GOOD, Standing::TRIED] {
            let mut shares = [0_u32; 3];
            for random in randoms() {
                let picked = pick(3, |_| Some((standing, 0)), Choice::TwoRandom(random));
                shares[picked.expect("three candidates")] += 1;
            }
            assert!(shares.iter().all(|&n| (9_000..=11_000).contains(&n)), "{shares:?}");
        }
    }

    #[test]
    fn each_in_turn() {
        let turns: Vec<_> =
            (0..6).filter_map(|turn| pick(3, |i| Some((GOOD, i as u64)), Choice::InTurn(turn))).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2]);
        let without_one: Vec<_> = (0..6)
            .filter_map(|turn| pick(3, |i| (i != 1).then_some((GOOD, 0)), Choice::InTurn(turn)))
            .collect();
        assert_eq!(without_one, [0, 2, 2, 0, 2, 2]);
    }
}
