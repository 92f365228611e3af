//! How long a stream of watches may say nothing.

use std::time::Duration;

/// How long a stream with watches may be silent before it is asked for a sign of life.
pub(super) const QUIET: Duration = Duration::from_secs(8);

/// How long it may owe that sign. Together with the above less than 15 s.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may owe a creation: whoever waits for that has time for another member, by default 5 s in all.
const CREATION_PATIENCE: Duration = Duration::from_secs(2);

/// How often either doubles: what is busy with a long history must not be asked to begin anew for ever.
const MOST_DOUBLES: u32 = 4;

/// How long a stream that owes an answer may be silent before it is given up, after `before` streams in a row that were.
pub(super) fn patience(creating: bool, before: u32) -> Duration {
    let first = if creating { CREATION_PATIENCE } else { PATIENCE };
    first * 2_u32.pow(before.min(MOST_DOUBLES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creation_has_time_for_two_members_and_a_busy_member_gets_more() {
        assert!(patience(true, 0) * 2 < Duration::from_secs(5));
        assert!(QUIET + patience(false, 0) < Duration::from_secs(15));
        assert_eq!(patience(true, 1), CREATION_PATIENCE * 2);
        assert_eq!(patience(false, 99), PATIENCE * 16);
    }
}
