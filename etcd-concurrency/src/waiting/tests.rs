//! The machine on a model of the store: any order of departures, responses, repeated and late events, and lost watches.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;

fn contender(name: &str, create_revision: i64) -> Contender {
    Contender { key: name.into(), create_revision: create_revision.into() }
}

fn position(revision: i64, own: i64, ahead: &[(&str, i64)]) -> QueuePosition {
    QueuePosition {
        revision: revision.into(),
        own: Some(own.into()),
        ahead: ahead.iter().map(|&(name, created)| contender(name, created)).collect(),
    }
}

fn deleted(name: &str, revision: i64) -> Input {
    Input::Deleted { key: name.into(), revision: revision.into() }
}

fn watch(target: Target, from: i64) -> Step {
    Step::Watch { target, from: from.into() }
}

/// Returns a waiter that was created at revision 30, behind `p` of revision 20.
fn behind_p() -> Waiter {
    let (waiter, steps) =
        Waiter::new(contender("me", 30), Scope::Predecessor, position(30, 30, &[("p", 20)]));
    assert_eq!(steps, [watch(Target::Own, 31), watch(Target::Ahead("p".into()), 31)]);
    waiter
}

#[test]
fn acquires_immediately_in_an_empty_queue() {
    let (_, steps) = Waiter::new(contender("me", 30), Scope::Predecessor, position(30, 30, &[]));
    assert_eq!(steps, [Step::Acquired]);
}

#[test]
fn never_waits_for_its_own_key() {
    for scope in [Scope::Predecessor, Scope::Queue { tolerated: 0 }] {
        let (_, steps) = Waiter::new(contender("me", 30), scope, position(30, 30, &[("me", 30)]));
        assert_eq!(steps, [Step::Acquired]);
    }
}

#[test]
fn ignores_deletions_from_before_its_creation() {
    let mut waiter = behind_p();
    assert!(waiter.on(deleted("me", 29)).is_empty());
    assert!(waiter.on(deleted("me", 30)).is_empty());
    assert_eq!(waiter.on(deleted("me", 31)).last(), Some(&Step::Gone));
}

#[test]
fn never_waits_again_for_a_predecessor_that_left() {
    let mut waiter = behind_p();
    assert_eq!(waiter.on(deleted("p", 40)), [Step::Unwatch(Target::Ahead("p".into())), Step::Confirm]);
    let now_behind_a = waiter.on(Input::Position(position(41, 30, &[("a", 10)])));
    assert_eq!(now_behind_a, [watch(Target::Ahead("a".into()), 42)], "the own key is watched already");
    assert!(waiter.on(deleted("p", 40)).is_empty());
    assert_eq!(waiter.on(deleted("a", 50)), [Step::Unwatch(Target::Ahead("a".into())), Step::Confirm]);
    let turn = waiter.on(Input::Position(position(50, 30, &[])));
    assert_eq!(turn, [Step::Unwatch(Target::Own), Step::Acquired]);
    assert!(waiter.on(deleted("me", 60)).is_empty(), "inputs after the end are ignored");
}

#[test]
fn ignores_unrelated_inputs() {
    let mut waiter = behind_p();
    for input in [
        Input::Put,
        deleted("someone", 36),
        deleted("p", 25),
        deleted("me", 29),
        Input::WatchLost(Target::Ahead("another".into())),
        Input::Position(position(37, 30, &[])),
    ] {
        assert!(waiter.on(input.clone()).is_empty(), "{input:?}");
    }
}

#[test]
fn deletion_of_the_own_key_ends_the_wait() {
    let gone = [Step::Unwatch(Target::Ahead("p".into())), Step::Unwatch(Target::Own), Step::Gone];
    assert_eq!(behind_p().on(deleted("me", 40)), gone);
    let mut confirming = behind_p();
    confirming.on(deleted("p", 40));
    assert_eq!(confirming.on(deleted("me", 41)), [Step::Unwatch(Target::Own), Step::Gone]);
    for own in [None, Some(35.into())] {
        let mut replaced = behind_p();
        replaced.on(deleted("p", 40));
        let answer = QueuePosition { own, ..position(41, 30, &[]) };
        assert_eq!(replaced.on(Input::Position(answer)), [Step::Unwatch(Target::Own), Step::Gone], "{own:?}");
    }
}

#[test]
fn later_keys_are_not_ahead() {
    let mut waiter = behind_p();
    waiter.on(deleted("p", 40));
    // The predecessor's session queued again under the same key.
    let turn = waiter.on(Input::Position(position(42, 30, &[("p", 41)])));
    assert_eq!(turn, [Step::Unwatch(Target::Own), Step::Acquired]);
}

#[test]
fn lost_watches_are_confirmed_and_recreated() {
    let mut waiter = behind_p();
    assert_eq!(waiter.on(Input::WatchLost(Target::Ahead("p".into()))), [Step::Confirm]);
    let again = waiter.on(Input::Position(position(45, 30, &[("p", 20)])));
    assert_eq!(again, [watch(Target::Ahead("p".into()), 46)]);

    let both = waiter.on(Input::WatchLost(Target::Own));
    assert_eq!(both, [Step::Unwatch(Target::Ahead("p".into())), Step::Confirm]);
    assert!(waiter.on(Input::WatchLost(Target::Own)).is_empty(), "a read is already pending");
    let again = waiter.on(Input::Position(position(50, 30, &[("p", 20)])));
    assert_eq!(again, [watch(Target::Own, 51), watch(Target::Ahead("p".into()), 51)]);
}

#[test]
fn semaphore_counts_departures_without_reads() {
    let all = [("a", 10), ("b", 11), ("c", 12), ("d", 13)];
    let scope = Scope::Queue { tolerated: 1 };
    let (mut waiter, steps) = Waiter::new(contender("me", 30), scope, position(30, 30, &all));
    assert_eq!(steps, [watch(Target::Queue, 31)]);
    assert!(waiter.on(deleted("c", 31)).is_empty());
    assert!(waiter.on(deleted("c", 31)).is_empty(), "a repeated event counts once");
    assert!(waiter.on(deleted("later", 32)).is_empty());
    assert!(waiter.on(deleted("a", 33)).is_empty());
    assert_eq!(waiter.on(deleted("d", 34)), [Step::Confirm]);
    let turn = waiter.on(Input::Position(position(34, 30, &[("b", 11)])));
    assert_eq!(turn, [Step::Unwatch(Target::Queue), Step::Acquired]);
}

/// One waiter of the model, with its pending read and watches.
#[derive(Debug)]
struct Subject {
    waiter: Waiter,
    own: Contender,
    confirming: bool,
    watches: Vec<(Target, i64)>,
    over: Option<Step>,
    confirms: usize,
    creates: usize,
    wakes: usize,
    losses: usize,
    ahead_at_first: usize,
}

/// A store with one queue, and its waiters.
#[derive(Debug, Default)]
struct Model {
    revision: i64,
    live: BTreeMap<Key, i64>,
    history: Vec<(i64, Key)>,
    compacted: i64,
    subjects: Vec<Subject>,
    slots: usize,
}

impl Model {
    fn scope(&self) -> Scope {
        if self.slots == 1 { Scope::Predecessor } else { Scope::Queue { tolerated: self.slots - 1 } }
    }

    fn position_of(&self, own: &Contender) -> QueuePosition {
        let mut ahead: Vec<Contender> = self
            .live
            .iter()
            .filter(|(_, created)| **created < own.create_revision.get())
            .map(|(key, created)| Contender { key: key.clone(), create_revision: (*created).into() })
            .collect();
        ahead.sort_by_key(|other| other.create_revision);
        if self.slots == 1 {
            ahead.drain(..ahead.len().saturating_sub(1));
        }
        QueuePosition {
            revision: self.revision.into(),
            own: self.live.get(&own.key).map(|&r| r.into()),
            ahead,
        }
    }

    fn enqueue(&mut self) {
        self.revision += 1;
        let own = contender(&format!("k{}", self.subjects.len()), self.revision);
        let ahead_at_first = self.live.len();
        self.live.insert(own.key.clone(), self.revision);
        let (waiter, steps) = Waiter::new(own.clone(), self.scope(), self.position_of(&own));
        self.subjects.push(Subject {
            waiter,
            own,
            confirming: false,
            watches: Vec::new(),
            over: None,
            confirms: 0,
            creates: 0,
            wakes: 0,
            losses: 0,
            ahead_at_first,
        });
        let last = self.subjects.len() - 1;
        self.perform(last, steps);
    }

    /// Removes a key, as if its owner unlocked, gave up or died.
    fn leave(&mut self, index: usize) {
        let key = self.subjects[index].own.key.clone();
        if self.live.remove(&key).is_some() {
            self.revision += 1;
            self.history.push((self.revision, key));
        }
    }

    fn perform(&mut self, index: usize, steps: Vec<Step>) {
        let mut queue = VecDeque::from(steps);
        while let Some(step) = queue.pop_front() {
            let lost = self.take_step(index, step);
            queue.extend(lost);
        }
    }

    /// Takes a step. A watch from before the compaction is lost immediately.
    fn take_step(&mut self, index: usize, step: Step) -> Vec<Step> {
        let compacted = self.compacted;
        let subject = &mut self.subjects[index];
        match step {
            Step::Watch { target, from } if from.get() <= compacted => {
                subject.losses += 1;
                return subject.waiter.on(Input::WatchLost(target));
            }
            Step::Watch { target, from } => {
                subject.creates += 1;
                subject.watches.push((target, from.get()));
            }
            Step::Unwatch(target) => {
                let before = subject.watches.len();
                subject.watches.retain(|(other, _)| *other != target);
                assert_eq!(subject.watches.len() + 1, before, "cancelled {target:?}, which was not there");
            }
            Step::Confirm => {
                assert!(!std::mem::replace(&mut subject.confirming, true), "two questions at a time");
                subject.confirms += 1;
            }
            last @ (Step::Acquired | Step::Gone) => {
                assert!(subject.watches.is_empty(), "watches are left: {:?}", subject.watches);
                subject.over = Some(last);
            }
        }
        Vec::new()
    }

    fn answer(&mut self, index: usize) {
        if !std::mem::take(&mut self.subjects[index].confirming) {
            return;
        }
        let position = self.position_of(&self.subjects[index].own);
        let steps = self.subjects[index].waiter.on(Input::Position(position));
        if steps.contains(&Step::Acquired) {
            self.assert_its_turn(index);
        }
        self.perform(index, steps);
    }

    fn assert_its_turn(&self, index: usize) {
        let own = self.subjects[index].own.create_revision.get();
        let ahead = self.live.values().filter(|created| **created < own).count();
        assert!(ahead < self.slots, "{ahead} are ahead of the one that acquired, of {} places", self.slots);
        assert!(self.live.contains_key(&self.subjects[index].own.key), "acquired without a key");
    }

    /// Delivers the next event of each watch; `again` also delivers the one before.
    fn deliver(&mut self, index: usize, again: bool) {
        for at in 0..self.subjects[index].watches.len() {
            let Some((target, from)) = self.subjects[index].watches.get(at).cloned() else { return };
            let own = &self.subjects[index].own.key;
            let concerns = |key: &Key| match &target {
                Target::Own => key == own,
                Target::Ahead(ahead) => key == ahead,
                Target::Queue => true,
            };
            let seen = self.history.iter().rev().find(|(revision, key)| *revision < from && concerns(key));
            let next = self.history.iter().find(|(revision, key)| *revision >= from && concerns(key));
            let (seen, next) = (seen.cloned(), next.cloned());
            if let (true, Some((revision, key))) = (again, seen) {
                let steps = self.subjects[index].waiter.on(Input::Deleted { key, revision: revision.into() });
                let harmless = steps.is_empty() || steps.contains(&Step::Gone);
                assert!(harmless, "a repeated event has an effect: {steps:?}");
                self.perform(index, steps);
            } else if let Some((revision, key)) = next {
                self.subjects[index].watches[at].1 = revision + 1;
                assert!(self.subjects[index].waiter.on(Input::Put).is_empty());
                let steps = self.subjects[index].waiter.on(Input::Deleted { key, revision: revision.into() });
                self.subjects[index].wakes += usize::from(steps.contains(&Step::Confirm));
                self.perform(index, steps);
            }
        }
    }

    fn lose(&mut self, index: usize, which: usize) {
        let subject = &mut self.subjects[index];
        if subject.watches.is_empty() {
            return;
        }
        let (target, _) = subject.watches.remove(which % subject.watches.len());
        subject.losses += 1;
        let steps = subject.waiter.on(Input::WatchLost(target));
        self.perform(index, steps);
    }

    fn compact(&mut self) {
        self.compacted = self.revision;
        for index in 0..self.subjects.len() {
            while let Some(at) =
                self.subjects[index].watches.iter().position(|(_, from)| *from < self.revision)
            {
                self.lose(index, at);
            }
        }
    }

    /// Delivers everything that is pending, until nothing changes.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let before = format!("{:?}", self.subjects);
            for index in 0..self.subjects.len() {
                self.deliver(index, false);
                self.answer(index);
            }
            if format!("{:?}", self.subjects) == before {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    fn assert_settled(&self) {
        for subject in &self.subjects {
            let live = self.live.contains_key(&subject.own.key);
            let ahead = self.live.values().filter(|created| **created < subject.own.create_revision.get());
            let turn = ahead.count() < self.slots;
            match &subject.over {
                None => assert!(live && !turn, "left waiting: {subject:?} of {:?}", self.live),
                Some(Step::Gone) => assert!(!live, "reported its key as gone: {subject:?}"),
                Some(_) => assert!(turn || !live, "holds out of turn: {subject:?} of {:?}", self.live),
            }
            assert!(subject.wakes <= subject.ahead_at_first, "woken more often than others were ahead");
            assert!(subject.confirms <= subject.wakes + subject.losses, "read without a reason: {subject:?}");
            let creates = 2 + subject.wakes + 2 * subject.losses;
            assert!(subject.creates <= creates, "more watches than reasons: {subject:?}");
        }
    }
}

#[derive(Clone, Debug)]
enum Move {
    Enqueue,
    Leave(prop::sample::Index),
    Deliver(prop::sample::Index),
    Repeat(prop::sample::Index),
    CreateOutcome(prop::sample::Index),
    Lose(prop::sample::Index, usize),
    Compact,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let index = any::<prop::sample::Index>;
    let one = prop_oneof![
        4 => Just(Move::Enqueue),
        3 => index().prop_map(Move::Leave),
        4 => index().prop_map(Move::Deliver),
        1 => index().prop_map(Move::Repeat),
        4 => index().prop_map(Move::CreateOutcome),
        1 => (index(), 0_usize..2).prop_map(|(index, which)| Move::Lose(index, which)),
        1 => Just(Move::Compact),
    ];
    prop::collection::vec(one, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn queue_advances_despite_departures_and_losses(moves in moves(), slots in 1_usize..4) {
        let mut model = Model { revision: 10, slots, ..Model::default() };
        model.enqueue();
        for made in moves {
            let count = model.subjects.len();
            match made {
                Move::Enqueue => model.enqueue(),
                Move::Leave(index) => model.leave(index.index(count)),
                Move::Deliver(index) => model.deliver(index.index(count), false),
                Move::Repeat(index) => model.deliver(index.index(count), true),
                Move::CreateOutcome(index) => model.answer(index.index(count)),
                Move::Lose(index, which) => model.lose(index.index(count), which),
                Move::Compact => model.compact(),
            }
        }
        model.settle();
        model.assert_settled();
    }
}
