//! Random sequences of operations on a real etcd and on the model, whose answers have to be equal.

#![cfg(unix)]
#![allow(clippy::print_stderr, reason = "seeds and counts are printed")]

mod arena;
mod endpoint;
mod generate;
mod operation;
mod runner;
mod show;
mod shrink;

use std::{env, str::FromStr};

use etcd_testkit::Line;

use crate::arena::{Arena, Extent, Opponent, Outcome, etcd};

/// The release of etcd 3.4 that the model follows. Earlier ones differ in several checks.
const MODELLED_3_4: u16 = 45;
/// The operations of a run in continuous integration.
const OPERATIONS: usize = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_members_of_etcd_answer_alike() {
    let Some(one) = etcd(None).await else { return };
    let Some(other) = etcd(None).await else { return };
    let name = format!("etcd {} and itself", one.version());
    let outcome = Arena::new(&one, Opponent::Etcd(Box::new(other))).campaign(extent()).await;
    judge(&name, &outcome);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_model_answers_like_etcd() {
    let Some(etcd) = etcd(None).await else { return };
    let version = etcd.version();
    if version.line() == Line::V3_4 && version.patch() < MODELLED_3_4 {
        eprintln!("etcd {version} is not compared: the model is etcd 3.4.{MODELLED_3_4}");
        return;
    }
    let name = format!("etcd {version} and its model");
    let model = Opponent::model(&etcd).await;
    let outcome = Arena::new(&etcd, model).campaign(extent()).await;
    judge(&name, &outcome);
}

fn extent() -> Extent {
    Extent {
        operations: variable("ETCD_DIFFERENTIAL_OPS").unwrap_or(OPERATIONS),
        seed: variable("ETCD_DIFFERENTIAL_SEED").unwrap_or(1),
        differences: variable("ETCD_DIFFERENTIAL_DIFFERENCES").unwrap_or(1),
        shrink: variable("ETCD_DIFFERENTIAL_SHRINK").unwrap_or(true),
    }
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok()?.parse().ok()
}

fn judge(name: &str, outcome: &Outcome) {
    let Outcome { operations, sequences, differences } = outcome;
    eprintln!("{name}: {operations} operations in {sequences} sequences were answered alike");
    let texts: Vec<String> =
        differences.iter().map(|(seed, difference)| format!("seed {seed}\n{difference}")).collect();
    assert!(texts.is_empty(), "{name}: {} differences\n\n{}", texts.len(), texts.join("\n\n"));
}
