//! Two participants of a double barrier, the barrier's keys, and the copies between them.

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Phase {
    Outside,
    PutsReady,
    Waits,
    Inside,
    /// Deleted its key, and waits for the other participant.
    Leaves,
    GaveUp,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Participant {
    pub(super) round: u8,
    pub(super) phase: Phase,
    pub(super) fence: u8,
    /// The mod revision of `ready` that its put compares.
    pub(super) known: u8,
    /// Another put of `ready` was applied since the participant arrived.
    pub(super) saw_ready: bool,
    /// Copies of the put of `ready` that were sent.
    pub(super) sent: u8,
}

/// A copy of the put of `ready`. `current` while its sender waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Copied {
    pub(super) from: u8,
    pub(super) fence: u8,
    pub(super) known: u8,
    pub(super) current: bool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) revision: u8,
    /// The create revisions of the participants' keys; 0 when absent.
    pub(super) keys: [u8; 2],
    /// The mod revision of `ready`; 0 when absent.
    pub(super) ready: u8,
    pub(super) participants: [Participant; 2],
    pub(super) copies: Vec<Copied>,
    pub(super) cancellations: u8,
}

impl State {
    pub(super) fn next_revision(&mut self) -> u8 {
        self.revision += 1;
        self.revision
    }

    pub(super) fn delete_key(&mut self, c: usize, phase: Phase) {
        self.next_revision();
        self.keys[c] = 0;
        self.participants[c].phase = phase;
    }

    /// Sends a copy of the put of `ready`.
    pub(super) fn send(&mut self, c: usize) {
        let Participant { fence, known, .. } = self.participants[c];
        self.copies.push(Copied { from: c as u8, fence, known, current: true });
        // Two or more make no difference.
        self.participants[c].sent = 2.min(self.participants[c].sent + 1);
    }

    pub(super) fn end_call(&mut self, c: usize) {
        for copy in self.copies.iter_mut().filter(|copy| usize::from(copy.from) == c) {
            copy.current = false;
        }
    }

    /// Replaces revisions by their rank.
    pub(super) fn canonical(mut self) -> Self {
        let mut used = 0_u64;
        self.each_revision(|revision| used |= 1 << *revision);
        used &= !1;
        self.each_revision(|revision| *revision = (used & (u64::MAX >> (63 - *revision))).count_ones() as u8);
        self.revision = used.count_ones() as u8;
        self.copies.sort_unstable();
        self
    }

    fn each_revision(&mut self, mut visit: impl FnMut(&mut u8)) {
        visit(&mut self.ready);
        self.keys.iter_mut().for_each(&mut visit);
        for Participant { fence, known, .. } in &mut self.participants {
            visit(fence);
            visit(known);
        }
        for Copied { fence, known, .. } in &mut self.copies {
            visit(fence);
            visit(known);
        }
    }
}
