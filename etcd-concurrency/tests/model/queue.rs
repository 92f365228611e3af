//! One item that is enqueued once, and taken at any time.

use crate::explore::{Model, explore};

/// The way in which an item is enqueued.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// Sent up to twice, under the condition that the item's key does not exist.
    RetryPolicy,
    /// Sent once, as in the crate without a session.
    Once,
    /// Sent up to twice with a token, which is burnt if the outcome is unknown, as in the crate with a session.
    Token,
    /// The same, but a burn that finds the token spent ignores whether an earlier burn did it.
    TokenWithoutValue,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Token {
    Unspent,
    Spent,
    Burnt,
    /// Deleted with its lease.
    Gone,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Phase {
    Entering,
    Burning,
    Over(Option<bool>),
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    item: bool,
    delivered: u8,
    token: Token,
    phase: Phase,
    /// Copies in flight, and the number of copies that were sent.
    entries: (u8, u8),
    burns: (u8, u8),
    /// Responses in flight to the current request: whether the item was put.
    answers: Vec<bool>,
    lost_answers: u8,
    lost_requests: u8,
    cancellations: u8,
}

#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "the fields are printed where a property is violated")]
enum Step {
    SendsEntry,
    SendsBurn,
    GivesUp,
    Hears(bool),
    EntryApplied { answered: bool },
    EntryLost,
    BurnApplied { answered: bool },
    BurnLost,
    Taken,
    LeaseEnds,
    HearsEnd,
}

type Then<'a> = &'a mut dyn FnMut(Step, State);

impl Protocol {
    fn has_token(self) -> bool {
        matches!(self, Self::Token | Self::TokenWithoutValue)
    }

    /// Applies an entry. Returns `None` for an error.
    fn enter(self, state: &mut State) -> Option<bool> {
        state.entries.0 -= 1;
        if self.has_token() {
            match state.token {
                Token::Gone => return None,
                Token::Spent => return Some(true),
                Token::Burnt => return Some(false),
                Token::Unspent => state.token = Token::Spent,
            }
        }
        // The key has a random name: only an earlier copy can have put it.
        state.item = true;
        Some(true)
    }

    fn burn(self, state: &mut State) -> Option<bool> {
        state.burns.0 -= 1;
        let before = state.token;
        match before {
            Token::Gone => return None,
            Token::Unspent => state.token = Token::Burnt,
            Token::Spent | Token::Burnt => {}
        }
        Some(before == Token::Spent || (before == Token::Burnt && self == Self::TokenWithoutValue))
    }

    fn client_steps(self, state: &State, then: Then<'_>) {
        let outstanding = !state.answers.is_empty()
            || match state.phase {
                Phase::Entering => state.entries.0 > 0,
                Phase::Burning => state.burns.0 > 0,
                Phase::Over(_) => return,
            };
        if state.phase == Phase::Entering {
            if state.entries.1 < if self == Self::Once { 1 } else { 2 } {
                step(state, then, Step::SendsEntry, |state| send(&mut state.entries));
            }
            if state.cancellations > 0 || !outstanding {
                step(state, then, Step::GivesUp, |state| self.give_up(state, outstanding));
            }
        } else if !outstanding || state.burns.1 < 2 {
            step(state, then, Step::SendsBurn, |state| send(&mut state.burns));
        }
        for (i, &applied) in state.answers.iter().enumerate() {
            step(state, then, Step::Hears(applied), |state| {
                state.answers.remove(i);
                end(state, Some(applied));
            });
        }
        if state.token == Token::Gone {
            step(state, then, Step::HearsEnd, |state| end(state, None));
        }
    }

    fn give_up(self, state: &mut State, outstanding: bool) {
        state.cancellations -= u8::from(outstanding);
        if !self.has_token() {
            return end(state, None);
        }
        state.answers.clear();
        state.phase = Phase::Burning;
        send(&mut state.burns);
    }

    fn copy_steps(self, state: &State, then: Then<'_>) {
        let losses = if state.lost_answers > 0 { &[true, false][..] } else { &[true] };
        for &answered in losses {
            if state.entries.0 > 0 {
                step(state, then, Step::EntryApplied { answered }, |state| {
                    let answer = self.enter(state);
                    deliver(state, Phase::Entering, answered, answer);
                });
            }
            if state.burns.0 > 0 {
                step(state, then, Step::BurnApplied { answered }, |state| {
                    let answer = self.burn(state);
                    deliver(state, Phase::Burning, answered, answer);
                });
            }
        }
        if state.lost_requests > 0 && state.entries.0 > 0 {
            step(state, then, Step::EntryLost, |state| lose(&mut state.entries, &mut state.lost_requests));
        }
        if state.lost_requests > 0 && state.burns.0 > 0 {
            step(state, then, Step::BurnLost, |state| lose(&mut state.burns, &mut state.lost_requests));
        }
    }
}

fn step(state: &State, then: Then<'_>, step: Step, change: impl FnOnce(&mut State)) {
    let mut state = state.clone();
    change(&mut state);
    state.answers.sort_unstable();
    then(step, state);
}

fn send((in_flight, sent): &mut (u8, u8)) {
    *in_flight += 1;
    // Two or more make no difference.
    *sent = 2.min(*sent + 1);
}

fn lose((in_flight, _): &mut (u8, u8), budget: &mut u8) {
    *in_flight -= 1;
    *budget -= 1;
}

fn end(state: &mut State, outcome: Option<bool>) {
    state.phase = Phase::Over(outcome);
    state.answers.clear();
}

/// Sends a response, or uses up a lost one.
fn deliver(state: &mut State, waits: Phase, answered: bool, answer: Option<bool>) {
    state.lost_answers -= u8::from(!answered);
    if let Some(answer) = answer.filter(|_| answered && state.phase == waits) {
        state.answers.push(answer);
    }
}

impl Model for Protocol {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        State {
            item: false,
            delivered: 0,
            token: Token::Unspent,
            phase: Phase::Entering,
            entries: (1, 1),
            burns: (0, 0),
            answers: Vec::new(),
            lost_answers: 2,
            lost_requests: 2,
            cancellations: 1,
        }
    }

    fn steps(&self, state: &State, then: Then<'_>) {
        self.client_steps(state, then);
        self.copy_steps(state, then);
        if state.item {
            step(state, then, Step::Taken, |state| {
                state.item = false;
                state.delivered += 1;
            });
        }
        if self.has_token() && state.token != Token::Gone {
            step(state, then, Step::LeaseEnds, |state| state.token = Token::Gone);
        }
    }

    fn violations(&self, state: &State) -> Vec<&'static str> {
        let there = state.item || state.delivered > 0;
        let wrong = |reported| state.phase == Phase::Over(Some(reported)) && there != reported;
        let unknown = state.phase == Phase::Over(None) && state.token != Token::Gone;
        [
            (state.delivered > 1, TWICE),
            (wrong(false), NOT_APPLIED_AND_WAS),
            (wrong(true), APPLIED_AND_WAS_NOT),
            (unknown, UNKNOWN),
        ]
        .into_iter()
        .filter_map(|(found, kind)| found.then_some(kind))
        .collect()
    }
}

const TWICE: &str = "delivered twice";
const NOT_APPLIED_AND_WAS: &str = "reported as not applied, and was";
const APPLIED_AND_WAS_NOT: &str = "reported as applied, and was not";
const UNKNOWN: &str = "outcome unknown while the session lives";

#[track_caller]
fn assert_found(protocol: Protocol, states: usize, expected: &[&str]) {
    let explored = explore(&protocol, states);
    let found: Vec<_> = explored.violations.keys().copied().collect();
    explored.assert_states(states);
    assert_eq!(found, expected, "{:#?}", explored.violations);
}

#[test]
fn retried_item_is_delivered_twice() {
    assert_found(Protocol::RetryPolicy, 82, &[TWICE, UNKNOWN]);
}

#[test]
fn item_sent_once_is_delivered_at_most_once_with_unknown_outcome() {
    assert_found(Protocol::Once, 17, &[UNKNOWN]);
}

#[test]
fn item_with_a_token_is_delivered_at_most_once_with_a_known_outcome() {
    assert_found(Protocol::Token, 2_258, &[]);
}

#[test]
fn burn_that_ignores_the_value_of_the_token_is_caught() {
    assert_found(Protocol::TokenWithoutValue, 2_352, &[APPLIED_AND_WAS_NOT]);
}
