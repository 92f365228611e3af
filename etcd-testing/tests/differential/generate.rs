//! Random sequences. Keys, values, ids and names come from small sets, so that operations meet.

mod auth;
mod keys;
mod kv;
mod large;
mod lease;
mod watch;

use etcd_testkit::Line;
use fastrand::Rng;

use crate::operation::{Op, Step, Who};

/// The steps of most sequences. Shorter ones reach fewer states, longer ones repeat themselves.
const STEPS: usize = 100;

/// The emphasis of a sequence.
#[derive(Clone, Copy, Debug)]
enum Theme {
    Kv,
    Lease,
    Watch,
    Auth,
    Mixed,
    /// Requests near the limits of their size, and watch responses that have to be split.
    Large,
}

const THEMES: [(u32, Theme); 6] = [
    (30, Theme::Kv),
    (20, Theme::Lease),
    (24, Theme::Watch),
    (22, Theme::Auth),
    (12, Theme::Mixed),
    (1, Theme::Large),
];

/// Generates the sequence of a seed for a line of etcd.
pub(crate) fn sequence(seed: u64, line: Line) -> Vec<Step> {
    let mut steps = random(&mut Rng::with_seed(seed));
    if line < Line::V3_6 {
        // These lines ignore an unknown order, which the model rejects on every line: a documented difference.
        for step in &mut steps {
            step.op.change_ranges(&mut |range| range.sort_order = range.sort_order.min(2));
        }
    }
    steps
}

fn random(rng: &mut Rng) -> Vec<Step> {
    let theme = weighted(rng, &THEMES);
    match theme {
        Theme::Large => large::sequence(rng),
        Theme::Auth => {
            let mut steps = auth::scaffold(rng);
            steps.extend((0..STEPS).map(|_| Step { who: auth::who(rng), op: op(rng, theme) }));
            steps
        }
        Theme::Kv | Theme::Lease | Theme::Watch | Theme::Mixed => {
            (0..STEPS).map(|_| Step { who: stranger(rng), op: op(rng, theme) }).collect()
        }
    }
}

/// While auth is disabled, tokens are ignored.
fn stranger(rng: &mut Rng) -> Who {
    if rng.u8(..) < 4 { Who::Forged } else { Who::Nobody }
}

fn op(rng: &mut Rng, theme: Theme) -> Op {
    let make: fn(&mut Rng) -> Op = match theme {
        Theme::Kv => weighted(rng, &[(24, kv::range as _), (76, kv::any as _)]),
        Theme::Lease => weighted(rng, &[(50, lease::any as _), (25, lease::put as _), (25, kv::any as _)]),
        Theme::Watch => weighted(rng, &[(33, watch::any as _), (7, lease::any as _), (60, kv::write as _)]),
        Theme::Auth => weighted(
            rng,
            &[(45, auth::any as _), (35, kv::any as _), (10, lease::any as _), (10, watch::any as _)],
        ),
        Theme::Mixed | Theme::Large => weighted(
            rng,
            &[(50, kv::any as _), (15, lease::any as _), (15, lease::put as _), (20, watch::any as _)],
        ),
    };
    make(rng)
}

/// Chooses one of several alternatives.
fn weighted<T: Copy>(rng: &mut Rng, choices: &[(u32, T)]) -> T {
    let total = choices.iter().map(|(weight, _)| weight).sum();
    let mut ticket = rng.u32(0..total);
    for (weight, choice) in choices {
        if ticket < *weight {
            return *choice;
        }
        ticket -= weight;
    }
    choices[0].1
}

/// Returns true once in `n` times.
fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(0..n) == 0
}

fn among<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    items[rng.usize(0..items.len())]
}
