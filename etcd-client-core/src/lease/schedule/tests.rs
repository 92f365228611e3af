//! Tests of the schedule, on its own and against simulated members.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn lease(number: i64) -> LeaseId {
    LeaseId::new(number).expect("not zero")
}

/// The state of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Answers,
    /// It accepts streams and sends no answers.
    Hangs,
    /// It accepts no streams, and its existing ones break.
    Down,
}

#[derive(Debug)]
struct Open {
    member: usize,
    owed: VecDeque<(LeaseId, Duration)>,
    /// The time when it began to process the first of these.
    since: Duration,
}

/// Simulated members, the leases of a client, and the clock.
#[derive(Debug)]
struct World {
    now: Duration,
    schedule: Schedule,
    moods: Vec<Mood>,
    /// The time that a member needs for one renewal.
    takes: Duration,
    /// The leases whose renewals a member fails.
    rejected: HashSet<LeaseId>,
    /// The leases that a member is slow with, and the additional delays.
    slow: HashMap<LeaseId, Duration>,
    streams: BTreeMap<StreamId, Open>,
    opening: Vec<(StreamId, Vec<Route>)>,
    ttls: HashMap<LeaseId, Duration>,
    /// The time until which a member keeps a lease.
    kept: HashMap<LeaseId, Duration>,
    renewed: HashMap<LeaseId, Vec<Duration>>,
    lost: Vec<(LeaseId, Gone)>,
    asks: usize,
    opens: usize,
    most_streams: usize,
}

impl World {
    fn new(members: usize) -> Self {
        Self {
            now: Duration::ZERO,
            schedule: Schedule::new(7),
            moods: vec![Mood::Answers; members],
            takes: Duration::from_micros(100),
            rejected: HashSet::new(),
            slow: HashMap::new(),
            streams: BTreeMap::new(),
            opening: Vec::new(),
            ttls: HashMap::new(),
            kept: HashMap::new(),
            renewed: HashMap::new(),
            lost: Vec::new(),
            asks: 0,
            opens: 0,
            most_streams: 0,
        }
    }

    fn add(&mut self, number: i64, ttl: Duration) -> LeaseId {
        let id = lease(number);
        self.ttls.insert(id, ttl);
        self.kept.insert(id, self.now + ttl);
        self.schedule.add(id, ttl, self.now, self.now);
        self.act();
        id
    }

    fn act(&mut self) {
        while let Some(action) = self.schedule.action() {
            match action {
                Action::Open { stream, avoid } => {
                    self.opens += 1;
                    self.opening.push((stream, avoid));
                }
                Action::Ask { stream, lease } => {
                    self.asks += 1;
                    let open = self.streams.get_mut(&stream).expect("asked on an open stream");
                    assert!(open.owed.iter().all(|(owed, _)| *owed != lease), "two in flight on one stream");
                    if open.owed.is_empty() {
                        open.since = self.now;
                    }
                    open.owed.push_back((lease, self.now));
                }
                Action::Close { stream, .. } => {
                    self.streams.remove(&stream);
                    self.opening.retain(|(opening, _)| *opening != stream);
                }
                Action::Renewed { lease, ttl, deadline } => {
                    assert!(deadline <= self.now + ttl, "beyond what a renewal sent now would give");
                    assert!(deadline <= self.kept[&lease], "a member keeps it for less long");
                    self.renewed.entry(lease).or_default().push(self.now);
                }
                Action::Late { .. } => {}
                Action::Lost { lease, why } => self.lost.push((lease, why)),
            }
        }
        self.most_streams = self.most_streams.max(self.streams.len());
    }

    fn open(&mut self) {
        for (stream, avoid) in std::mem::take(&mut self.opening) {
            let up = |member: &usize| self.moods[*member] != Mood::Down;
            let member = (0..self.moods.len()).filter(up).min_by_key(|member| avoid.contains(&on(*member)));
            let Some(member) = member else {
                self.schedule.ended(stream, End::Broken, self.now);
                continue;
            };
            self.streams.insert(stream, Open { member, owed: VecDeque::new(), since: self.now });
            self.schedule.opened(stream, on(member), self.now);
            self.act();
        }
    }

    fn answer(&mut self) {
        let ids: Vec<StreamId> = self.streams.keys().copied().collect();
        for id in ids {
            while let Some(open) = self.streams.get_mut(&id) {
                if self.moods[open.member] == Mood::Down {
                    self.streams.remove(&id);
                    self.schedule.ended(id, End::Broken, self.now);
                    self.act();
                    break;
                }
                let Some((lease, sent)) = open.owed.front().copied() else { break };
                if self.moods[open.member] == Mood::Hangs {
                    open.since = self.now;
                }
                let done = open.since.max(sent) + self.slow.get(&lease).copied().unwrap_or(self.takes);
                if self.moods[open.member] == Mood::Hangs || done > self.now {
                    break;
                }
                if self.rejected.contains(&lease) {
                    self.streams.remove(&id);
                    assert_eq!(self.schedule.ended(id, End::Blamed, self.now), Some(lease));
                    self.act();
                    break;
                }
                open.owed.pop_front();
                open.since = done;
                let lives = self.kept.get(&lease).is_some_and(|until| *until > done);
                let ttl = self.ttls[&lease];
                if lives {
                    let kept = self.kept[&lease].max(done + ttl);
                    self.kept.insert(lease, kept);
                }
                self.schedule.answered(id, lease, lives.then_some(ttl), self.now);
                self.act();
            }
        }
    }

    /// Advances the clock in steps of 20 ms.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now = end.min(self.now + ms(20));
            self.open();
            self.answer();
            self.schedule.tick(self.now);
            self.act();
            if self.ttls.len() < 100 {
                self.schedule.check();
            }
        }
        self.schedule.check();
    }

    fn most_between(&self, lease: LeaseId) -> Duration {
        let times = &self.renewed[&lease];
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }
}

impl Schedule {
    /// Checks the invariants that hold after every step.
    fn check(&self) {
        for (id, entry) in &self.leases {
            assert!(self.wakes.contains(&(entry.wake, Wake::Lease(*id))), "nobody looks at {id}");
            if let Some(home) = entry.home {
                assert!(self.streams[&home].homes.contains(id));
            }
            for asked in &entry.asks {
                assert!(self.streams[asked].unanswered().any(|owed| owed == *id), "{asked:?} owes nothing");
            }
        }
        let of_leases = self.wakes.iter().filter(|(_, wake)| matches!(wake, Wake::Lease(_))).count();
        assert_eq!(of_leases, self.leases.len());
        for (id, stream) in &self.streams {
            assert!(stream.homes.iter().all(|lease| self.leases[lease].home == Some(*id)));
            let hedge = |entry: &&Entry| entry.round.as_ref().is_some_and(|round| round.hedge == Some(*id));
            assert_eq!(stream.guests(), self.leases.values().filter(hedge).count());
            assert!(!stream.homes.is_empty() || stream.guests() > 0, "an idle stream is left open");
        }
    }
}

#[test]
fn renewed_at_a_third_of_its_time_and_dispersed_from_the_start() {
    let mut world = World::new(1);
    for number in 1..=100 {
        world.add(number, 60 * SECOND);
    }
    world.run(600 * SECOND);
    assert_eq!((world.lost.len(), world.streams.len(), world.opens), (0, 1, 1));
    for number in 1..=100 {
        let times = &world.renewed[&lease(number)];
        assert!(times[0] >= 9 * SECOND && times[0] <= 20 * SECOND + ms(20), "first after {:?}", times[0]);
        for pair in times.windows(2) {
            let between = pair[1] - pair[0];
            assert!(between >= 19 * SECOND && between <= 20 * SECOND + ms(20), "{between:?}");
        }
    }
    let firsts: HashSet<Duration> = world.renewed.values().map(|times| times[0]).collect();
    assert!(firsts.len() > 15, "those that were granted together are renewed at {} times", firsts.len());
}

#[test]
fn leases_that_are_due_at_about_the_same_time_are_renewed_together() {
    let mut world = World::new(1);
    world.takes = Duration::from_micros(10);
    for number in 1..=1_000 {
        world.add(number, 30 * SECOND);
        // Granted one after the other, not at once.
        world.now += ms(3);
    }
    world.run(100 * SECOND);
    let times: HashSet<Duration> = world.renewed.values().flatten().copied().collect();
    let renewals: usize = world.renewed.values().map(Vec::len).sum();
    assert!(renewals > 9_000, "{renewals}");
    // Four a second, where each lease alone would be renewed in a step of its own.
    assert!(times.len() < 450, "{renewals} renewals were answered at {} times", times.len());
}

#[test]
fn a_crowd_disperses() {
    let ttl = 30 * SECOND;
    let dues = |took: Duration| -> HashSet<Duration> {
        let due = |number: u32| {
            let mut entry = Entry::new(ttl, Duration::ZERO);
            entry.renewed(ttl, 5 * SECOND, 5 * SECOND + took, f64::from(number) / 100.0);
            assert!(entry.due <= 15 * SECOND && entry.due > 12 * SECOND, "{:?}", entry.due);
            entry.due
        };
        (0..100).map(due).collect()
    };
    assert_eq!(dues(ms(20)).len(), 1, "leases keep their places");
    assert!(dues(SECOND).len() > 6);
}

#[test]
fn leases_share_streams_up_to_a_number() {
    let mut world = World::new(1);
    for number in 1..=5_000 {
        world.add(number, 60 * SECOND);
    }
    world.run(ms(10));
    assert_eq!(world.streams.len(), 3);
    for number in 1..=5_000 {
        world.schedule.remove(lease(number), world.now);
    }
    world.act();
    assert!(world.streams.is_empty(), "streams end with their last lease");
    assert!(world.schedule.next_wake().is_none() && world.schedule.is_empty());
}

/// Returns the route of an endpoint's only connection.
fn on(endpoint: usize) -> Route {
    Route { endpoint, connection: endpoint }
}

/// As behind a gateway: there is no other endpoint, and the member behind the connection has stopped.
#[test]
fn late_renewal_moves_to_another_connection_of_the_endpoint() {
    let (stopped, fresh) = (Route { endpoint: 0, connection: 1 }, Route { endpoint: 0, connection: 2 });
    let mut schedule = Schedule::new(1);
    schedule.add(lease(1), 8 * SECOND, Duration::ZERO, Duration::ZERO);
    let Some(Action::Open { stream: first, .. }) = schedule.action() else { panic!("a stream is opened") };
    schedule.opened(first, stopped, Duration::ZERO);
    let sent = schedule.next_wake().expect("it is to be renewed");
    schedule.tick(sent);
    assert_eq!(schedule.action(), Some(Action::Ask { stream: first, lease: lease(1) }));
    let late = schedule.next_wake().expect("an answer is due");
    schedule.tick(late);
    assert_eq!(schedule.action(), Some(Action::Late { lease: lease(1), on: vec![stopped] }));
    let Some(Action::Open { stream: second, avoid }) = schedule.action() else { panic!("another stream") };
    assert_eq!(avoid, [stopped]);
    schedule.opened(second, fresh, late);
    let rest: Vec<Action> = std::iter::from_fn(|| schedule.action()).collect();
    assert!(rest.contains(&Action::Ask { stream: second, lease: lease(1) }), "{rest:?}");
    schedule.answered(second, lease(1), Some(8 * SECOND), late);
    let rest: Vec<Action> = std::iter::from_fn(|| schedule.action()).collect();
    let renewed = Action::Renewed { lease: lease(1), ttl: 8 * SECOND, deadline: late + 8 * SECOND };
    assert!(rest.contains(&renewed), "{rest:?}");
}

#[test]
fn a_renewal_answered_late_counts_from_when_it_was_sent() {
    for delay in [ms(0), ms(100), ms(1_500), SECOND * 3] {
        let mut schedule = Schedule::new(1);
        schedule.add(lease(1), 10 * SECOND, Duration::ZERO, Duration::ZERO);
        let Some(Action::Open { stream, .. }) = schedule.action() else { panic!("a stream is opened") };
        schedule.opened(stream, on(0), Duration::ZERO);
        let sent = schedule.next_wake().expect("it is to be renewed");
        schedule.tick(sent);
        assert_eq!(schedule.action(), Some(Action::Ask { stream, lease: lease(1) }));
        schedule.answered(stream, lease(1), Some(10 * SECOND), sent + delay);
        let renewed = Action::Renewed { lease: lease(1), ttl: 10 * SECOND, deadline: sent + 10 * SECOND };
        assert_eq!(schedule.action(), Some(renewed), "after {delay:?}");
    }
}

#[test]
fn hung_member_is_abandoned_within_the_timeout() {
    let mut world = World::new(3);
    let ids: Vec<LeaseId> = (1..=50).map(|number| world.add(number, 12 * SECOND)).collect();
    world.run(10 * SECOND);
    world.moods[0] = Mood::Hangs;
    world.run(60 * SECOND);
    assert_eq!(world.lost, []);
    for id in ids {
        // A third of the TTL, and a sixth until the renewal is hedged on the other member.
        assert!(world.most_between(id) <= 6 * SECOND + ms(50), "{:?}", world.most_between(id));
    }
    world.moods[1] = Mood::Hangs;
    world.run(60 * SECOND);
    assert_eq!(world.lost, [], "the third member is found");
    assert!(world.streams.len() <= 3, "{} streams", world.streams.len());
}

#[test]
fn with_two_of_three_hanging_at_once_the_third_is_found_in_time() {
    let mut world = World::new(3);
    for number in 1..=50 {
        world.add(number, 12 * SECOND);
    }
    world.run(10 * SECOND);
    (world.moods[0], world.moods[1]) = (Mood::Hangs, Mood::Hangs);
    world.run(60 * SECOND);
    assert_eq!(world.lost, []);
}

/// The first member hangs, so the renewal moves to the second one, which restarts while it waits there.
#[test]
fn a_stream_that_breaks_does_not_go_back_to_a_member_that_hangs() {
    let mut world = World::new(3);
    world.moods[1] = Mood::Hangs;
    world.add(8, 20 * SECOND);
    world.add(14, 12 * SECOND);
    world.run(ms(1_380));
    world.moods[0] = Mood::Hangs;
    world.run(ms(1_333 + 1_204 + 1_894));
    world.moods[1] = Mood::Down;
    world.run(ms(1_389));
    world.moods[1] = Mood::Hangs;
    world.run(20 * SECOND);
    assert_eq!(world.lost, []);
}

#[test]
fn ten_thousand_leases_survive_the_loss_of_their_member() {
    let mut world = World::new(3);
    for number in 1..=10_000 {
        world.add(number, 60 * SECOND);
    }
    world.run(60 * SECOND);
    world.moods[0] = Mood::Down;
    let asked = world.asks;
    world.run(60 * SECOND);
    assert_eq!(world.lost.len(), 0);
    let more = world.asks - asked;
    assert!(more <= 45_000, "{more} renewals in a minute of 10,000 leases");
    assert!(world.most_streams <= 10, "{} streams", world.most_streams);
}

#[test]
fn rejected_lease_delays_no_other_and_is_lost_at_its_deadline() {
    let mut world = World::new(1);
    let ids: Vec<LeaseId> = (1..=50).map(|number| world.add(number, 6 * SECOND)).collect();
    world.rejected.insert(ids[7]);
    world.run(30 * SECOND);
    assert_eq!(world.lost, [(ids[7], Gone::Expired)]);
    for id in ids.iter().filter(|id| **id != ids[7]) {
        assert!(world.most_between(*id) <= 2 * SECOND + ms(50), "{:?}", world.most_between(*id));
    }
    assert!(world.opens < 12, "{} streams were opened for it", world.opens);
}

#[test]
fn stalled_lease_gets_its_own_stream_until_it_recovers() {
    let mut world = World::new(1);
    let ids: Vec<LeaseId> = (1..=50).map(|number| world.add(number, 6 * SECOND)).collect();
    let slow = ids[7];
    world.run(6 * SECOND);
    world.slow.insert(slow, ms(1_200));
    world.run(30 * SECOND);
    assert_eq!(world.lost, []);
    let most = ids.iter().filter(|id| **id != slow).map(|id| world.most_between(*id)).max();
    assert!(most <= Some(3 * SECOND + ms(50)), "asked for elsewhere a sixth after the third: {most:?}");
    let own = world.schedule.streams.values().filter(|stream| stream.own).count();
    assert_eq!(own, 1);
    // From now on no other lease is late because of it.
    world.renewed.clear();
    world.run(20 * SECOND);
    for id in ids.iter().filter(|id| **id != slow) {
        assert!(world.most_between(*id) <= 2 * SECOND + ms(50), "{:?}", world.most_between(*id));
    }
    world.slow.clear();
    world.run(300 * SECOND);
    assert_eq!(world.streams.len(), 1, "it shares the stream again");
    assert_eq!(world.lost, []);
}

#[test]
fn blocked_stream_costs_only_the_blocking_lease() {
    let mut world = World::new(1);
    let ids: Vec<LeaseId> = (1..=200).map(|number| world.add(number, 6 * SECOND)).collect();
    world.slow.insert(ids[0], 1_000 * SECOND);
    world.run(60 * SECOND);
    assert_eq!(world.lost, [(ids[0], Gone::Expired)]);
}

#[test]
fn missing_lease_is_lost_immediately() {
    let mut world = World::new(1);
    let ids: Vec<LeaseId> = (1..=3).map(|number| world.add(number, 6 * SECOND)).collect();
    world.run(6 * SECOND);
    world.kept.remove(&ids[1]);
    world.run(3 * SECOND);
    assert_eq!(world.lost, [(ids[1], Gone::NotFound)]);
}

#[test]
fn unrequested_answers_are_ignored() {
    let mut world = World::new(1);
    let id = world.add(1, 6 * SECOND);
    world.run(ms(100));
    let stream = *world.streams.keys().next().expect("open");
    let before = format!("{:?}", world.schedule);
    world.schedule.answered(stream, id, Some(1_000 * SECOND), world.now);
    world.schedule.answered(stream, lease(99), None, world.now);
    world.schedule.answered(StreamId(99), id, None, world.now);
    assert_eq!(world.schedule.ended(StreamId(99), End::Blamed, world.now), None);
    assert_eq!(format!("{:?}", world.schedule), before);
}

#[test]
fn without_any_member_every_lease_is_lost_at_its_deadline_and_streams_are_tried_in_moderation() {
    let mut world = World::new(2);
    world.moods = vec![Mood::Down; 2];
    let ids: Vec<LeaseId> = (1..=20).map(|number| world.add(number, 10 * SECOND)).collect();
    world.run(10 * SECOND - ms(10));
    assert_eq!(world.lost, []);
    world.run(ms(20));
    assert_eq!(world.lost.len(), ids.len());
    assert!(world.opens < 100, "{} attempts in ten seconds", world.opens);
}

#[derive(Clone, Debug)]
enum Step {
    Add(i64),
    Remove(i64),
    Mood(usize, Mood),
    Reject(i64),
    Slow(i64, u64),
    Forgive,
    Replace,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let mood = prop_oneof![Just(Mood::Answers), Just(Mood::Hangs), Just(Mood::Down)];
    prop_oneof![
        4 => (1..30_i64).prop_map(Step::Add),
        1 => (1..30_i64).prop_map(Step::Remove),
        2 => (0..2_usize, mood).prop_map(|(member, mood)| Step::Mood(member, mood)),
        1 => (1..30_i64).prop_map(Step::Reject),
        1 => (1..30_i64, 10..1_000_u64).prop_map(|(id, millis)| Step::Slow(id, millis)),
        1 => Just(Step::Forgive),
        1 => Just(Step::Replace),
        6 => (1..3_000_u64).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// After any sequence of steps, the invariants hold, no deadline is later than the member's, and a lease that was
    /// neither rejected nor slow is kept as long as the third member answers.
    #[test]
    fn one_member_that_answers_is_enough(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new(3);
        let mut troubled = HashSet::new();
        for step in steps {
            match step {
                Step::Add(id) => {
                    world.lost.retain(|(lost, _)| *lost != lease(id));
                    world.add(id, Duration::from_secs(12 + id.unsigned_abs() % 14));
                }
                Step::Remove(id) => world.schedule.remove(lease(id), world.now),
                Step::Mood(member, mood) => world.moods[member] = mood,
                Step::Reject(id) => {
                    world.rejected.insert(lease(id));
                    troubled.insert(lease(id));
                }
                Step::Slow(id, millis) => {
                    world.slow.insert(lease(id), ms(millis));
                    troubled.insert(lease(id));
                }
                Step::Forgive => {
                    world.rejected.clear();
                    world.slow.clear();
                }
                Step::Replace => {
                    let shared: Vec<StreamId> = world.schedule.shared().collect();
                    shared.into_iter().for_each(|stream| world.schedule.replace(stream, world.now));
                }
                Step::Pass(millis) => world.run(ms(millis)),
            }
            world.act();
            world.schedule.check();
            for (lost, _) in &world.lost {
                prop_assert!(troubled.contains(lost), "{lost} was lost");
            }
        }
    }
}
