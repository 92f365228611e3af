//! The state of two contenders, of the store, and of the copies between them.
//!
//! Revisions are replaced by their rank after each step, so that the number of states is finite.

/// The value of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Value {
    Spent,
    Burnt,
}

/// A token as stored; revision 0 if it is absent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Token {
    pub(super) modified: u8,
    pub(super) value: Value,
}

/// A request. Its revisions are those that it compares.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Request {
    /// Creates the key; `attempt` only if the queue is empty.
    Enter { token: u8, attempt: bool },
    /// Deletes the key that was created at `fence`.
    Exit { fence: u8 },
    /// Deletes the key by its lease, regardless of the entry that created it.
    Sweep,
    /// Puts the token if it is unspent.
    Burn { token: u8 },
}

/// One copy of a request. It is `current` while its sender waits for the response.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Copied {
    pub(super) from: u8,
    pub(super) current: bool,
    pub(super) request: Request,
}

/// A response of the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Answer {
    Entered {
        fence: u8,
    },
    /// The entry was rejected: the create revision of the own key, whether it is the first of the queue, and the token.
    Refused {
        own: u8,
        first: bool,
        token: Token,
    },
    /// The exit or the sweep was applied.
    Left,
    /// The burn was applied; the token and the create revision of the own key after it.
    Burnt {
        own: u8,
        token: Token,
    },
    LeaseNotFound,
}

/// The phase of a contender.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Phase {
    Idle,
    Enter {
        attempt: bool,
    },
    Wait {
        fence: u8,
    },
    Hold {
        fence: u8,
    },
    Leave {
        fence: u8,
    },
    /// The number of sweeps that follow this one.
    Sweep {
        left: u8,
    },
    Burn,
    Dead,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Contender {
    pub(super) phase: Phase,
    /// The remaining calls of `lock` or `try_lock`.
    pub(super) rounds: u8,
    /// The token's mod revision that the session knows.
    pub(super) known: u8,
    /// The number of copies of the current request that were sent.
    pub(super) copies: u8,
    /// The last `try_lock` returned `Locked`.
    pub(super) told_held: bool,
}

/// The remaining number of faults of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) cancellations: u8,
    pub(crate) lost_answers: u8,
    pub(crate) lost_requests: u8,
    pub(crate) crashes: u8,
    pub(crate) expiries: u8,
    /// An operator deletes the key of a contender.
    pub(crate) deletions: u8,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    pub(super) revision: u8,
    /// The create revisions of the contenders' keys; 0 when absent.
    pub(super) keys: [u8; 2],
    pub(super) tokens: [Token; 2],
    pub(super) leases: [bool; 2],
    pub(super) contenders: [Contender; 2],
    pub(super) requests: Vec<Copied>,
    pub(super) answers: Vec<(u8, Answer)>,
    pub(super) faults: Faults,
    /// An operator deleted a key, and its owner has not noticed yet.
    pub(super) deleted: bool,
    /// The create revision of a key that an earlier session on the first contender's lease left behind; 0 for none.
    pub(super) inherited: u8,
}

impl State {
    pub(super) fn new(rounds: [u8; 2], faults: Faults) -> Self {
        let contender =
            |rounds| Contender { phase: Phase::Idle, rounds, known: 0, copies: 0, told_held: false };
        Self {
            revision: 0,
            keys: [0; 2],
            tokens: [Token { modified: 0, value: Value::Spent }; 2],
            leases: [true; 2],
            contenders: rounds.map(contender),
            requests: Vec::new(),
            answers: Vec::new(),
            faults,
            deleted: false,
            inherited: 0,
        }
    }

    /// Lets the first contender take over a lease that already has the key.
    pub(super) fn inherit_key(&mut self) {
        self.revision = 1;
        self.keys[0] = 1;
        self.inherited = 1;
    }

    /// Returns whether the key of `c` exists and is the first of the queue.
    pub(super) fn is_first(&self, c: usize) -> bool {
        let (own, other) = (self.keys[c], self.keys[1 - c]);
        own != 0 && (other == 0 || own < other)
    }

    /// Returns whether a request or a response of `c`'s current call is in flight.
    pub(super) fn is_outstanding(&self, c: usize) -> bool {
        let from = c as u8;
        self.requests.iter().any(|copy| copy.from == from && copy.current)
            || self.answers.iter().any(|answer| answer.0 == from)
    }

    /// Ends the current call of `c`. Later responses are ignored.
    pub(super) fn end_call(&mut self, c: usize) {
        let from = c as u8;
        for copy in self.requests.iter_mut().filter(|copy| copy.from == from) {
            copy.current = false;
        }
        self.answers.retain(|answer| answer.0 != from);
        self.contenders[c].copies = 0;
    }

    pub(super) fn send(&mut self, c: usize, request: Request) {
        self.requests.push(Copied { from: c as u8, current: true, request });
        self.contenders[c].copies += 1;
    }

    /// Removes the lease of `c` with its key and token.
    pub(super) fn expire(&mut self, c: usize) {
        self.leases[c] = false;
        self.keys[c] = 0;
        self.tokens[c] = Token { modified: 0, value: Value::Spent };
    }

    /// Replaces revisions by their rank, and sorts unordered parts.
    pub(super) fn canonical(mut self) -> Self {
        if self.keys[0] != self.inherited {
            self.inherited = 0;
        }
        let mut used = 0_u64;
        self.each_revision(&mut |revision| used |= 1 << *revision);
        // 0 stands for an absent key and keeps its rank.
        used &= !1;
        self.each_revision(&mut |revision| {
            let below_or_equal = used & (u64::MAX >> (63 - *revision));
            *revision = below_or_equal.count_ones() as u8;
        });
        self.revision = used.count_ones() as u8;
        self.requests.sort_unstable();
        self.answers.sort_unstable();
        self
    }

    fn each_revision(&mut self, visit: &mut impl FnMut(&mut u8)) {
        self.keys.iter_mut().for_each(&mut *visit);
        visit(&mut self.inherited);
        self.tokens.iter_mut().for_each(|token| visit(&mut token.modified));
        for contender in &mut self.contenders {
            visit(&mut contender.known);
            if let Phase::Wait { fence } | Phase::Hold { fence } | Phase::Leave { fence } =
                &mut contender.phase
            {
                visit(fence);
            }
        }
        for copy in &mut self.requests {
            match &mut copy.request {
                Request::Enter { token, .. } | Request::Burn { token } => visit(token),
                Request::Exit { fence } => visit(fence),
                Request::Sweep => {}
            }
        }
        for (_, answer) in &mut self.answers {
            match answer {
                Answer::Entered { fence } => visit(fence),
                Answer::Refused { own, token, .. } | Answer::Burnt { own, token } => {
                    visit(own);
                    visit(&mut token.modified);
                }
                Answer::Left | Answer::LeaseNotFound => {}
            }
        }
    }
}
