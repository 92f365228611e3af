//! Tests of the state machine against a model of a store, a server and its defects, with each rule broken once.
//!
//! The random tests here run all events in any order. Set `ETCD_WATCH_STEPS=10000000` for a longer run.

pub(crate) mod cases;
pub(crate) mod model;

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner},
};

use crate::watch::state::{
    rules::Rule,
    tests::model::{Kind, Step, World},
};

const STEPS_OF_A_CASE: usize = 400;

fn steps() -> usize {
    let asked = std::env::var("ETCD_WATCH_STEPS").ok();
    asked.map_or(100_000, |steps| steps.parse().expect("ETCD_WATCH_STEPS is a number"))
}

fn step() -> impl Strategy<Value = Step> {
    let which = || 0..8_usize;
    prop_oneof![
        6 => (1..4_usize).prop_map(Step::Write),
        8 => (which(), 1..4_usize, 1..4_usize).prop_map(|(a, b, c)| Step::Send(a, b, c)),
        16 => Just(Step::Read),
        1 => (0..64_usize).prop_map(Step::Repeat),
        1 => Just(Step::Progress),
        1 => Just(Step::EarlyProgress),
        1 => which().prop_map(Step::OwnProgress),
        1 => Just(Step::Lose),
        1 => (0..6_i64).prop_map(Step::Add),
        1 => which().prop_map(Step::Remove),
        1 => which().prop_map(Step::Pause),
        2 => which().prop_map(Step::Unpark),
        1 => (0..8_usize).prop_map(|n| if n == 0 { Step::Compact } else { Step::Read }),
    ]
}

fn run(broken: Option<Rule>, steps: usize) -> Result<(), String> {
    let cases = u32::try_from(steps / STEPS_OF_A_CASE).expect("few enough").max(1);
    let config = Config {
        cases,
        max_shrink_iters: if broken.is_some() { 0 } else { 20_000 },
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..Config::default()
    };
    let kind = prop_oneof![Just(Kind::Modern), Just(Kind::Old), Just(Kind::Proxy)];
    let case = (kind, vec(step(), STEPS_OF_A_CASE));
    let end = TestRunner::new(config).run(&case, |(kind, steps)| {
        let mut world = World::new(broken, kind);
        let mut all = steps.iter().try_for_each(|step| world.step(step));
        if all.is_ok() {
            all = world.settle();
        }
        all.map_err(TestCaseError::fail)
    });
    end.map_err(|error| error.to_string())
}

#[test]
fn nothing_is_lost_or_repeated() {
    if let Err(error) = run(None, steps()) {
        panic!("{error}");
    }
}

#[test]
fn each_rule_is_needed() {
    for rule in [
        Rule::BookmarkIsNoHeader,
        Rule::WholeRevisions,
        Rule::BookmarkByRevision,
        Rule::ProgressInOrder,
        Rule::MatchedCreations,
    ] {
        assert!(run(Some(rule), 100_000).is_err(), "nothing shows that {rule:?} is broken");
    }
}
