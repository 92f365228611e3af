//! The store: the effect of a copy of a request, and its response.

use super::{
    protocol::{Protocol, Rejection},
    state::{Answer, Copied, Request, State, Token, Value},
};

impl Protocol {
    /// Applies a copy at the store.
    pub(super) fn apply(&self, state: &mut State, copy: Copied) -> Answer {
        let c = usize::from(copy.from);
        match copy.request {
            Request::Enter { token, attempt } => self.enter(state, c, token, attempt),
            Request::Exit { fence } => {
                let ours = fence != 0 && state.keys[c] == fence;
                if ours || !self.exit_compares {
                    delete(state, c);
                }
                Answer::Left
            }
            Request::Sweep => {
                delete(state, c);
                Answer::Left
            }
            Request::Burn { token } => {
                if !self.burn_compares || state.tokens[c].modified == token {
                    // A put with a lease that is gone fails its transaction.
                    if !state.leases[c] {
                        return Answer::LeaseNotFound;
                    }
                    put_token(state, c, Value::Burnt);
                }
                Answer::Burnt { own: state.keys[c], token: state.tokens[c] }
            }
        }
    }

    fn enter(&self, state: &mut State, c: usize, token: u8, attempt: bool) -> Answer {
        let unspent = !self.token || state.tokens[c].modified == token;
        let room = if attempt { state.keys == [0, 0] } else { state.keys[c] == 0 };
        if unspent && room {
            if !state.leases[c] {
                return Answer::LeaseNotFound;
            }
            state.revision += 1;
            state.keys[c] = state.revision;
            if self.spends {
                state.tokens[c] = Token { modified: state.revision, value: Value::Spent };
            }
            return Answer::Entered { fence: state.revision };
        }
        let burns = match self.rejection {
            Rejection::KeepsToken => false,
            Rejection::OfAttemptBurns => attempt,
            Rejection::Burns => true,
        };
        if burns && unspent {
            if !state.leases[c] {
                return Answer::LeaseNotFound;
            }
            put_token(state, c, Value::Burnt);
        }
        Answer::Refused { own: state.keys[c], first: state.is_first(c), token: state.tokens[c] }
    }
}

fn delete(state: &mut State, c: usize) {
    if state.keys[c] != 0 {
        state.revision += 1;
        state.keys[c] = 0;
    }
}

fn put_token(state: &mut State, c: usize, value: Value) {
    state.revision += 1;
    state.tokens[c] = Token { modified: state.revision, value };
}
