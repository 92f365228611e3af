//! Entries with their own lease. A session that keeps no tokens makes an entry one-shot by the lease it is attached to.
//!
//! The key is only ever deleted by revoking the lease: a copy of the entry that is applied later then fails with
//! `LeaseNotFound`. If only the key were deleted, the copy would create it again.

use etcd_client_core::{
    CallOptions, Compare, Delete, Get, Key, LeaseId, Put, Txn, Value,
    kv::GetResponse,
    request::RetryPolicy,
    txn::{OpResponse, TxnResponse},
};
use tokio::time::Instant;

use super::{CreateOutcome, MAX_ATTEMPTS, QueueEntry, State};
use crate::{
    Error, Session, backoff::Backoff, keys::contender_key, session::entry_leases::EntryLeases,
    token::rules::Rule,
};

impl QueueEntry {
    /// Prepares an entry in the queue of `name`. Returns [`Error::Locked`] if another task of the session has the key and `waits`
    /// is false.
    ///
    /// The key is named after the session's lease, which tasks use one at a time, or after the entry's own lease.
    pub(crate) async fn contend(session: &Session, name: &Key, waits: bool) -> Result<Self, Error> {
        if session.entry_leases().is_some() {
            let mut entry = Self::new(session, name.clone(), None)?;
            entry.key = contender_key(name, entry.take_lease().await?);
            return Ok(entry);
        }
        let key = contender_key(name, session.lease());
        let slot = match waits {
            true => session.slot(&key).await?,
            false => session.try_slot(&key).ok_or(Error::Locked)?,
        };
        Self::new(session, key, Some(slot))
    }

    /// Returns the entry's lease, and grants one if it has none.
    async fn take_lease(&mut self) -> Result<LeaseId, Error> {
        if let Some(lease) = self.lease {
            return Ok(lease);
        }
        let leases = self.session.entry_leases().ok_or(Error::NotOwner)?;
        let lease = leases.grant().await.map_err(|error| self.session.check().err().unwrap_or(error))?;
        self.lease = Some(lease);
        Ok(lease)
    }

    /// Creates the key under the entry's lease if `condition` holds, and reads `otherwise` if it does not.
    pub(super) async fn create_leased(
        &mut self,
        condition: Compare,
        value: Value,
        reads: Vec<Get>,
        otherwise: Option<Get>,
    ) -> Result<CreateOutcome, Error> {
        let lease = self.take_lease().await?;
        let txn = Txn::new()
            .when(condition)
            .then((reads, Put::new(&self.key, value).lease(lease)))
            .or_else((Get::new(&self.key), otherwise));
        let options = CallOptions::default().retry(RetryPolicy::AssumeIdempotent);
        // If it fails, dropping the entry revokes the lease.
        let response = self.session.store().kv().txn(txn, options).await;
        let response: TxnResponse = response.map_err(|error| self.map_error(error))?;
        let (succeeded, revision) = (response.succeeded(), response.header.revision);
        let mut reads = response.into_responses().into_iter().filter_map(OpResponse::into_get);
        if succeeded {
            self.adopt(revision, revision);
            return Ok(CreateOutcome::Created(reads.collect()));
        }
        let own = reads.next().and_then(GetResponse::into_first);
        // Only copies of this request put a key under this lease.
        if let Some(own) = own.clone().filter(|own| own.lease == Some(lease)) {
            self.adopt(own.create_revision, own.mod_revision);
            return Ok(CreateOutcome::Found(own, reads.collect()));
        }
        // The condition may hold for another copy that is applied later: the revocation makes it fail.
        if self.session.rules().enforces(Rule::RejectionRevokesLease) {
            self.revoke().await?;
        } else {
            self.lease = None;
        }
        Ok(CreateOutcome::Rejected(own))
    }

    /// Revokes the lease. Returns an error if the key was not the one that was created.
    pub(super) async fn leave_leased(mut self) -> Result<(), Error> {
        let own = Get::new(&self.key).keys_only().bind(self.session.store().kv()).await?;
        let owned = own.first().is_some_and(|kv| kv.create_revision == self.fence());
        if self.session.rules().enforces(Rule::ExitRevokesLease) {
            self.revoke().await?;
        } else {
            let exact = Txn::new().when(self.owned()).then(Delete::new(&self.key));
            exact.bind(self.session.store().kv()).await?;
            self.lease = None;
        }
        self.cancel_cleanup();
        if owned { Ok(()) } else { Err(Error::NotOwner) }
    }

    /// Revokes the entry's lease, if it has one. If this fails, dropping the entry hands the revocation to the session.
    pub(crate) async fn revoke(&mut self) -> Result<(), Error> {
        let (Some(lease), Some(leases)) = (self.lease, self.session.entry_leases()) else { return Ok(()) };
        let mut backoff = Backoff::OUTAGE;
        for attempt in 1.. {
            match leases.revoke(lease).await {
                Ok(()) => break,
                Err(error) if attempt < MAX_ATTEMPTS && error.outcome_unknown() && !error.is_timeout() => {
                    backoff.wait().await;
                }
                Err(error) => return Err(self.session.check().err().unwrap_or_else(|| error.into())),
            }
        }
        self.lease = None;
        self.state = State::NotCreated;
        Ok(())
    }

    /// Returns whether the entry has its own lease.
    pub(crate) fn is_leased(&self) -> bool {
        self.lease.is_some()
    }

    /// Returns an error if the session has ended, or the entry's own lease may have expired.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.session.check()?;
        match self.own_lease() {
            Some((leases, lease)) if !leases.is_alive(lease) => Err(Error::LockLost),
            _ => Ok(()),
        }
    }

    /// Returns the time until which the entry's lease is certainly alive, or `None` if it may have ended.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let session = self.session.deadline()?;
        match self.own_lease() {
            Some((leases, lease)) => Some(session.min(leases.deadline(lease)?)),
            None => Some(session),
        }
    }

    /// Waits until the entry's own lease may have ended. Never resolves if it has none.
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
