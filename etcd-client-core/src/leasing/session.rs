//! The background task: one lease after the other, and the jobs of each session.

use std::{convert::Infallible, sync::Arc, time::Duration};

use etcd_errors::{Error, ErrorKind};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::{
    lease::{LeaseGrant, LeaseKeeper, LeaseLost, LeaseLostReason},
    leasing::shared::{Job, SessionStatus, Shared},
    transport::backoff::Backoff,
};

/// The time limit for the revocation of a lease at the end. After that it expires by itself.
const REVOKE_PATIENCE: Duration = Duration::from_secs(5);

/// Holds leases until the handle is closed or the services are.
pub(crate) async fn run(shared: Arc<Shared>, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let ended = tokio::select! {
        biased;
        () = shared.closing.cancelled() => Error::new(ErrorKind::Closed, "the leasing service was closed"),
        ended = hold_leases(&shared, &mut jobs) => match ended {
            Ok(never) => match never {},
            Err(error) => error,
        },
    };
    let keeper = shared.end_session(None);
    shared.status.send_replace(SessionStatus::Ended(ended));
    // Jobs that are never polled would keep the shared state alive, and it keeps their queue.
    jobs.close();
    while jobs.try_recv().is_ok() {}
    if let Some(keeper) = keeper {
        let _ = timeout(REVOKE_PATIENCE, keeper.revoke()).await;
    }
    shared.closed.cancel();
}

async fn hold_leases(
    shared: &Arc<Shared>,
    jobs: &mut mpsc::UnboundedReceiver<Job>,
) -> Result<Infallible, Error> {
    let mut running: FuturesUnordered<Job> = FuturesUnordered::new();
    loop {
        let keeper = grant(shared).await?;
        let lost = keeper.lost();
        shared.start_session(keeper);
        let lost = run_jobs(lost, &mut running, jobs).await;
        let keeper = shared.end_session(Some(lost.clone().into()));
        if lost.reason() == LeaseLostReason::Closed {
            return Err(lost.into());
        }
        // The monitors and releases of a session are void without its lease.
        running = FuturesUnordered::new();
        while jobs.try_recv().is_ok() {}
        if let Some(keeper) = keeper {
            // Writers that wait for keys of the old session need not wait until the server expires it.
            let revoked = keeper.revoke();
            running.push(Box::pin(async { drop(revoked.await) }));
        }
    }
}

/// Runs jobs until the lease is lost.
async fn run_jobs(
    lost: impl Future<Output = LeaseLost>,
    running: &mut FuturesUnordered<Job>,
    jobs: &mut mpsc::UnboundedReceiver<Job>,
) -> LeaseLost {
    let mut lost = std::pin::pin!(lost);
    loop {
        tokio::select! {
            biased;
            lost = &mut lost => return lost,
            // The shared state has a sender, so there is always one.
            Some(job) = jobs.recv() => running.push(job),
            Some(()) = running.next() => {}
        }
    }
}

/// Grants a lease, with retries. Fails once the services are closed.
async fn grant(shared: &Shared) -> Result<LeaseKeeper, Error> {
    let mut failures = 0;
    loop {
        match LeaseGrant::new(shared.ttl).bind(&*shared.lease).keep_alive().await {
            Ok(keeper) => return Ok(keeper),
            Err(error) if matches!(error.kind(), ErrorKind::Closed | ErrorKind::NoRuntime) => {
                return Err(error);
            }
            Err(error) => {
                tracing::debug!(%error, "the lease of a leasing service was not granted");
                shared.status.send_replace(SessionStatus::Inactive(Some(error)));
                failures += 1;
                sleep(Backoff::RECONNECT.wait_at_least_half(failures, fastrand::u64(..))).await;
            }
        }
    }
}
