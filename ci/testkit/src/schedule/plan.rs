//! Plans: the faults of a cluster with their times, which depend on a seed only.

use std::{fmt, time::Duration};

use fastrand::Rng;

use crate::Direction;

/// Something that can happen to a member, or to its links to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// The process is killed (SIGKILL), and started again with its data when the time is over.
    Kill,
    /// The process is frozen (SIGSTOP) and continues at the end.
    Pause,
    /// Traffic between clients and the member is dropped in one direction or in both. The connections stay open.
    Blackhole(Direction),
    /// Traffic between clients and the member is delayed in a direction by this much and keeps its spacing.
    Delay(Direction, Duration),
    /// Traffic between clients and the member is held in a direction until the end, even if the client is gone.
    Hold(Direction),
    /// Every connection of a client is reset.
    Reset,
    /// History that was witnessed is compacted.
    Compact,
    /// The leader hands leadership to the member.
    MoveLeader,
}

impl Verb {
    /// Returns `true` for a fault with a duration, in which the member is unusable.
    #[must_use]
    pub fn lasts(self) -> bool {
        matches!(self, Self::Kill | Self::Pause | Self::Blackhole(_) | Self::Delay(..) | Self::Hold(_))
    }

    fn draw(rng: &mut Rng) -> Self {
        match rng.u8(0..12) {
            0 | 1 => Self::Kill,
            2 | 3 => Self::Pause,
            4 => Self::Blackhole(Direction::Both),
            5 => Self::Blackhole(Direction::ToServer),
            6 => Self::Blackhole(Direction::ToClient),
            _ => Self::draw_brief(rng),
        }
    }

    /// As likely one of [`draw`](Self::draw) as one that keeps requests and delivers them late.
    fn draw_late(rng: &mut Rng) -> Self {
        match rng.u8(0..12) {
            0..6 => Self::draw(rng),
            6 | 7 => Self::Pause,
            8 | 9 => Self::Delay(Direction::ToServer, Duration::from_millis(rng.u64(500..4_000))),
            10 => Self::Hold(Direction::ToServer),
            _ => Self::Hold(Direction::Both),
        }
    }

    /// One that does not last.
    fn draw_brief(rng: &mut Rng) -> Self {
        match rng.u8(0..4) {
            0 | 1 => Self::Compact,
            2 => Self::Reset,
            _ => Self::MoveLeader,
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => f.write_str("kill"),
            Self::Pause => f.write_str("pause"),
            Self::Blackhole(Direction::Both) => f.write_str("blackhole"),
            Self::Blackhole(Direction::ToServer) => f.write_str("blackhole to the server"),
            Self::Blackhole(Direction::ToClient) => f.write_str("blackhole to the client"),
            Self::Delay(direction, by) => write!(f, "delay {direction} by {by:?}"),
            Self::Hold(direction) => write!(f, "hold {direction}"),
            Self::Reset => f.write_str("reset"),
            Self::Compact => f.write_str("compact"),
            Self::MoveLeader => f.write_str("lead"),
        }
    }
}

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The start, from the start of the run. It is later if the previous fault took longer to heal.
    pub at: Duration,
    /// The fault.
    pub verb: Verb,
    /// To which member, by its place in the cluster.
    pub member: usize,
    /// The duration, zero for a fault without one.
    pub lasts: Duration,
}

/// Faults in the order of their times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    seed: u64,
    steps: Vec<Step>,
}

/// The duration of a fault and of the pause after it: from too short to notice to longer than every timeout of the
/// client for an unresponsive member.
const LASTS: std::ops::Range<u64> = 50..6_000;
const PAUSE: std::ops::Range<u64> = 200..3_000;

impl Plan {
    /// Creates a plan for the number of members. Its last fault ends within the duration.
    ///
    /// Faults with a duration do not overlap, so that a majority is always up. Others happen between and during them.
    ///
    /// # Panics
    ///
    /// Panics if there are no members.
    #[must_use]
    pub fn random(seed: u64, members: usize, length: Duration) -> Self {
        Self::drawn(Verb::draw, seed, members, length)
    }

    /// As [`random`](Self::random), with as many faults again that deliver requests late: members paused, links delayed
    /// and held.
    ///
    /// # Panics
    /// When there are no members.
    #[must_use]
    pub fn late(seed: u64, members: usize, length: Duration) -> Self {
        Self::drawn(Verb::draw_late, seed, members, length)
    }

    fn drawn(draw: fn(&mut Rng) -> Verb, seed: u64, members: usize, length: Duration) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (mut steps, mut at) = (Vec::new(), Duration::ZERO);
        loop {
            at += Duration::from_millis(rng.u64(PAUSE));
            let (verb, member) = (draw(&mut rng), rng.usize(0..members));
            let lasts = if verb.lasts() { Duration::from_millis(rng.u64(LASTS)) } else { Duration::ZERO };
            if at + lasts > length {
                return Self { seed, steps };
            }
            steps.push(Step { at, verb, member, lasts });
            if verb.lasts() && members > 1 && rng.bool() {
                let at = at + lasts.mul_f64(rng.f64());
                let member = (member + rng.usize(1..members)) % members;
                steps.push(Step { at, verb: Verb::draw_brief(&mut rng), member, lasts: Duration::ZERO });
            }
            at += lasts;
        }
    }

    /// Exactly these faults.
    #[must_use]
    pub fn of(steps: Vec<Step>) -> Self {
        Self { seed: 0, steps }
    }

    /// As long as the longest of two that were drawn apart: faults of one may happen while the other's last.
    ///
    /// With three members this can take the majority down.
    #[must_use]
    pub fn overlapping(seed: u64, members: usize, length: Duration) -> Self {
        let mut plan = Self::random(seed, members, length);
        plan.steps.extend(Self::random(!seed, members, length).steps);
        plan.steps.sort_by_key(|step| step.at);
        plan
    }

    /// Without those of one kind.
    #[must_use]
    pub fn without(mut self, verb: Verb) -> Self {
        self.steps.retain(|step| step.verb != verb);
        self
    }

    /// And then these, whose times count from `at`.
    #[must_use]
    pub fn followed_by(mut self, at: Duration, steps: impl IntoIterator<Item = Step>) -> Self {
        self.steps.extend(steps.into_iter().map(|step| Step { at: at + step.at, ..step }));
        self
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The faults.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl Step {
    /// A fault that begins so long after the start of the run.
    #[must_use]
    pub fn new(at: Duration, verb: Verb, member: usize, lasts: Duration) -> Self {
        Self { at, verb, member, lasts }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} m{}", self.at, self.verb, self.member)?;
        if self.verb.lasts() { write!(f, " for {:?}", self.lasts) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const LENGTH: Duration = Duration::from_secs(60);

    #[test]
    fn one_kind_can_be_left_out() {
        let all = Plan::random(7, 3, LENGTH);
        let paused = |plan: &Plan| plan.steps().iter().filter(|step| step.verb == Verb::Pause).count();
        let rest = all.clone().without(Verb::Pause);
        assert!(paused(&all) > 0);
        assert_eq!((paused(&rest), rest.steps().len()), (0, all.steps().len() - paused(&all)));
    }

    #[test]
    fn a_seed_gives_the_same_plan_again_and_another_one_another() {
        assert_eq!(Plan::random(7, 3, LENGTH), Plan::random(7, 3, LENGTH));
        assert_ne!(Plan::random(7, 3, LENGTH).steps(), Plan::random(8, 3, LENGTH).steps());
    }

    #[test]
    fn late_plans_delay_hold_and_pause_each_member() {
        let plans = (0..100).map(|seed| Plan::late(seed, 3, LENGTH));
        let steps: Vec<Step> = plans.flat_map(|plan| plan.steps).collect();
        for member in 0..3 {
            let any = |wanted: fn(Verb) -> bool| {
                steps.iter().any(|step| step.member == member && wanted(step.verb) && !step.lasts.is_zero())
            };
            assert!(any(
                |verb| matches!(verb, Verb::Delay(Direction::ToServer, by) if by >= Duration::from_secs(3))
            ));
            assert!(any(|verb| verb == Verb::Hold(Direction::ToServer)));
            assert!(any(|verb| verb == Verb::Hold(Direction::Both)));
            assert!(any(|verb| verb == Verb::Pause) && any(|verb| verb == Verb::Kill));
        }
        assert!(steps.iter().all(|step| step.at + step.lasts <= LENGTH));
    }

    #[test]
    fn no_two_faults_last_at_once_unless_asked() {
        let overlaps = |plan: &Plan| {
            let lasting: Vec<_> = plan.steps().iter().filter(|step| step.verb.lasts()).collect();
            let pairs = lasting.windows(2);
            pairs.filter(|pair| pair[0].at + pair[0].lasts > pair[1].at).count()
        };
        let plans = |draw: fn(u64, usize, Duration) -> Plan| (0..200).map(move |seed| draw(seed, 3, LENGTH));
        assert_eq!(plans(Plan::random).map(|plan| overlaps(&plan)).sum::<usize>(), 0);
        assert!(plans(Plan::overlapping).map(|plan| overlaps(&plan)).sum::<usize>() > 200);
    }

    #[test]
    fn every_fault_of_every_member_comes_up_and_ends_in_time() {
        let plans = (0..100).map(|seed| Plan::random(seed, 3, LENGTH));
        let steps: Vec<Step> = plans.flat_map(|plan| plan.steps).collect();
        let drawn: HashSet<(Verb, usize)> = steps.iter().map(|step| (step.verb, step.member)).collect();
        assert_eq!(drawn.len(), 8 * 3);
        assert!(steps.iter().all(|step| step.at + step.lasts <= LENGTH));
        assert!(steps.iter().all(|step| step.verb.lasts() != step.lasts.is_zero()));
    }
}
