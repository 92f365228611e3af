//! What holders of a lease see, told by a mock.

use etcd_errors::{Code, ErrorKind};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::{advance, sleep};

use super::*;
use crate::service::lease::KeptLeaseSender;

const SECOND: Duration = Duration::from_secs(1);

fn kept() -> (KeptLeaseSender, KeptLease) {
    KeptLease::channel(LeaseId::new(7).expect("not zero"), 10 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn lost_at_its_deadline_for_all_and_for_ever() {
    let (sender, lease) = kept();
    let (clone, told) = (lease.clone(), lease.lost());
    sleep(9 * SECOND).await;
    assert!(!lease.is_lost() && lease.lost().now_or_never().is_none());
    assert!(sender.renewed(10 * SECOND));
    assert_eq!(lease.deadline(), Instant::now() + 10 * SECOND);
    advance(10 * SECOND).await;
    assert!(clone.is_lost(), "whoever asks first finds out");
    assert!(!sender.renewed(10 * SECOND), "too late");
    assert!(lease.is_lost());
    assert_eq!(told.await.reason(), LeaseLostReason::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_does_not_bring_back_what_nobody_has_seen_lost_yet() {
    let (sender, lease) = kept();
    advance(10 * SECOND).await;
    assert!(!sender.renewed(10 * SECOND));
    assert!(lease.is_lost());
}

#[tokio::test(start_paused = true)]
async fn waiting_alone_is_enough() {
    let (_sender, lease) = kept();
    let began = Instant::now();
    assert_eq!(lease.lost().await.reason(), LeaseLostReason::Expired);
    assert_eq!(began.elapsed(), 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_first_reason_stays() {
    let (sender, lease) = kept();
    sender.lose(LeaseLostReason::NotFound, Some(Code::LeaseNotFound.into()));
    let told = lease.lost();
    let clone = lease.clone();
    lease.revoke().await.expect("the mock answers");
    let lost = told.await;
    assert_eq!(
        (lost.reason(), clone.lost().await.reason()),
        (LeaseLostReason::NotFound, LeaseLostReason::NotFound)
    );
    assert!(lost.error().is_some_and(Error::is_lease_not_found));
}

#[tokio::test(start_paused = true)]
async fn states_are_told_once_each() {
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
async fn the_last_handle_stops_the_renewals() {
    let (mut sender, lease) = kept();
    let (clone, told) = (lease.clone(), lease.lost());
    drop(lease);
    assert!(sender.stopped().now_or_never().is_none());
    drop(clone);
    sender.stopped().await;
    assert_eq!(told.await.reason(), LeaseLostReason::Released);
}

#[test]
fn without_a_runtime_nothing_panics() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (sender, lease) = runtime.block_on(async { kept() });
    assert!(lease.lost().now_or_never().is_none());
    drop(sender);
    assert_eq!(lease.lost().now_or_never().expect("known").reason(), LeaseLostReason::Closed);
}
