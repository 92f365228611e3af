//! Who numbers the watches of one stream, and therefore how many creations may be in flight on it.

/// The first number that is chosen here: far above every number that is counted up from zero, so that the two cannot be confused.
const FIRST: i64 = 1 << 32;

/// Who chooses the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Numbering {
    /// No creation was answered with a number yet.
    #[default]
    Unknown,
    /// The numbers in the requests are used, as etcd does since 3.4 (`watchServer.recvLoop` in etcd's
    /// `server/etcdserver/api/v3rpc/watch.go`): every answer names its request.
    Ours,
    /// Other numbers are used. etcd's gRPC proxy counts up from zero and answers creations out of order (etcd issue 12819), so
    /// that an answer can be matched only while a single creation is in flight.
    Theirs,
}

/// The numbers of the watches on one stream.
#[derive(Debug)]
pub(super) struct Numbers {
    numbering: Numbering,
    next: i64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { numbering: Numbering::default(), next: FIRST }
    }
}

impl Numbers {
    /// Whether a creation may be sent while others are in flight: not before the stream has shown that it uses the numbers in
    /// the requests.
    pub(super) fn may_overlap(&self) -> bool {
        self.numbering == Numbering::Ours
    }

    /// Whether numbers other than those in the requests are used, as behind a proxy.
    pub(super) fn are_foreign(&self) -> bool {
        self.numbering == Numbering::Theirs
    }

    /// The number for the next creation.
    pub(super) fn choose(&mut self) -> i64 {
        let chosen = self.next;
        self.next += 1;
        chosen
    }

    /// A creation that named `chosen` was answered with `found`. `false` where this cannot be the answer to it.
    pub(super) fn matches(&mut self, chosen: i64, found: i64) -> bool {
        match (self.numbering, chosen == found) {
            (Numbering::Ours, same) => same,
            (Numbering::Unknown, true) => {
                self.numbering = Numbering::Ours;
                true
            }
            (Numbering::Unknown | Numbering::Theirs, false) => {
                self.numbering = Numbering::Theirs;
                found < FIRST
            }
            (Numbering::Theirs, true) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creations_overlap_only_once_a_chosen_number_came_back() {
        let mut numbers = Numbers::default();
        let (first, second) = (numbers.choose(), numbers.choose());
        assert!(!numbers.may_overlap() && first != second);
        assert!(numbers.matches(first, first));
        assert!(numbers.may_overlap() && !numbers.are_foreign());
        assert!(!numbers.matches(second, 0), "the numbering of a stream does not change");
    }

    #[test]
    fn numbers_of_others_are_taken_one_at_a_time() {
        let mut numbers = Numbers::default();
        let (first, second) = (numbers.choose(), numbers.choose());
        assert!(numbers.matches(first, 0));
        assert!(!numbers.may_overlap() && numbers.are_foreign());
        assert!(numbers.matches(second, 1));
        assert!(!numbers.matches(second, second), "the numbering of a stream does not change");
        assert!(!Numbers::default().matches(first, second), "another chosen number is no answer");
    }
}
