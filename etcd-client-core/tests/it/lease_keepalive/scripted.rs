//! Members that are slow, refuse, or lie, under virtual time.

use std::time::Duration;

use etcd_client_core::{
    ClientBuilder, Code, Error, LeaseId,
    lease::{LeaseKeeper, LeaseLostReason, LeaseState},
};
use etcd_proto::etcdserverpb as pb;
use futures_util::future::join_all;
use tokio::time::{Instant, advance, sleep};

use super::{
    SECOND,
    fake::{DENIED, INVALID_TOKEN, Members, NO_LEADER},
    kept, lost,
};

const MS: Duration = Duration::from_millis(1);

fn id(number: i64) -> LeaseId {
    LeaseId::new(number).expect("not zero")
}

async fn keep(client: &etcd_client_core::Client, number: i64, seconds: u64) -> LeaseKeeper {
    let grant = client.lease().grant(Duration::from_secs(seconds)).id(id(number));
    grant.keep_alive().await.expect("granted")
}

#[tokio::test(start_paused = true)]
async fn renewals_keep_their_pace_without_readers() {
    let members = Members::default();
    let client = members.client(1);
    let lease = keep(&client, 1, 30).await;
    sleep(600 * SECOND).await;
    let asked = members.state().asked.len();
    assert!((60..=76).contains(&asked), "{asked} renewals in twenty times the time to live");
    assert!(members.longest_gap(1) <= 10 * SECOND + 50 * MS && !lease.is_lost());
    let state = members.state();
    let gaps = state.asked.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(gaps.min() >= Some(7 * SECOND), "never in a hurry");
}

#[tokio::test(start_paused = true)]
async fn renewals_stop_with_the_last_handle() {
    let members = Members::default();
    let client = members.client(1);
    let (lease, other) = (keep(&client, 1, 30).await, keep(&client, 2, 30).await);
    let clone = lease.clone();
    drop(lease);
    sleep(60 * SECOND).await;
    let count = |members: &Members| members.state().asked.iter().filter(|asked| asked.2 == 1).count();
    let before = count(&members);
    assert!(before >= 6);
    drop(clone);
    sleep(60 * SECOND).await;
    assert_eq!(count(&members), before);
    assert!(!other.is_lost());
}

#[tokio::test(start_paused = true)]
async fn delayed_answer_does_not_extend_the_deadline() {
    for delay in [1 * MS, 300 * MS, 900 * MS, 1_900 * MS] {
        let members = Members::default();
        members.state().delay = delay;
        let client = members.client(1);
        let lease = keep(&client, 1, 12).await;
        let first = lease.deadline();
        let mut extended = 0;
        let mut before = first;
        for _ in 0..1_200 {
            sleep(50 * MS).await;
            let deadline = lease.deadline();
            let sent: Vec<Instant> = members.state().asked.iter().map(|asked| asked.0).collect();
            extended += u32::from(deadline != before);
            before = deadline;
            let allowed =
                sent.iter().filter(|sent| **sent + delay <= Instant::now()).map(|sent| *sent + 12 * SECOND);
            assert!(deadline <= allowed.max().unwrap_or(first).max(first), "{delay:?}: beyond what was sent");
        }
        assert!(extended >= 10 && !lease.is_lost(), "{delay:?}: {extended} renewals");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejected_lease_delays_no_other_and_is_lost_at_its_deadline() {
    let members = Members::default();
    let client = members.client(1);
    let leases = join_all((1..=40).map(|number| keep(&client, number, 6))).await;
    members.state().refused.insert(7, DENIED);
    let refused = &leases[6];
    sleep(4 * SECOND).await;
    let LeaseState::Late { error: Some(error), .. } = refused.state() else {
        panic!("{:?}", refused.state())
    };
    assert!(error.is_permission_denied(), "{}", error.report());
    let gone = lost(refused).await;
    assert!(Instant::now() >= refused.deadline());
    assert_eq!(gone.reason(), LeaseLostReason::Denied);
    assert_eq!(Error::from(gone).code(), Some(Code::PermissionDenied));
    sleep(30 * SECOND).await;
    for number in (1..=40).filter(|number| *number != 7) {
        assert!(members.longest_gap(number) <= 2 * SECOND + 50 * MS, "{:?}", members.longest_gap(number));
    }
    assert_eq!(members.state().open_streams, 1, "only that of the others is left");
}

#[tokio::test(start_paused = true)]
async fn revocation_does_not_delay_other_leases() {
    let members = Members::default();
    let client = members.client(1);
    let leases = join_all((1..=40).map(|number| keep(&client, number, 6))).await;
    // Expired for the member, and revoked within half a second: until then its renewal blocks the stream.
    let now = Instant::now();
    members.state().leases.insert(7, (now, SECOND));
    members.state().slow.insert(7, 500 * MS);
    assert_eq!(lost(&leases[6]).await.reason(), LeaseLostReason::NotFound);
    sleep(30 * SECOND).await;
    for number in (1..=40).filter(|number| *number != 7) {
        assert!(members.longest_gap(number) <= 3 * SECOND, "{:?}", members.longest_gap(number));
    }
    assert!(leases.iter().enumerate().all(|(n, lease)| n == 6 || !lease.is_lost()));
}

#[tokio::test(start_paused = true)]
async fn blocking_lease_costs_only_itself() {
    let members = Members::default();
    let client = members.client(1);
    let leases = join_all((1..=40).map(|number| keep(&client, number, 6))).await;
    members.state().slow.insert(7, 1_000 * SECOND);
    assert_eq!(lost(&leases[6]).await.reason(), LeaseLostReason::Expired);
    sleep(30 * SECOND).await;
    assert!(leases.iter().enumerate().all(|(n, lease)| n == 6 || !lease.is_lost()));
    assert!(members.state().streams <= 6, "{} streams", members.state().streams);
}

#[tokio::test(start_paused = true)]
async fn member_without_answers_to_renewals_is_left_in_time() {
    let members = Members::default();
    let client = members.client(2);
    let leases = join_all((1..=40).map(|number| keep(&client, number, 12))).await;
    sleep(20 * SECOND).await;
    // The one that says it leads is preferred.
    assert!(members.state().asked.iter().rev().take(40).all(|asked| asked.1 == 1));
    members.state().hanging.insert(1);
    sleep(60 * SECOND).await;
    for (n, lease) in leases.iter().enumerate() {
        assert!(!lease.is_lost());
        let gap = members.longest_gap(n as i64 + 1);
        assert!(gap <= 6 * SECOND + 100 * MS, "a third, and a sixth until the other one was asked: {gap:?}");
    }
    assert!(members.state().asked.iter().rev().take(40).all(|asked| asked.1 == 2));
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_stream_cost_no_lease() {
    for refusal in
        [NO_LEADER, (14, "etcdserver: request timed out"), (13, "stream terminated"), (0, ""), (4, "")]
    {
        let members = Members::default();
        let client = members.client(1);
        let leases = join_all((1..=10).map(|number| keep(&client, number, 6))).await;
        for _ in 0..6 {
            members.state().refuses_streams = (2, Some(refusal));
            sleep(5 * SECOND).await;
        }
        assert!(leases.iter().all(|lease| !lease.is_lost()), "{refusal:?}");
        let opened = members.state().streams;
        assert!((10..60).contains(&opened), "{refusal:?}: {opened} streams for 12 errors");
    }
}

#[tokio::test(start_paused = true)]
async fn failing_streams_are_reopened_with_backoff() {
    let members = Members::default();
    let client = members.client(1);
    let lease = keep(&client, 1, 60).await;
    members.state().refuses_streams = (usize::MAX, Some(NO_LEADER));
    assert_eq!(lost(&lease).await.reason(), LeaseLostReason::Expired);
    let opened = members.state().streams;
    assert!((10..300).contains(&opened), "{opened} streams in forty seconds");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_renewed_once_for_all_leases() {
    let members = Members::default();
    let password = |builder: ClientBuilder| builder.password("app", "hunter2");
    let client = password(members.builder(1)).build().expect("valid");
    let leases = join_all((1..=30).map(|number| keep(&client, number, 6))).await;
    sleep(10 * SECOND).await;
    let before = members.state().authenticates;
    members.state().refuses_streams = (1, Some(INVALID_TOKEN));
    sleep(10 * SECOND).await;
    assert_eq!(members.state().authenticates, before + 1);
    let tokens = members.state().tokens.clone();
    assert_eq!(tokens.last(), Some(&Some(format!("token-{}", before + 1))));
    assert!(leases.iter().all(|lease| !lease.is_lost()));
}

#[tokio::test(start_paused = true)]
async fn invalid_answers_are_ignored() {
    let members = Members::default();
    let noise = |id, ttl| pb::LeaseKeepAliveResponse { header: None, id, ttl };
    members.state().noise = vec![noise(0, 5), noise(99, 0), noise(-1, i64::MAX), noise(i64::MIN, i64::MIN)];
    let client = members.client(1);
    let lease = keep(&client, 1, 6).await;
    sleep(30 * SECOND).await;
    assert!(!lease.is_lost() && lease.ttl() == 6 * SECOND);
    // No longer than etcd ever grants, whatever is claimed.
    members.state().claimed = Some(i64::MAX);
    sleep(6 * SECOND).await;
    assert_eq!(lease.ttl(), Duration::from_secs(9_000_000_000));
    assert!(lease.deadline() > Instant::now() && !lease.is_lost());
}

#[tokio::test(start_paused = true)]
async fn ttl_of_zero_or_less_means_no_lease() {
    for ttl in [0, -1, i64::MIN] {
        let members = Members::default();
        let client = members.client(1);
        let lease = keep(&client, 1, 6).await;
        members.state().claimed = Some(ttl);
        let gone = lost(&lease).await;
        assert_eq!(gone.reason(), LeaseLostReason::NotFound);
        assert!(Instant::now() < lease.deadline(), "at once");
    }
}

/// As a process that was stopped finds it, time has jumped before anything has run.
#[tokio::test(start_paused = true)]
async fn client_frozen_beyond_the_ttl_loses_its_lease() {
    let members = Members::default();
    let client = members.client(1);
    let lease = keep(&client, 1, 6).await;
    sleep(7 * SECOND).await;
    let told = lease.lost();
    advance(6 * SECOND).await;
    assert!(lease.is_lost(), "nobody sees it alive");
    assert!(matches!(lease.state(), LeaseState::Lost(_)));
    assert_eq!(told.await.reason(), LeaseLostReason::Expired);
    sleep(20 * SECOND).await;
    assert!(lease.is_lost(), "a late answer does not bring it back");
    assert_eq!(members.state().open_streams, 0);
}

#[tokio::test(start_paused = true)]
async fn slow_grant_is_renewed_before_use() {
    let members = Members::default();
    let client = members.client(1);
    members.state().leases.insert(1, (Instant::now() + 2 * SECOND, 2 * SECOND));
    let sent = Instant::now();
    sleep(1_500 * MS).await;
    let lease = client.lease().keep_alive(id(1)).granted(2 * SECOND, sent).await.expect("renewed");
    assert!(lease.deadline() > Instant::now() + SECOND);
}

#[tokio::test(start_paused = true)]
async fn renewals_over_a_service_are_calls() {
    let members = Members::default();
    let own = members.client(1);
    let client = own.with_service(own.channel());
    let leases = join_all((1..=5).map(|number| keep(&client, number, 6))).await;
    sleep(30 * SECOND).await;
    assert!(leases.iter().all(|lease| !lease.is_lost()));
    assert!(members.state().streams >= 5 * 14, "each renewal is a call of its own");
    let last = kept(&client, 5).await;
    last.revoke().await.expect("revoked");
}
