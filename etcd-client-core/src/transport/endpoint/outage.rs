//! The endpoint changes that are logged: the beginning and the end of each outage.

/// An event of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A connection attempt has started.
    Connecting,
    /// A connection attempt has failed.
    Failed,
    /// A connection ended: it was closed by this client, cut by a load balancer, or lost. The next attempt shows
    /// whether that matters.
    Ended,
    /// A PING was not answered in time.
    Suspect,
    /// The endpoint leads to another cluster or history. This is logged separately, also during an outage.
    Rejected,
    /// The endpoint accepts calls.
    Ready,
}

/// The message to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// None.
    Quiet,
    /// The endpoint is ready for the first time.
    Ready,
    /// An outage has begun.
    Began,
    /// An outage that was logged has ended.
    Over {
        /// The duration of the outage in milliseconds.
        lasted: u64,
        /// The number of failed connection attempts.
        attempts: u32,
    },
}

/// The outages of one endpoint. Times are milliseconds relative to an arbitrary fixed moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outage {
    /// The time since which the endpoint is not ready. `None` while it is ready.
    since: Option<u64>,
    attempts: u32,
    /// True if the current outage was logged.
    logged: bool,
    /// True if it was logged that the endpoint is rejected.
    rejected: bool,
    was_ready: bool,
}

impl Outage {
    pub(crate) fn step(&mut self, step: Step, now: u64) -> Note {
        if step == Step::Ready {
            let before = std::mem::replace(self, Self { was_ready: true, ..Self::default() });
            return match before.since {
                Some(since) if before.logged => {
                    Note::Over { lasted: now.saturating_sub(since), attempts: before.attempts }
                }
                _ if before.was_ready => Note::Quiet,
                _ => Note::Ready,
            };
        }
        self.since.get_or_insert(now);
        if step == Step::Failed {
            self.attempts = self.attempts.saturating_add(1);
        }
        let (logged, worth) = match step {
            Step::Failed | Step::Suspect => (&mut self.logged, true),
            Step::Rejected => (&mut self.rejected, true),
            Step::Connecting | Step::Ended | Step::Ready => (&mut self.logged, false),
        };
        if !worth || std::mem::replace(logged, true) {
            return Note::Quiet;
        }
        self.logged = true;
        Note::Began
    }
}

#[cfg(test)]
mod tests {
    use Step::{Connecting, Ended, Failed, Ready, Suspect};

    use super::*;

    fn notes(steps: &[(u64, Step)]) -> Vec<Note> {
        let mut outage = Outage::default();
        steps.iter().map(|(now, step)| outage.step(*step, *now)).filter(|note| *note != Note::Quiet).collect()
    }

    #[test]
    fn one_note_at_the_beginning_of_an_outage_and_one_at_its_end() {
        let up = [(0, Connecting), (5, Ready)];
        let down = [(100, Ended), (150, Connecting), (160, Failed), (300, Connecting), (310, Failed)];
        let mut steps = [&up[..], &down[..]].concat();
        assert_eq!(notes(&steps), [Note::Ready, Note::Began]);
        for attempt in 0..1_000 {
            steps.extend([(1_000 + attempt, Connecting), (1_001 + attempt, Failed)]);
        }
        steps.extend([(5_000, Connecting), (5_100, Ready)]);
        assert_eq!(notes(&steps), [Note::Ready, Note::Began, Note::Over { lasted: 5_000, attempts: 1_002 }]);
        // The next outage is counted separately.
        steps.extend([(6_000, Ended), (6_100, Failed), (6_200, Ready)]);
        assert_eq!(notes(&steps)[3..], [Note::Began, Note::Over { lasted: 200, attempts: 1 }]);
    }

    #[test]
    fn idle_and_orderly_closes_log_no_warning() {
        let mut steps = vec![(0, Connecting), (5, Ready)];
        for cut in 1..200 {
            steps.extend([(cut * 2_000, Ended), (cut * 2_000 + 50, Connecting), (cut * 2_000 + 55, Ready)]);
        }
        steps.push((500_000, Ended));
        assert_eq!(notes(&steps), [Note::Ready]);
    }

    #[test]
    fn hung_members_are_noted_once() {
        let steps = [(0, Ready), (10, Suspect), (20, Ended), (30, Connecting), (40, Failed), (50, Ready)];
        assert_eq!(notes(&steps), [Note::Ready, Note::Began, Note::Over { lasted: 40, attempts: 1 }]);
    }

    #[test]
    fn rejections_are_reported_once_during_an_outage() {
        use Step::Rejected;
        let steps = [
            (0, Ready),
            (10, Failed),
            (20, Failed),
            (30, Rejected),
            (40, Rejected),
            (50, Failed),
            (90, Ready),
        ];
        assert_eq!(
            notes(&steps),
            [Note::Ready, Note::Began, Note::Began, Note::Over { lasted: 80, attempts: 3 }]
        );
        assert_eq!(notes(&[(0, Rejected), (10, Rejected), (20, Failed)]), [Note::Began]);
    }

    #[test]
    fn endpoints_that_were_never_there_are_noted_once() {
        let steps = [(0, Connecting), (10, Failed), (20, Connecting), (30, Failed), (90, Ready)];
        assert_eq!(notes(&steps), [Note::Began, Note::Over { lasted: 90, attempts: 2 }]);
    }
}
