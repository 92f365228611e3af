//! The assignment of watch ids on a stream, which determines the number of concurrent create requests.

/// The first id chosen by the client. It is far above ids counted up from zero, so that the two cannot be confused.
const FIRST: i64 = 1 << 32;

/// The party that chooses the ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Numbering {
    /// No create request was answered with an id yet.
    #[default]
    Unknown,
    /// The ids in the requests are used, as etcd does since 3.4 (`watchServer.recvLoop` in etcd's
    /// `server/etcdserver/api/v3rpc/watch.go`). Each response identifies its request.
    Ours,
    /// Other ids are used. etcd's gRPC proxy counts up from zero and answers create requests out of order (etcd issue
    /// 12819), so a response can be matched only while a single request is in flight.
    Theirs,
}

/// The ids of the watches on one stream.
#[derive(Debug)]
pub(crate) struct Numbers {
    numbering: Numbering,
    next: i64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { numbering: Numbering::default(), next: FIRST }
    }
}

impl Numbers {
    /// Returns true if several create requests may be in flight. This requires that the stream has used an id from a
    /// request.
    pub(crate) fn may_overlap(&self) -> bool {
        self.numbering == Numbering::Ours
    }

    /// Returns true if the stream uses other ids than the requests, as a proxy does.
    pub(crate) fn are_foreign(&self) -> bool {
        self.numbering == Numbering::Theirs
    }

    /// Returns the id for the next create request.
    pub(crate) fn choose(&mut self) -> i64 {
        let chosen = self.next;
        self.next += 1;
        chosen
    }

    /// Processes the response `found` to a create request with id `chosen`. Returns false if it cannot belong to that
    /// request.
    pub(crate) fn matches(&mut self, chosen: i64, found: i64) -> bool {
        match (self.numbering, chosen == found) {
            (Numbering::Ours, same) => same,
            (Numbering::Unknown, true) => {
                self.numbering = Numbering::Ours;
                true
            }
            // A proxy counts from zero. A larger id is one of this client's, and belongs to another request.
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
