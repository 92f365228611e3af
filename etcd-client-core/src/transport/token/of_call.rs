//! The token state of one call: the token of its last attempt, and the number of rejections.

use std::time::Duration;

use http::HeaderMap;

use crate::{
    request::CallOptions,
    transport::{
        grpc::{headers::TimeoutHeader, observation::Observation},
        token::{Carried, Tokens, rejection, rejection::Recovery},
    },
};

/// The token state of one call.
#[derive(Debug, Default)]
pub(crate) struct TokenOfCall {
    carried: Carried,
    rejections: u32,
}

impl TokenOfCall {
    /// Returns the header block of the next attempt, and records its token.
    pub(crate) fn headers(
        &mut self,
        tokens: &Tokens,
        options: &CallOptions,
        timeout: TimeoutHeader,
    ) -> HeaderMap {
        let (headers, carried) = tokens.headers(options, timeout);
        self.carried = carried;
        headers
    }

    /// Returns the state for the next request of the same stream: the same token, which was accepted, and no
    /// rejections.
    pub(crate) fn restarted(&self) -> Self {
        Self { carried: self.carried, rejections: 0 }
    }

    /// Returns the token that the last attempt carried.
    pub(crate) fn carried(&self) -> Carried {
        self.carried
    }

    /// Returns the reaction to a failure of the last attempt, if the failure concerns its token.
    pub(crate) fn recovery(&self, tokens: &Tokens, observation: Observation) -> Option<Recovery> {
        rejection::recovery(tokens.kind(), observation, self.carried.had_token(), self.rejections + 1)
    }

    /// Counts a rejection that leads to a retry, and returns the wait before it.
    pub(crate) fn count_rejection(&mut self) -> Duration {
        self.rejections += 1;
        rejection::wait(self.rejections, fastrand::u64(..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_resets_the_count_of_rejections() {
        let mut token = TokenOfCall::default();
        for _ in 0..8 {
            token.count_rejection();
        }
        let mut next = token.restarted();
        assert_eq!((token.rejections, next.rejections), (8, 0));
        assert_eq!(
            [next.count_rejection(), next.count_rejection()],
            [Duration::ZERO; 2],
            "both are followed at once"
        );
    }
}
