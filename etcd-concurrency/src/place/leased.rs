//! Places with a lease of their own: sessions that keep no tokens make an entry one-shot by the lease it is under.
//!
//! The key is deleted only by revoking the lease. A copy of the entry that is applied later fails with `LeaseNotFound`; after a
//! deletion of the key alone it would create the key again.

use etcd_client_core::{
    CallOptions, Compare, Delete, Get, GetResponse, Key, LeaseId, OpResponse, Put, Resend, Txn, TxnResponse,
    Value,
};

use super::{Answer, Place, State, TRIES};
use crate::{
    Error, Session, contender_key, pause::Pauses, session::entry_leases::EntryLeases, token::rules::Rule,
};

impl Place {
    /// A place in the queue of `name`; [`Error::Held`] where another task of the session has it and `waits` is false.
    ///
    /// The key is named after the session's lease, of which tasks take turns, or after the lease of the place.
    pub(crate) async fn contend(session: &Session, name: &Key, waits: bool) -> Result<Self, Error> {
        if session.entry_leases().is_some() {
            let mut place = Self::new(session, name.clone(), None)?;
            place.key = contender_key(name, place.take_lease().await?);
            return Ok(place);
        }
        let key = contender_key(name, session.lease());
        let slot = match waits {
            true => session.slot(&key).await?,
            false => session.try_slot(&key).ok_or(Error::Held)?,
        };
        Self::new(session, key, Some(slot))
    }

    /// The lease of the place; a new one if it has none.
    async fn take_lease(&mut self) -> Result<LeaseId, Error> {
        if let Some(lease) = self.lease {
            return Ok(lease);
        }
        let leases = self.session.entry_leases().ok_or(Error::NotOwner)?;
        let lease = leases.grant().await.map_err(|error| self.session.check().err().unwrap_or(error))?;
        self.lease = Some(lease);
        Ok(lease)
    }

    /// Creates the key under the place's lease if `room` holds, and reads `otherwise` if it does not.
    pub(super) async fn create_leased(
        &mut self,
        room: Compare,
        value: Value,
        reads: Vec<Get>,
        otherwise: Option<Get>,
    ) -> Result<Answer, Error> {
        let lease = self.take_lease().await?;
        let txn = Txn::new()
            .when(room)
            .then((reads, Put::new(&self.key, value).lease(lease)))
            .or_else((Get::new(&self.key), otherwise));
        let options = CallOptions::default().resend(Resend::AsIfIdempotent);
        // Where it fails, dropping the place revokes the lease.
        let response = self.session.store().kv().txn(txn, options).await;
        let response: TxnResponse = response.map_err(|error| self.explain(error))?;
        let (succeeded, revision) = (response.succeeded(), response.header.revision);
        let mut reads = response.into_responses().into_iter().filter_map(OpResponse::into_get);
        if succeeded {
            self.found(revision, revision);
            return Ok(Answer::Created(reads.collect()));
        }
        let own = reads.next().and_then(GetResponse::into_first);
        // Only copies of this entry put a key under this lease.
        if let Some(own) = own.clone().filter(|own| own.lease == Some(lease)) {
            self.found(own.create_revision, own.mod_revision);
            return Ok(Answer::Found(own, reads.collect()));
        }
        // Another copy may still find room.
        if self.session.rules().hold(Rule::RefusalRevokesLease) {
            self.revoke().await?;
        } else {
            self.lease = None;
        }
        Ok(Answer::Refused(own))
    }

    /// Says whether the key is the one that was created, and revokes the lease.
    pub(super) async fn leave_leased(mut self) -> Result<(), Error> {
        let own = Get::new(&self.key).keys_only().bind(self.session.store().kv()).await?;
        let owned = own.first().is_some_and(|kv| kv.create_revision == self.fence());
        if self.session.rules().hold(Rule::ExitRevokesLease) {
            self.revoke().await?;
        } else {
            let exact = Txn::new().when(self.owned()).then(Delete::new(&self.key));
            exact.bind(self.session.store().kv()).await?;
            self.lease = None;
        }
        self.forget();
        if owned { Ok(()) } else { Err(Error::NotOwner) }
    }

    /// Revokes the place's lease, where it has one. Where that fails, dropping the place has the session go on trying.
    pub(crate) async fn revoke(&mut self) -> Result<(), Error> {
        let (Some(lease), Some(leases)) = (self.lease, self.session.entry_leases()) else { return Ok(()) };
        let mut pauses = Pauses::OUTAGE;
        for attempt in 1.. {
            match leases.revoke(lease).await {
                Ok(()) => break,
                Err(error) if attempt < TRIES && error.outcome_unknown() && !error.is_timeout() => {
                    pauses.pause().await;
                }
                Err(error) => return Err(self.session.check().err().unwrap_or_else(|| error.into())),
            }
        }
        self.lease = None;
        self.state = State::Outside;
        Ok(())
    }

    /// Whether the place has a lease of its own.
    pub(crate) fn is_leased(&self) -> bool {
        self.lease.is_some()
    }

    /// Whether the session lives, and the place's own lease where it has one.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.session.check()?;
        match self.own_lease() {
            Some((leases, lease)) if !leases.lives(lease) => Err(Error::Lost),
            _ => Ok(()),
        }
    }

    /// Waits until the place's own lease may have ended; for ever where it has none.
    pub(crate) fn lease_lost(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let lost = self.own_lease().map(|(leases, lease)| leases.lost(lease));
        async move {
            match lost {
                Some(lost) => lost.await,
                None => std::future::pending().await,
            }
        }
    }

    fn own_lease(&self) -> Option<(&EntryLeases, LeaseId)> {
        Some((self.session.entry_leases()?, self.lease?))
    }
}
