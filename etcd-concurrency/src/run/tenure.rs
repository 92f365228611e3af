//! Polls the work while the lease is certainly alive.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::{Error, Guard};

/// The part of the TTL that is left when the work is dropped. In this time the work's destructors run, before another holder can
/// acquire the lock. A renewal is sent after a third of the TTL, so several attempts have failed by then.
const MARGIN: u32 = 10;

/// Runs the work to its end, or drops it before the lease can have expired.
pub(super) async fn run<F: Future>(guard: &Guard, work: F) -> Result<F::Output, Error> {
    let (mut lost, mut work) = (pin!(guard.lost()), pin!(work));
    let mut timer = pin!(sleep_until(stop_at(guard)?));
    poll_fn(|cx| {
        if let Poll::Ready(error) = lost.as_mut().poll(cx) {
            return Poll::Ready(Err(error));
        }
        // The clock is compared and not only the timer: after a pause of the process the timer may not have fired yet.
        loop {
            let stop_at = match stop_at(guard) {
                Ok(stop_at) if Instant::now() < stop_at => stop_at,
                Ok(_) => return Poll::Ready(Err(Error::NotRenewed)),
                Err(error) => return Poll::Ready(Err(error)),
            };
            // A renewal has moved the deadline.
            if timer.deadline() != stop_at {
                timer.as_mut().reset(stop_at);
            }
            if timer.as_mut().poll(cx).is_pending() {
                break;
            }
        }
        work.as_mut().poll(cx).map(Ok)
    })
    .await
}

/// Returns the time at which the work has to end if the lease is not renewed before.
fn stop_at(guard: &Guard) -> Result<Instant, Error> {
    guard.entry().check()?;
    let deadline = guard.entry().deadline().ok_or(Error::LockLost)?;
    let margin: Duration = guard.session().ttl() / MARGIN;
    Ok(deadline.checked_sub(margin).unwrap_or(deadline))
}
