//! Breadth-first exploration of all states of a model, with a shortest path to each kind of violation.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    env::var,
    fmt::Debug,
    hash::Hash,
};

/// A system with finitely many states.
pub(crate) trait Model {
    type State: Clone + Eq + Hash;
    /// One event that leads from a state to another.
    type Step: Copy + Debug;

    /// Returns the first state.
    fn start(&self) -> Self::State;

    /// Passes each step that can happen in `state` to `then`, with the state after it.
    fn steps(&self, state: &Self::State, then: &mut dyn FnMut(Self::Step, Self::State));

    /// Returns what is wrong in `state`.
    fn violations(&self, state: &Self::State) -> Vec<&'static str>;
}

/// States that violate one property.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) states: usize,
    /// A shortest path to one of them.
    pub(crate) path: Vec<String>,
}

/// The result of an exploration.
#[derive(Debug)]
pub(crate) struct Explored {
    pub(crate) states: usize,
    /// All states were explored; otherwise there are more than the bound.
    pub(crate) complete: bool,
    pub(crate) violations: BTreeMap<&'static str, Violation>,
}

impl Explored {
    /// Checks that the exploration is complete and has exactly `states` states.
    ///
    /// # Panics
    /// Panics if it is not, after printing the violations that were found so far.
    #[track_caller]
    pub(crate) fn assert_states(&self, states: usize) {
        for (kind, violation) in &self.violations {
            eprintln!("{kind}, after\n  {}", violation.path.join("\n  "));
        }
        assert!(self.complete, "more than {states} states: the model grew, or is not finite");
        assert_eq!(self.states, states, "the model changed; if that is meant, set the number of states");
    }

    /// Returns the number of states with each violation.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.violations.iter().map(|(kind, violation)| (*kind, violation.states)).collect()
    }
}

/// Returns whether to explore the full fault budgets.
pub(crate) fn full() -> bool {
    var("ETCD_MODEL_FULL").is_ok_and(|value| value == "1")
}

/// Explores the states of `model`, up to `bound` of them.
pub(crate) fn explore<M: Model>(model: &M, bound: usize) -> Explored {
    let start = model.start();
    let mut seen = HashSet::from([start.clone()]);
    // Stores for each state its predecessor and the step from it. The states themselves are only in `seen` and the queue.
    let mut reached: Vec<(usize, Option<M::Step>)> = vec![(0, None)];
    let mut queue = VecDeque::from([(0, start)]);
    let mut violations = BTreeMap::new();
    while let Some((at, state)) = queue.pop_front() {
        if seen.len() > bound {
            return Explored { states: seen.len(), complete: false, violations };
        }
        for kind in model.violations(&state) {
            let first = || Violation { states: 0, path: path(&reached, at) };
            violations.entry(kind).or_insert_with(first).states += 1;
        }
        model.steps(&state, &mut |step, next| {
            if !seen.insert(next.clone()) {
                return;
            }
            let id = reached.len();
            reached.push((at, Some(step)));
            queue.push_back((id, next));
        });
    }
    Explored { states: seen.len(), complete: true, violations }
}

fn path<S: Copy + Debug>(reached: &[(usize, Option<S>)], mut at: usize) -> Vec<String> {
    let mut path = Vec::new();
    while let (before, Some(step)) = reached[at] {
        path.push(format!("{step:?}"));
        at = before;
    }
    path.reverse();
    path
}
