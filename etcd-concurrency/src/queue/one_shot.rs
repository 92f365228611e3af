//! A write of a session without a key to hold, applied at most once and with a known outcome. Queues use it.

use etcd_client_core::{
    CallOptions, ErrorKind, Get, Outcome, Revision, Txn, request::RetryPolicy, txn::TxnResponse,
};

use crate::{
    Error, Session,
    queue_entry::{malformed_response, map_token_error},
    session::cleanup::{Cleanup, CleanupPermit, Leftover},
    token::{Token, TokenStatus},
};

/// A write that is applied at most once, no matter how many copies of it are sent.
///
/// If it is dropped before its outcome is known, the session burns its token in the background, so that no copy is applied
/// later.
#[derive(Debug)]
pub(crate) struct OneShotWrite {
    session: Session,
    token: Option<Token>,
    permit: Option<CleanupPermit>,
}

/// The outcome of a one-shot write.
#[derive(Debug)]
pub(crate) enum WriteOutcome {
    /// It was applied at this revision.
    Applied(Revision),
    /// Its conditions did not hold, and it will never be applied. The result of the alternative read is the first response.
    Rejected(TxnResponse),
}

impl OneShotWrite {
    pub(crate) fn new(session: &Session, recipe: &'static str) -> Result<Self, Error> {
        if session.entry_leases().is_some() {
            return Err(Error::NeedsTokens { recipe });
        }
        let permit = session.cleanup_permit()?;
        let token = session.draw_token();
        Ok(Self { session: session.clone(), token: Some(token), permit: Some(permit) })
    }

    /// Sends a transaction that reads `otherwise` if its conditions do not hold.
    ///
    /// If the response is lost, the token is burnt, which determines the outcome. The outcome stays unknown only if the session
    /// ends first.
    pub(crate) async fn send(mut self, txn: Txn, otherwise: Option<Get>) -> Result<WriteOutcome, Error> {
        self.session.check()?;
        let Some(token) = &self.token else { return Err(malformed_response().into()) };
        let (lease, rules) = (self.session.lease(), self.session.rules());
        let txn = txn
            .when(token.unspent())
            .then(token.spend(lease, rules))
            .or_else((otherwise, token.burn(lease, rules)));
        let options = CallOptions::default().retry(RetryPolicy::AssumeIdempotent);
        match self.session.store().kv().txn(txn, options).await {
            Ok(response) if response.succeeded() => {
                let revision = response.header.revision;
                self.finish(TokenStatus::Spent(revision));
                Ok(WriteOutcome::Applied(revision))
            }
            Ok(response) => {
                let revision = response.header.revision;
                let burn = response.responses().last().and_then(|last| last.as_txn());
                match burn.and_then(|burn| token.burnt(burn, revision)) {
                    // An earlier copy was applied, and this one found the token spent.
                    Some(status @ TokenStatus::Spent(at)) => {
                        self.finish(status);
                        Ok(WriteOutcome::Applied(at))
                    }
                    Some(status @ TokenStatus::Burnt(_)) => {
                        self.finish(status);
                        Ok(WriteOutcome::Rejected(response))
                    }
                    Some(TokenStatus::Missing) => self.resolve(token_gone()).await,
                    Some(TokenStatus::Unspent) | None => self.resolve(malformed_response()).await,
                }
            }
            // No copy was processed, so the token can be used again with its known revision.
            Err(error) if error.outcome() == Outcome::NotApplied => {
                self.finish(TokenStatus::Unspent);
                Err(map_token_error(&self.session, error))
            }
            Err(error) => self.resolve(error).await,
        }
    }

    /// Burns the token to determine the outcome.
    async fn resolve(mut self, error: etcd_client_core::Error) -> Result<WriteOutcome, Error> {
        let Some(token) = &self.token else { return Err(error.into()) };
        let cleaner = self.session.cleaner();
        let resolved = tokio::select! {
            biased;
            resolved = cleaner.burn(token, None) => resolved,
            _ = self.session.lost() => None,
        };
        let Some(status) = resolved.map(|resolved| resolved.status) else { return Err(error.into()) };
        self.finish(status);
        match status {
            TokenStatus::Spent(at) => Ok(WriteOutcome::Applied(at)),
            TokenStatus::Burnt(_) => Err(error.with_outcome(Outcome::NotApplied).into()),
            TokenStatus::Unspent | TokenStatus::Missing => Err(error.into()),
        }
    }

    fn finish(&mut self, status: TokenStatus) {
        if let Some(token) = self.token.take().and_then(|token| token.after(status)) {
            self.session.put_back_token(token);
        }
    }
}

/// The error for a missing token. A member that was paused may revoke a lease that its successor has renewed, which deletes the
/// token before the client is notified.
fn token_gone() -> etcd_client_core::Error {
    let text = "the session's token is gone: its lease has ended, or the key was deleted";
    etcd_client_core::Error::new(ErrorKind::Protocol, text).with_outcome(Outcome::Unknown)
}

impl Drop for OneShotWrite {
    fn drop(&mut self) {
        // A write that was never sent is treated as unknown, too: burning its token is one small request.
        if let (Some(token), Some(permit)) = (self.token.take(), self.permit.take()) {
            permit.send(Cleanup { leftover: Leftover::Unresolved { token, key: None }, slot: None });
        }
    }
}
