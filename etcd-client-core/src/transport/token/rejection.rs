//! The retry rules for requests whose token is rejected or missing, as one table.

use std::time::Duration;

use etcd_errors::Code;

use crate::transport::{backoff::Backoff, grpc::observation::Observation};

/// The maximum number of rejections that one call survives. A signed token with a lifetime of one second may have
/// expired when it arrives, and a member that lags may know neither the token nor that auth was enabled. With the
/// delays in between, eight retries outlast both.
const MOST_REJECTIONS: u32 = 8;

/// The number of rejections that are retried without a delay: one for the expired token, and one for a token that
/// expired during the call.
const WITHOUT_WAIT: u32 = 2;

/// The client's means to obtain a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// It has none. Members identify it by its certificate, or not at all.
    None,
    /// It has one token that cannot be replaced.
    Fixed,
    /// It can request a new token.
    Renewable,
}

/// The step before a retry. Each rejection states that the request was not applied, so writes are retried too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Obtain a new token.
    Renew,
    /// None: the cause of the rejection has changed in the meantime.
    Retry,
}

/// Returns the recovery after the `rejections`-th rejection of a call, whose last observation is `observation`. Returns
/// `None` if the rule for all other failures applies. `had_token` is true if the request carried a token.
pub(crate) fn recovery(
    credentials: Credentials,
    observation: Observation,
    had_token: bool,
    rejections: u32,
) -> Option<Recovery> {
    let Observation::Rejected(code, _) = observation else { return None };
    let recovery = match (credentials, code) {
        (Credentials::Renewable, Code::InvalidAuthToken | Code::AuthOldRevision) => Recovery::Renew,
        // The request was proposed while auth was disabled and applied after it was enabled, so its token was
        // never checked.
        (Credentials::Renewable, Code::UserEmpty) if had_token => Recovery::Retry,
        // Some RPCs report a missing token as a lack of permission.
        (Credentials::Renewable, Code::UserEmpty | Code::PermissionDenied) if !had_token => Recovery::Renew,
        // Users changed between the check and the apply. The certificate is still valid.
        (Credentials::None, Code::AuthOldRevision) => Recovery::Retry,
        _ => return None,
    };
    // A server that never accepts a token must not keep a call busy until its deadline.
    (rejections <= MOST_REJECTIONS).then_some(recovery)
}

/// Returns the delay after the `rejections`-th rejection.
pub(crate) fn wait(rejections: u32, random: u64) -> Duration {
    match rejections.checked_sub(WITHOUT_WAIT) {
        None | Some(0) => Duration::ZERO,
        Some(failures) => Backoff::RETRY.wait(failures, random),
    }
}

#[cfg(test)]
mod tests {
    use Credentials::{Fixed, None as Nobody, Renewable};
    use Recovery::{Renew, Retry};
    use etcd_errors::Outcome;

    use super::*;

    fn rejected(code: Code) -> Observation {
        Observation::Rejected(code, code.outcome())
    }

    #[test]
    fn the_table() {
        for (code, credentials, with_token, without) in [
            (Code::InvalidAuthToken, Renewable, Some(Renew), Some(Renew)),
            (Code::AuthOldRevision, Renewable, Some(Renew), Some(Renew)),
            (Code::UserEmpty, Renewable, Some(Retry), Some(Renew)),
            (Code::PermissionDenied, Renewable, None, Some(Renew)),
            (Code::AuthFailed, Renewable, None, None),
            (Code::AuthNotEnabled, Renewable, None, None),
            (Code::LeaderChanged, Renewable, None, None),
            (Code::InvalidAuthToken, Fixed, None, None),
            (Code::AuthOldRevision, Fixed, None, None),
            (Code::UserEmpty, Fixed, None, None),
            (Code::PermissionDenied, Fixed, None, None),
            (Code::InvalidAuthToken, Nobody, None, None),
            (Code::AuthOldRevision, Nobody, Some(Retry), Some(Retry)),
            (Code::UserEmpty, Nobody, None, None),
            (Code::PermissionDenied, Nobody, None, None),
        ] {
            let what = format!("{code:?} with {credentials:?}");
            assert_eq!(recovery(credentials, rejected(code), true, 1), with_token, "{what}, token");
            assert_eq!(recovery(credentials, rejected(code), false, 1), without, "{what}, no token");
        }
        for observation in [Observation::Lost, Observation::NotSent, Observation::DeadlinePassed] {
            assert_eq!(recovery(Renewable, observation, true, 1), None);
        }
    }

    #[test]
    fn retried_rejections_were_not_applied() {
        for &code in Code::ALL {
            for credentials in [Nobody, Fixed, Renewable] {
                for had_token in [false, true] {
                    if recovery(credentials, rejected(code), had_token, 1).is_some() {
                        assert_eq!(code.outcome(), Outcome::NotApplied, "{code:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_server_that_takes_no_token_ends_the_call() {
        let rejected = rejected(Code::InvalidAuthToken);
        assert_eq!(recovery(Renewable, rejected, true, MOST_REJECTIONS), Some(Renew));
        assert_eq!(recovery(Renewable, rejected, true, MOST_REJECTIONS + 1), None);
    }

    #[test]
    fn first_two_rejections_are_retried_immediately() {
        let longest: Vec<u128> = (1..=5).map(|n| wait(n, u64::MAX).as_millis()).collect();
        assert_eq!(longest, [0, 0, 25, 50, 100]);
    }
}
