//! Tokens of stub calls.

use etcd_errors::{Code, Error, ErrorKind, Outcome};
use h2::RecvStream;
use http::{Response, request::Parts};
use tokio::time::{Instant, timeout_at};

use crate::transport::{
    call::{authenticate, channel::Channel},
    grpc::{observation::Observation, status, status::Head},
    stub::{outgoing::takes_token, stub_call::StubCall},
    token::{Carried, rejection::remedy},
};

impl Channel {
    /// Waits for the first token if the call needs one, as long as it would wait for a connection.
    pub(crate) async fn stub_token(
        &self,
        call: &StubCall,
        head: &Parts,
        deadline: Option<Instant>,
    ) -> Result<(), Error> {
        if !self.tokens().is_missing() || !takes_token(head) {
            return Ok(());
        }
        let renewal = authenticate::renew(self, Carried::default());
        match self.stub_patience(call, deadline) {
            None => renewal.await,
            Some(deadline) => timeout_at(deadline, renewal)
                .await
                .unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "no auth token before the deadline"))),
        }
    }

    /// Makes the next call fetch a new token, if this response rejects the token of the call.
    pub(crate) fn learn_rejection(&self, head: &Parts, response: &Response<RecvStream>, carried: Carried) {
        // Only a response without messages (trailers-only) has its status in the headers. A later status is
        // not inspected: the token was accepted when the stream began.
        let ended = response.body().is_end_stream();
        let Head::Ended(Err(status)) = status::head(response.status(), response.headers(), ended) else {
            return;
        };
        let observation =
            Observation::Refused(Code::parse(status.code, &status.message), Outcome::NotApplied);
        let rejected = remedy(self.tokens().kind(), observation, carried.had_token(), 1).is_some();
        if rejected && takes_token(head) {
            self.tokens().reject(carried);
        }
    }
}
