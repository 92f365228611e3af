//! All recipes while every request may be lost, delayed and applied again at any later time, and futures are dropped at any
//! await: no copy changes anything after the first one that took effect, and none after the session abandoned it.
//!
//! `ETCD_REPLAY_RUNS=100000` sets the number of runs, `ETCD_REPLAY_SEED=7` makes one run with that seed.

mod actor;
mod audit;
#[allow(dead_code, reason = "shared with the tests of the recipes, which use all of it")]
#[path = "../recipes/model/mod.rs"]
mod model;

use std::{env::var, rc::Rc, time::Duration};

use actor::Actor;
use audit::Audit;
use model::{Chaos, Model};
use tokio::{
    task::LocalSet,
    time::{sleep, timeout},
};

use crate::{
    Session,
    session::Tokens,
    token::rules::{Rule, Rules},
};

const TTL: Duration = Duration::from_secs(60);

/// Longer than the delay of any copy and the backoff of any retry.
const SETTLED: Duration = Duration::from_secs(120);

/// The default number of runs, which takes a few seconds.
const RUNS: u64 = 500;

/// The default number of runs with a lease per entry.
const RUNS_OF_LEASES: u64 = 2_000;

/// The number of runs within which a mutant must be detected.
const RUNS_OF_A_MUTANT: u64 = 4_000;

fn number(name: &str) -> Option<u64> {
    var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn no_copy_changes_anything_late() {
    if let Some(seed) = number("ETCD_REPLAY_SEED") {
        none_found(seed, Tokens::default);
        return;
    }
    for seed in 0..number("ETCD_REPLAY_RUNS").unwrap_or(RUNS) {
        none_found(seed, Tokens::default);
    }
}

/// The same with sessions that keep no tokens.
#[test]
fn no_copy_changes_anything_late_with_a_lease_per_entry() {
    if let Some(seed) = number("ETCD_REPLAY_SEED") {
        none_found(seed, Tokens::lease_per_entry);
        return;
    }
    for seed in 0..number("ETCD_REPLAY_RUNS").unwrap_or(RUNS_OF_LEASES) {
        none_found(seed, Tokens::lease_per_entry);
    }
}

fn none_found(seed: u64, tokens: fn() -> Tokens) {
    let found = run(seed, tokens, Rules::default());
    assert!(found.is_empty(), "seed {seed}: {found:#?}");
}

/// Each rule of the protocol is needed: breaking it causes a violation, which is detected.
#[test]
fn each_broken_rule_is_detected() {
    use Rule::*;
    let all = [
        EntrySpendsToken,
        TokenHasLease,
        RejectionBurnsToken,
        BurnCompares,
        NoDeletionByLease,
        SlotUntilResolved,
        TokenUntilResolved,
        ExitCompares,
        ReadyNeedsWaiter,
        PutComparesModRevision,
    ];
    all.into_iter().for_each(|rule| is_noticed(rule, Tokens::default));
}

/// Each rule of sessions without tokens is needed as well.
#[test]
fn each_broken_rule_of_leases_is_detected() {
    use Rule::*;
    let all =
        [GrantIsSentOnce, RejectionRevokesLease, ExitRevokesLease, PutComparesModRevision, ReadyNeedsWaiter];
    all.into_iter().for_each(|rule| is_noticed(rule, Tokens::lease_per_entry));
}

fn is_noticed(rule: Rule, tokens: fn() -> Tokens) {
    let rules = Rules { broken: Some(rule) };
    let noticed =
        (0..RUNS_OF_A_MUTANT).find_map(|seed| Some((seed, run(seed, tokens, rules).into_iter().next()?)));
    let (seed, what) = noticed.unwrap_or_else(|| panic!("{rule:?} can be broken"));
    let what: String = what.chars().take(100).collect();
    eprintln!("{rule:?} is noticed in run {seed}: {what}");
}

/// Makes one run, and returns its violations.
fn run(seed: u64, tokens: fn() -> Tokens, rules: Rules) -> Vec<String> {
    // Backoff and unique keys draw from the generator of the thread.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), story(seed, tokens, rules))
}

async fn story(seed: u64, tokens: fn() -> Tokens, rules: Rules) -> Vec<String> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let model = Model::default();
    let percent = [0, 10, 30, 60][rng.usize(0..4)];
    model.set_chaos(Some(Chaos { rng: rng.fork(), percent }));
    let audit = Rc::new(Audit::new(model.clone()));
    let session = |_| Session::with_rules(model.store(), model.keep(TTL), tokens(), rules);
    let sessions: Vec<Session> = (0..2).map(session).collect();
    let mut actors = Vec::new();
    // Two actors of one session, and one of another.
    for session in [0, 0, 1] {
        let actor = Actor::new(sessions[session].clone(), model.store(), Rc::clone(&audit), rng.fork());
        actors.push(tokio::task::spawn_local(actor.run()));
    }
    let (replayed, mut copies) = (model.clone(), rng.fork());
    let replayer = tokio::task::spawn_local(async move {
        loop {
            let most = if copies.bool() { 2_000 } else { 2_000_000 };
            sleep(Duration::from_micros(copies.u64(0..most))).await;
            replayed.replay(&mut copies);
        }
    });
    for actor in actors {
        // Every waiting actor gives up in the end.
        match timeout(SETTLED * 20, actor).await {
            Ok(ended) => ended.expect("no panic"),
            Err(_) => audit.wrong("an actor is stuck".to_owned()),
        }
    }
    model.set_chaos(None);
    sleep(SETTLED).await;
    replayer.abort();
    model.replay_all(&mut rng);
    audit.drain().await;
    audit.nothing_is_left();
    if model.live_leases() != sessions.len() {
        audit.wrong("the lease of an entry outlives it".to_owned());
    }
    let leases: Vec<_> = sessions.iter().map(Session::lease).collect();
    for session in sessions {
        session.close().await.expect("no outage");
    }
    leases.into_iter().for_each(|lease| model.revoke(lease));
    model.replay_all(&mut rng);
    audit.nothing_is_left();
    if model.tokens() != 0 {
        audit.wrong("tokens outlive their lease".to_owned());
    }
    audit.found()
}
