//! What follows when a member does not take the token of a request, or misses one: one table.

use std::time::Duration;

use etcd_errors::Code;

use super::{backoff::Backoff, retry::Observation};

/// How often one call goes on after a rejection. A signed token of one second may have expired when it arrives, and a member
/// that lags behind may know neither the token nor that auth was turned on: with the waits between them, eight outlast both.
const MOST_REJECTIONS: u32 = 8;

/// The rejections that are followed at once: the expired token, and one that expired while the call was under way.
const WITHOUT_WAIT: u32 = 2;

/// What a client can do about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// It has none: the members know it by its certificate, or not at all.
    None,
    /// It was given one token for good.
    Fixed,
    /// It can ask for another.
    Renewable,
}

/// What to do before the request is sent again. Every rejection says that it was not applied, so that a write is, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Get another token.
    Renew,
    /// Nothing: what was rejected has changed meanwhile.
    Resend,
}

/// The remedy after the `rejections`-th rejection of a call, which the last observation is, or `None` where the rule for every
/// other failure decides. `had_token` says whether the request carried one.
pub(crate) fn remedy(
    credentials: Credentials,
    observation: Observation,
    had_token: bool,
    rejections: u32,
) -> Option<Remedy> {
    let Observation::Refused(code, _) = observation else { return None };
    let remedy = match (credentials, code) {
        (Credentials::Renewable, Code::InvalidAuthToken | Code::AuthOldRevision) => Remedy::Renew,
        // Proposed while auth was off, applied when it was on: the token was not looked at.
        (Credentials::Renewable, Code::UserEmpty) if had_token => Remedy::Resend,
        // Some RPCs refuse nobody in these words.
        (Credentials::Renewable, Code::UserEmpty | Code::PermissionDenied) if !had_token => Remedy::Renew,
        // Users changed between the check and the apply; the certificate is as good as before.
        (Credentials::None, Code::AuthOldRevision) => Remedy::Resend,
        _ => return None,
    };
    (rejections <= MOST_REJECTIONS).then_some(remedy)
}

/// The wait after the `rejections`-th rejection.
pub(crate) fn wait(rejections: u32, random: u64) -> Duration {
    match rejections.checked_sub(WITHOUT_WAIT) {
        None | Some(0) => Duration::ZERO,
        Some(failures) => Backoff::RESEND.wait(failures, random),
    }
}

#[cfg(test)]
mod tests {
    use etcd_errors::Outcome;

    use super::*;
    use Credentials::{Fixed, None as Nobody, Renewable};
    use Remedy::{Renew, Resend};

    fn refused(code: Code) -> Observation {
        Observation::Refused(code, code.outcome())
    }

    #[test]
    fn the_table() {
        for (code, credentials, with_token, without) in [
            (Code::InvalidAuthToken, Renewable, Some(Renew), Some(Renew)),
            (Code::AuthOldRevision, Renewable, Some(Renew), Some(Renew)),
            (Code::UserEmpty, Renewable, Some(Resend), Some(Renew)),
            (Code::PermissionDenied, Renewable, None, Some(Renew)),
            (Code::AuthFailed, Renewable, None, None),
            (Code::AuthNotEnabled, Renewable, None, None),
            (Code::LeaderChanged, Renewable, None, None),
            (Code::InvalidAuthToken, Fixed, None, None),
            (Code::AuthOldRevision, Fixed, None, None),
            (Code::UserEmpty, Fixed, None, None),
            (Code::PermissionDenied, Fixed, None, None),
            (Code::InvalidAuthToken, Nobody, None, None),
            (Code::AuthOldRevision, Nobody, Some(Resend), Some(Resend)),
            (Code::UserEmpty, Nobody, None, None),
            (Code::PermissionDenied, Nobody, None, None),
        ] {
            let what = format!("{code:?} with {credentials:?}");
            assert_eq!(remedy(credentials, refused(code), true, 1), with_token, "{what}, token");
            assert_eq!(remedy(credentials, refused(code), false, 1), without, "{what}, no token");
        }
        for observation in [Observation::Lost, Observation::NotSent, Observation::DeadlinePassed] {
            assert_eq!(remedy(Renewable, observation, true, 1), None);
        }
    }

    #[test]
    fn what_is_followed_was_not_applied() {
        for &code in Code::ALL {
            for credentials in [Nobody, Fixed, Renewable] {
                for had_token in [false, true] {
                    if remedy(credentials, refused(code), had_token, 1).is_some() {
                        assert_eq!(code.outcome(), Outcome::NotApplied, "{code:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_server_that_takes_no_token_ends_the_call() {
        let rejected = refused(Code::InvalidAuthToken);
        assert_eq!(remedy(Renewable, rejected, true, MOST_REJECTIONS), Some(Renew));
        assert_eq!(remedy(Renewable, rejected, true, MOST_REJECTIONS + 1), None);
    }

    #[test]
    fn the_first_two_are_followed_at_once() {
        let longest: Vec<u128> = (1..=5).map(|n| wait(n, u64::MAX).as_millis()).collect();
        assert_eq!(longest, [0, 0, 25, 50, 100]);
    }
}
