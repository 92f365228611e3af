//! The leases that a client keeps alive, as their handles see them: a list that the task of renewals works off.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use etcd_errors::Error;
use futures_core::future::BoxFuture;
use tokio::{sync::Notify, time::Instant};

use super::{RemoteLease, renewals::Renewals};
use crate::{
    model::LeaseId,
    op::{LeaseRevoke, LeaseRevokeResponse},
    service::{
        CallOptions, Clock, KeptLease, Lease, LeaseControl, LeaseLostReason, Moment, SharedLease,
        WeakKeptLease,
    },
};

/// What handles tell the task of renewals. Each lease is in it twice at most: when it comes and when it goes.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) clock: Clock,
    pub(super) told: Notify,
    inbox: Mutex<Inbox>,
}

#[derive(Debug, Default)]
struct Inbox {
    running: bool,
    last: Serial,
    kept: HashMap<LeaseId, (Serial, WeakKeptLease)>,
    news: Vec<News>,
}

/// Tells a lease from one with the same id that was kept before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Serial(u64);

/// What has changed.
#[derive(Debug)]
pub(super) enum News {
    Kept { serial: Serial, lease: Arc<SharedLease>, ttl: Duration, sent: Moment, history: u64 },
    Stopped { serial: Serial, id: LeaseId },
}

impl Default for Hub {
    fn default() -> Self {
        Self { clock: Clock::start(), told: Notify::new(), inbox: Mutex::default() }
    }
}

impl Hub {
    /// Another handle of a lease that is kept alive already.
    pub(super) fn known(&self, id: LeaseId) -> Option<KeptLease> {
        // Looked at without the lock: where this is the last handle by now, dropping it takes the lock.
        let kept = self.inbox().kept.get(&id).and_then(|(_, kept)| kept.upgrade());
        kept.filter(|kept| !kept.is_lost())
    }

    /// Keeps a lease alive that lives for `ttl` from `sent_at` on, unless it is kept already.
    pub(super) fn keep(
        self: &Arc<Self>,
        service: &RemoteLease,
        id: LeaseId,
        ttl: Duration,
        sent_at: Instant,
    ) -> KeptLease {
        let sent = self.clock.at(sent_at);
        let history = service.caller.channel().history().number();
        let lease = SharedLease::new(id, self.clock, ttl, sent.saturating_add(ttl));
        let mut inbox = loop {
            let inbox = self.inbox();
            let Some(kept) = inbox.kept.get(&id).and_then(|(_, kept)| kept.upgrade()) else { break inbox };
            drop(inbox);
            if !kept.is_lost() {
                return kept;
            }
            // A lost one leaves the place to the new one, though it is still held.
            self.inbox().kept.remove(&id);
        };
        inbox.last.0 += 1;
        let serial = inbox.last;
        let control = Control { service: service.clone(), id, serial };
        let kept = KeptLease::new(Arc::clone(&lease), Arc::new(control));
        inbox.kept.insert(id, (serial, kept.downgrade()));
        inbox.news.push(News::Kept { serial, lease, ttl, sent, history });
        let runs = std::mem::replace(&mut inbox.running, true);
        drop(inbox);
        if !runs {
            // Without the lock: where the runtime has ended, the task is dropped at once and takes it.
            let renewals = Renewals::new(Arc::clone(self), service);
            service.caller.channel().pool().spawn(renewals.run());
        }
        self.told.notify_one();
        kept
    }

    /// The lease may have been revoked: its handles learn it now rather than with the next renewal.
    pub(super) fn lose(&self, id: LeaseId) {
        let kept = self.inbox().kept.get(&id).and_then(|(serial, kept)| Some((*serial, kept.upgrade()?)));
        if let Some((serial, kept)) = kept {
            kept.lose(LeaseLostReason::NotFound);
            self.stop(serial, id);
        }
    }

    /// What has changed since the last time.
    pub(super) fn news(&self) -> Vec<News> {
        std::mem::take(&mut self.inbox().news)
    }

    /// The task has no lease left: `false` where one came meanwhile.
    pub(super) fn retire(&self) -> bool {
        let mut inbox = self.inbox();
        let idle = inbox.news.is_empty();
        inbox.running &= !idle;
        idle
    }

    /// The task has ended early: what it did not take any more is lost.
    pub(super) fn abandon(&self) {
        let mut inbox = self.inbox();
        inbox.running = false;
        let news = std::mem::take(&mut inbox.news);
        drop(inbox);
        for news in news {
            if let News::Kept { lease, .. } = news {
                lease.lose(LeaseLostReason::Closed, None);
            }
        }
    }

    fn stop(&self, serial: Serial, id: LeaseId) {
        let mut inbox = self.inbox();
        if inbox.kept.get(&id).is_some_and(|(kept, _)| *kept == serial) {
            inbox.kept.remove(&id);
            if inbox.running {
                inbox.news.push(News::Stopped { serial, id });
            }
        }
        drop(inbox);
        self.told.notify_one();
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        // What it holds is changed at one place at a time: a panic elsewhere leaves nothing half done.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the handles of one lease ask of its service. It keeps the client open: the hub knows a handle only weakly.
#[derive(Debug)]
struct Control {
    service: RemoteLease,
    id: LeaseId,
    serial: Serial,
}

impl LeaseControl for Control {
    fn revoke(&self) -> BoxFuture<'static, Result<LeaseRevokeResponse, Error>> {
        let (service, id) = (self.service.clone(), self.id);
        Box::pin(async move { service.revoke(LeaseRevoke::new(id), CallOptions::default()).await })
    }

    fn stop(&self) {
        self.service.hub.stop(self.serial, self.id);
    }
}
