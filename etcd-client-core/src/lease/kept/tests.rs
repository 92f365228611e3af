//! Tests of the handles of a lease that a mock keeps alive.

use etcd_errors::{Code, ErrorKind};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::{advance, sleep};

use super::*;
use crate::lease::LeaseKeeperSender;

const SECOND: Duration = Duration::from_secs(1);

fn kept() -> (LeaseKeeperSender, LeaseKeeper) {
    LeaseKeeper::channel(LeaseId::new(7).expect("not zero"), 10 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn stays_lost_for_all_handles_after_deadline() {
    let (sender, lease) = kept();
    let (clone, seen) = (lease.clone(), lease.lost());
    sleep(9 * SECOND).await;
    assert!(!lease.is_lost() && lease.lost().now_or_never().is_none());
    assert!(sender.renewed(10 * SECOND));
    assert_eq!(lease.deadline(), Instant::now() + 10 * SECOND);
    advance(10 * SECOND).await;
    assert!(clone.is_lost(), "whoever asks first finds out");
    assert!(!sender.renewed(10 * SECOND), "too late");
    assert!(lease.is_lost());
    assert_eq!(seen.await.reason(), LeaseLostReason::Expired);
}

#[tokio::test(start_paused = true)]
async fn late_renewal_does_not_revive_lease() {
    let (sender, lease) = kept();
    advance(10 * SECOND).await;
    assert!(!sender.renewed(10 * SECOND));
    assert!(lease.is_lost());
}

#[tokio::test(start_paused = true)]
async fn lost_completes_at_the_deadline() {
    let (_sender, lease) = kept();
    let began = Instant::now();
    assert_eq!(lease.lost().await.reason(), LeaseLostReason::Expired);
    assert_eq!(began.elapsed(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn first_reason_is_kept() {
    let (sender, lease) = kept();
    sender.lose(LeaseLostReason::NotFound, Some(Code::LeaseNotFound.into()));
    let seen = lease.lost();
    let clone = lease.clone();
    lease.revoke().await.expect("the mock answers");
    let lost = seen.await;
    assert_eq!(
        (lost.reason(), clone.lost().await.reason()),
        (LeaseLostReason::NotFound, LeaseLostReason::NotFound)
    );
    assert!(lost.error().is_some_and(Error::is_lease_not_found));
}

#[tokio::test(start_paused = true)]
async fn states_yield_each_change_once() {
    let (sender, lease) = kept();
    let states = tokio::spawn(lease.states().collect::<Vec<_>>());
    let turn = async || sleep(SECOND / 10).await;
    turn().await;
    sender.late(None);
    turn().await;
    sender.late(Some(Error::new(ErrorKind::Unavailable, "nobody there")));
    turn().await;
    sender.late(Some(Error::new(ErrorKind::Unavailable, "still nobody there")));
    turn().await;
    assert!(sender.renewed(10 * SECOND));
    turn().await;
    assert!(sender.renewed(10 * SECOND), "which is nothing new");
    turn().await;
    sender.late(Some(Code::PermissionDenied.into()));
    let states = states.await.expect("no panic");
    let shown: Vec<String> = states.iter().map(|state| format!("{state:?}")).collect();
    let names: Vec<&str> =
        shown.iter().map(|state| state.split([' ', '(']).next().unwrap_or_default()).collect();
    assert_eq!(names, ["Alive", "Late", "Late", "Alive", "Late", "Lost"], "{shown:?}");
    assert_eq!(lease.lost().await.reason(), LeaseLostReason::Denied);
}

#[tokio::test(start_paused = true)]
async fn last_handle_stops_renewals() {
    let (mut sender, lease) = kept();
    let (clone, seen) = (lease.clone(), lease.lost());
    drop(lease);
    assert!(sender.stopped().now_or_never().is_none());
    drop(clone);
    sender.stopped().await;
    assert_eq!(seen.await.reason(), LeaseLostReason::Released);
}

#[test]
fn does_not_panic_without_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (sender, lease) = runtime.block_on(async { kept() });
    assert!(lease.lost().now_or_never().is_none());
    drop(sender);
    assert_eq!(lease.lost().now_or_never().expect("known").reason(), LeaseLostReason::Closed);
}
