//! The state of two contenders that take a lease for each entry, of the store, and of the copies between them.
//!
//! Revisions are replaced by their rank after each step, so that the number of states is finite.

/// The entries of a contender, each with its own lease and key.
pub(super) const ENTRIES: usize = 2;

/// A request for an entry of a contender, and for its lease.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Request {
    Grant,
    /// Creates the entry's key under its lease; `attempt` only if the queue is empty.
    Enter {
        attempt: bool,
    },
    /// Ends the lease, and with it the key.
    Revoke,
    /// Deletes the key that was created at `fence`, but not the lease.
    Delete {
        fence: u8,
    },
}

/// One copy of a request. It is `current` while its sender waits for the response.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Copied {
    pub(super) from: u8,
    pub(super) entry: u8,
    pub(super) current: bool,
    pub(super) request: Request,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Answer {
    Done,
    Entered {
        fence: u8,
    },
    /// The create revision of the own key (0 for none), and whether it is the first of the queue.
    Refused {
        own: u8,
        first: bool,
    },
    LeaseNotFound,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Phase {
    Idle,
    Grant { attempt: bool },
    Enter { attempt: bool },
    Wait { fence: u8 },
    Hold { fence: u8 },
    Revoke,
    Delete { fence: u8 },
    Dead,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Lease {
    NeverGranted,
    Lives,
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Contender {
    pub(super) phase: Phase,
    /// The remaining calls of `lock` or `try_lock`.
    pub(super) rounds: u8,
    /// The current entry, or the last one.
    pub(super) entry: u8,
    /// The number of copies of the current request that were sent.
    pub(super) copies: u8,
    /// The last `try_lock` returned `Locked`.
    pub(super) told_held: bool,
}

/// The remaining number of faults of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Faults {
    pub(super) cancellations: u8,
    pub(super) lost_answers: u8,
    pub(super) lost_requests: u8,
    pub(super) crashes: u8,
    /// A lease ends although it is being renewed.
    pub(super) expiries: u8,
    /// An operator deletes a key.
    pub(super) deletions: u8,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    revision: u8,
    pub(super) leases: [[Lease; ENTRIES]; 2],
    /// The create revisions of the entries' keys; 0 when absent.
    pub(super) keys: [[u8; ENTRIES]; 2],
    pub(super) contenders: [Contender; 2],
    pub(super) requests: Vec<Copied>,
    pub(super) answers: Vec<(u8, Answer)>,
    pub(super) faults: Faults,
    /// An operator deleted a key, and its owner has not noticed yet.
    pub(super) deleted: bool,
}

impl State {
    pub(super) fn new(rounds: [u8; 2], faults: Faults) -> Self {
        let contender =
            |rounds| Contender { phase: Phase::Idle, rounds, entry: 0, copies: 0, told_held: false };
        Self {
            revision: 0,
            leases: [[Lease::NeverGranted; ENTRIES]; 2],
            keys: [[0; ENTRIES]; 2],
            contenders: rounds.map(contender),
            requests: Vec::new(),
            answers: Vec::new(),
            faults,
            deleted: false,
        }
    }

    /// Returns the create revision of the current entry's key.
    pub(super) fn own(&self, c: usize) -> u8 {
        self.keys[c][usize::from(self.contenders[c].entry)]
    }

    /// Returns whether the lease of the current entry is alive.
    pub(super) fn lives(&self, c: usize) -> bool {
        self.leases[c][usize::from(self.contenders[c].entry)] == Lease::Lives
    }

    /// Returns whether the current entry of `c` is the first of the queue.
    pub(super) fn is_first(&self, c: usize) -> bool {
        let own = self.own(c);
        own != 0 && self.keys.iter().flatten().all(|&other| other == 0 || other >= own)
    }

    /// Returns whether the lease of an entry is renewed by its owner.
    pub(super) fn is_renewed(&self, c: usize, entry: usize) -> bool {
        let contender = self.contenders[c];
        let present = usize::from(contender.entry) == entry;
        present && matches!(contender.phase, Phase::Enter { .. } | Phase::Wait { .. } | Phase::Hold { .. })
    }

    pub(super) fn is_outstanding(&self, c: usize) -> bool {
        let from = c as u8;
        self.requests.iter().any(|copy| copy.from == from && copy.current)
            || self.answers.iter().any(|answer| answer.0 == from)
    }

    /// Begins a phase and sends its request. Later responses to the previous request are ignored.
    pub(super) fn begin(&mut self, c: usize, phase: Phase) {
        let from = c as u8;
        for copy in self.requests.iter_mut().filter(|copy| copy.from == from) {
            copy.current = false;
        }
        self.answers.retain(|answer| answer.0 != from);
        self.contenders[c].copies = 0;
        self.contenders[c].phase = phase;
        self.send(c);
    }

    /// Sends a copy of the request of the current phase.
    pub(super) fn send(&mut self, c: usize) {
        let contender = &mut self.contenders[c];
        let request = match contender.phase {
            Phase::Grant { .. } => Request::Grant,
            Phase::Enter { attempt } => Request::Enter { attempt },
            Phase::Revoke => Request::Revoke,
            Phase::Delete { fence } => Request::Delete { fence },
            Phase::Idle | Phase::Wait { .. } | Phase::Hold { .. } | Phase::Dead => return,
        };
        contender.copies += 1;
        self.requests.push(Copied { from: c as u8, entry: contender.entry, current: true, request });
    }

    /// Applies a copy at the store.
    pub(super) fn apply(&mut self, copy: Copied) -> Answer {
        let (c, entry) = (usize::from(copy.from), usize::from(copy.entry));
        match copy.request {
            // The client chooses the id: a copy that arrives after the end of the lease grants it again.
            Request::Grant => self.leases[c][entry] = Lease::Lives,
            Request::Enter { attempt } => return self.enter(c, entry, attempt),
            Request::Revoke => match self.leases[c][entry] {
                Lease::Lives => self.end(c, entry),
                Lease::NeverGranted | Lease::Ended => return Answer::LeaseNotFound,
            },
            Request::Delete { fence } => {
                if self.keys[c][entry] == fence {
                    self.keys[c][entry] = 0;
                }
            }
        }
        Answer::Done
    }

    fn enter(&mut self, c: usize, entry: usize, attempt: bool) -> Answer {
        let own = self.keys[c][entry];
        let room = if attempt { self.keys.iter().flatten().all(|&key| key == 0) } else { own == 0 };
        if !room {
            let first = own != 0 && self.keys.iter().flatten().all(|&other| other == 0 || other >= own);
            return Answer::Refused { own, first };
        }
        // A put with a lease that is gone fails its transaction.
        if self.leases[c][entry] != Lease::Lives {
            return Answer::LeaseNotFound;
        }
        self.revision += 1;
        self.keys[c][entry] = self.revision;
        Answer::Entered { fence: self.revision }
    }

    /// Ends a lease and deletes its key.
    pub(super) fn end(&mut self, c: usize, entry: usize) {
        self.leases[c][entry] = Lease::Ended;
        self.keys[c][entry] = 0;
    }

    /// Replaces revisions by their rank, and sorts unordered parts.
    pub(super) fn canonical(mut self) -> Self {
        let mut used = 0_u64;
        self.each_revision(&mut |revision| used |= 1 << *revision);
        used &= !1;
        self.each_revision(&mut |revision| {
            *revision = (used & (u64::MAX >> (63 - *revision))).count_ones() as u8;
        });
        self.revision = used.count_ones() as u8;
        self.requests.sort_unstable();
        self.answers.sort_unstable();
        self
    }

    fn each_revision(&mut self, visit: &mut impl FnMut(&mut u8)) {
        self.keys.iter_mut().flatten().for_each(&mut *visit);
        for contender in &mut self.contenders {
            if let Phase::Wait { fence } | Phase::Hold { fence } | Phase::Delete { fence } =
                &mut contender.phase
            {
                visit(fence);
            }
        }
        for copy in &mut self.requests {
            if let Request::Delete { fence } = &mut copy.request {
                visit(fence);
            }
        }
        for (_, answer) in &mut self.answers {
            if let Answer::Entered { fence } | Answer::Refused { own: fence, .. } = answer {
                visit(fence);
            }
        }
    }
}
