//! One call and its tokens: which one its last attempt carried, how many were rejected.

use std::time::Duration;

use http::HeaderMap;

use super::{Carried, Tokens};
use crate::{
    mechanism::{
        rejection::{self, Remedy},
        retry::Observation,
    },
    service::CallOptions,
    transport::headers::TimeoutHeader,
};

/// What a call remembers of its tokens.
#[derive(Debug, Default)]
pub(crate) struct TokenOfCall {
    carried: Carried,
    rejections: u32,
}

impl TokenOfCall {
    /// The header block of the next attempt.
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

    /// The same token, with no rejection counted: what it was sent with was taken.
    pub(crate) fn begun_anew(&self) -> Self {
        Self { carried: self.carried, rejections: 0 }
    }

    /// What the last attempt carried.
    pub(crate) fn carried(&self) -> Carried {
        self.carried
    }

    /// What to do where the last attempt's failure is about its token.
    pub(crate) fn remedy(&self, tokens: &Tokens, observation: Observation) -> Option<Remedy> {
        rejection::remedy(tokens.kind(), observation, self.carried.had_token(), self.rejections + 1)
    }

    /// Counts a rejection that is followed, and says how long to wait before.
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
        let mut next = token.begun_anew();
        assert_eq!((token.rejections, next.rejections), (8, 0));
        assert_eq!(
            [next.count_rejection(), next.count_rejection()],
            [Duration::ZERO; 2],
            "both are followed at once"
        );
    }
}
