//! The idle timeouts of a stream of watches.

use std::time::Duration;

/// The time without messages after which a sign of life is requested.
pub(crate) const IDLE: Duration = Duration::from_secs(8);

/// The time for the answer to that request. Both together are below 15 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The time for the response to a create request. It leaves the caller enough time for another member: by default, a
/// creation may take 5 s in total.
const CREATION_TIMEOUT: Duration = Duration::from_secs(2);

/// The maximum number of times that these are doubled. A member that is busy with a long history must not have to
/// restart it forever.
const MOST_DOUBLES: u32 = 4;

/// Returns the time without messages after which a stream that owes an answer is abandoned, after `before`
/// consecutive streams that were.
pub(crate) fn answer_timeout(creating: bool, before: u32) -> Duration {
    let first = if creating { CREATION_TIMEOUT } else { ANSWER_TIMEOUT };
    first * 2_u32.pow(before.min(MOST_DOUBLES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creation_has_time_for_two_members_and_a_busy_member_gets_more() {
        assert!(answer_timeout(true, 0) * 2 < Duration::from_secs(5));
        assert!(IDLE + answer_timeout(false, 0) < Duration::from_secs(15));
        assert_eq!(answer_timeout(true, 1), CREATION_TIMEOUT * 2);
        assert_eq!(answer_timeout(false, 99), ANSWER_TIMEOUT * 16);
    }
}
