//! A contender: its request in each phase, and its conclusion from each response.

use super::{
    protocol::{Protocol, Unknown},
    state::{Answer, Phase, Request, State, Token, Value},
};

/// The status of a token, as `TokenStatus` in the crate.
enum Fate {
    Open,
    Applied(u8),
    Void,
    Missing,
}

fn fate(known: u8, token: Token) -> Fate {
    match token {
        Token { modified, .. } if modified == known => Fate::Open,
        Token { modified: 0, .. } => Fate::Missing,
        Token { modified, value: Value::Spent } => Fate::Applied(modified),
        Token { value: Value::Burnt, .. } => Fate::Void,
    }
}

impl Protocol {
    /// Returns the request of the current phase.
    pub(super) fn request(state: &State, c: usize) -> Option<Request> {
        let contender = state.contenders[c];
        Some(match contender.phase {
            Phase::Enter { attempt } => Request::Enter { token: contender.known, attempt },
            Phase::Leave { fence } => Request::Exit { fence },
            Phase::Sweep { .. } => Request::Sweep,
            Phase::Burn => Request::Burn { token: contender.known },
            Phase::Idle | Phase::Wait { .. } | Phase::Hold { .. } | Phase::Dead => return None,
        })
    }

    /// Begins a phase and sends its request.
    pub(super) fn begin(state: &mut State, c: usize, phase: Phase) {
        state.end_call(c);
        state.contenders[c].phase = phase;
        if let Some(request) = Self::request(state, c) {
            state.send(c, request);
        }
    }

    /// Stops waiting for the response to an entry.
    pub(super) fn give_up(&self, state: &mut State, c: usize) {
        match self.unknown {
            Unknown::Burn => Self::begin(state, c, Phase::Burn),
            Unknown::Sweep(times) => Self::begin(state, c, Phase::Sweep { left: times - 1 }),
        }
    }

    /// Handles a response to the current request.
    pub(super) fn hear(&self, state: &mut State, c: usize, answer: Answer) {
        let next = match (state.contenders[c].phase, answer) {
            (_, Answer::LeaseNotFound) => Phase::Dead,
            (Phase::Enter { attempt }, Answer::Entered { fence }) => {
                if self.spends {
                    state.contenders[c].known = fence;
                }
                if attempt { Phase::Hold { fence } } else { Phase::Wait { fence } }
            }
            (Phase::Enter { attempt }, Answer::Refused { own, first, token }) => match self.token {
                true => return self.rejected(state, c, attempt, (own, first, token)),
                false if own == 0 && !attempt => return self.give_up(state, c),
                false => found(state, c, attempt, (own, first)),
            },
            (Phase::Leave { .. } | Phase::Sweep { left: 0 }, Answer::Left) => Phase::Idle,
            (Phase::Sweep { left }, Answer::Left) => Phase::Sweep { left: left - 1 },
            (Phase::Burn, Answer::Burnt { own, token }) => self.burnt(state, c, own, token),
            other => unreachable!("{other:?}"),
        };
        Self::begin(state, c, next);
    }

    /// Determines the outcome of a rejected entry from its token.
    fn rejected(&self, state: &mut State, c: usize, attempt: bool, (own, first, token): (u8, bool, Token)) {
        let (known, retried) = (state.contenders[c].known, state.contenders[c].copies > 1);
        state.contenders[c].known = token.modified;
        let next = match fate(known, token) {
            // Only in protocols where a rejection does not burn.
            Fate::Open if attempt => {
                state.contenders[c].told_held = true;
                if retried && self.burns_before_held { Phase::Burn } else { Phase::Idle }
            }
            Fate::Open => Phase::Wait { fence: own },
            Fate::Applied(at) if own == at => found(state, c, attempt, (own, first)),
            // Another client deleted the key since: `LockLost`.
            Fate::Applied(_) => Phase::Idle,
            // The key in the way was gone when the response was read: enter again.
            Fate::Void if own == 0 && !attempt => Phase::Enter { attempt },
            Fate::Void => found(state, c, attempt, (own, first)),
            Fate::Missing if own == 0 => Phase::Idle,
            Fate::Missing => Phase::Leave { fence: own },
        };
        Self::begin(state, c, next);
    }

    fn burnt(&self, state: &mut State, c: usize, own: u8, token: Token) -> Phase {
        let known = state.contenders[c].known;
        state.contenders[c].known = token.modified;
        match fate(known, token) {
            Fate::Applied(at) if own == at => Phase::Leave { fence: at },
            Fate::Missing if own != 0 => Phase::Leave { fence: own },
            Fate::Open | Fate::Applied(_) | Fate::Void | Fate::Missing => Phase::Idle,
        }
    }
}

/// Returns how a rejected entry continues with the key that the session's lease has; 0 for none.
fn found(state: &mut State, c: usize, attempt: bool, (own, first): (u8, bool)) -> Phase {
    match attempt {
        false => Phase::Wait { fence: own },
        true if first => Phase::Hold { fence: own },
        true => {
            state.contenders[c].told_held = true;
            if own == 0 { Phase::Idle } else { Phase::Leave { fence: own } }
        }
    }
}
