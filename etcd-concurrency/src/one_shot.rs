//! A write without a key of its own to hold, applied at most once and with a known outcome: what queues do by a session.

use etcd_client_core::{CallOptions, ErrorKind, Get, Outcome, Resend, Revision, Txn, TxnResponse};

use crate::{
    Error, Session,
    place::{explain_with_token, malformed},
    session::settle::{Left, Settlement, Ticket},
    token::{Fate, Token},
};

/// A write that is applied at most once, however many copies of it are sent.
///
/// Dropped before its outcome is known, the session burns its token in the background, so that no copy is applied later.
#[derive(Debug)]
pub(crate) struct OneShot {
    session: Session,
    token: Option<Token>,
    ticket: Option<Ticket>,
}

/// What became of a one-shot write.
#[derive(Debug)]
pub(crate) enum Shot {
    /// It was applied at this revision.
    Applied(Revision),
    /// Its conditions did not hold, and it will never be applied. The answer to what was read instead comes first.
    Refused(TxnResponse),
}

impl OneShot {
    pub(crate) fn new(session: &Session, recipe: &'static str) -> Result<Self, Error> {
        if session.entry_leases().is_some() {
            return Err(Error::NeedsTokens { recipe });
        }
        let ticket = session.ticket()?;
        let token = session.draw_token();
        Ok(Self { session: session.clone(), token: Some(token), ticket: Some(ticket) })
    }

    /// Sends a transaction, which reads `otherwise` where its conditions do not hold.
    ///
    /// Where the answer was lost, the token is burnt, which tells the outcome. It stays unknown only where the session ends first.
    pub(crate) async fn send(mut self, txn: Txn, otherwise: Option<Get>) -> Result<Shot, Error> {
        self.session.check()?;
        let Some(token) = &self.token else { return Err(malformed().into()) };
        let (lease, rules) = (self.session.lease(), self.session.rules());
        let txn = txn
            .when(token.unspent())
            .then(token.spend(lease, rules))
            .or_else((otherwise, token.burn(lease, rules)));
        let options = CallOptions::default().resend(Resend::AsIfIdempotent);
        match self.session.store().kv().txn(txn, options).await {
            Ok(response) if response.succeeded() => {
                let revision = response.header.revision;
                self.over(Fate::Applied(revision));
                Ok(Shot::Applied(revision))
            }
            Ok(response) => {
                let revision = response.header.revision;
                let burn = response.responses().last().and_then(|last| last.as_txn());
                match burn.and_then(|burn| token.burnt(burn, revision)) {
                    Some(fate @ Fate::Applied(at)) => {
                        self.over(fate);
                        Ok(Shot::Applied(at))
                    }
                    Some(fate @ Fate::Void(_)) => {
                        self.over(fate);
                        Ok(Shot::Refused(response))
                    }
                    Some(Fate::Missing) => self.settle(token_gone()).await,
                    Some(Fate::Open) | None => self.settle(malformed()).await,
                }
            }
            Err(error) if error.outcome() == Outcome::NotApplied => {
                self.over(Fate::Open);
                Err(explain_with_token(&self.session, error))
            }
            Err(error) => self.settle(error).await,
        }
    }

    /// Burns the token to learn the outcome.
    async fn settle(mut self, error: etcd_client_core::Error) -> Result<Shot, Error> {
        let Some(token) = &self.token else { return Err(error.into()) };
        let settler = self.session.settler();
        let settled = tokio::select! {
            biased;
            settled = settler.burn(token, None) => settled,
            _ = self.session.lost() => None,
        };
        let Some(fate) = settled.map(|settled| settled.fate) else { return Err(error.into()) };
        self.over(fate);
        match fate {
            Fate::Applied(at) => Ok(Shot::Applied(at)),
            Fate::Void(_) => Err(error.with_outcome(Outcome::NotApplied).into()),
            Fate::Open | Fate::Missing => Err(error.into()),
        }
    }

    fn over(&mut self, fate: Fate) {
        if let Some(token) = self.token.take().and_then(|token| token.after(fate)) {
            self.session.put_back_token(token);
        }
    }
}

/// A member that was paused may revoke a lease that its successor renewed: the token goes with it before the client knows.
fn token_gone() -> etcd_client_core::Error {
    let text = "the session's token is gone: its lease ended, or the key was deleted";
    etcd_client_core::Error::new(ErrorKind::Protocol, text).with_outcome(Outcome::Unknown)
}

impl Drop for OneShot {
    fn drop(&mut self) {
        // Not sent at all is unknown here, too: the burn is one small request.
        if let (Some(token), Some(ticket)) = (self.token.take(), self.ticket.take()) {
            ticket.send(Settlement { left: Left::Open { token, key: None }, slot: None });
        }
    }
}
