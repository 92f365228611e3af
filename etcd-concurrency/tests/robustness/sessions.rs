//! Records the deadlines of sessions' leases.

use std::time::Duration;

use etcd_concurrency::Session;
use etcd_testkit::history::{Edge, LeaseId, Nanos, Recorder};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// The interval at which the deadline of a lease is sampled.
const LOOK: Duration = Duration::from_millis(20);

pub(super) fn lease(session: &Session) -> LeaseId {
    LeaseId(session.lease().get())
}

/// Records the start of a session.
pub(super) fn granted(recorder: &Recorder, session: &Session) {
    let Some(deadline) = session.deadline() else { return };
    let sent = moment(recorder, deadline).before(session.ttl());
    recorder.record(Edge::LeaseGranted { lease: lease(session), sent, ttl_ms: millis(session.ttl()) });
}

/// Records each renewal until the session is lost.
pub(super) async fn follow(recorder: Recorder, session: Session) {
    let (lease, ttl) = (lease(&session), session.ttl());
    let mut known = session.deadline();
    let mut lost = std::pin::pin!(session.lost());
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // A renewal is known before the loss that follows from it.
            biased;
            _ = look.tick() => {
                let now = session.deadline();
                if let Some(deadline) = now.filter(|_| now > known) {
                    known = now;
                    let sent = moment(&recorder, deadline).before(ttl);
                    recorder.record(Edge::KeepaliveAcked { lease, sent, ttl_ms: millis(ttl) });
                }
            }
            end = &mut lost => {
                recorder.record(Edge::LeaseLost { lease, reason: format!("{end:?}") });
                return;
            }
        }
    }
}

/// A moment on the recorder's clock.
fn moment(recorder: &Recorder, at: Instant) -> Nanos {
    let now = Instant::now();
    match at.checked_duration_since(now) {
        Some(after) => recorder.now().after(after),
        None => recorder.now().before(now - at),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
