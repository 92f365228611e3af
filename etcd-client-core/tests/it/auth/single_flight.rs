//! However many calls need a token, etcd is asked for one.

use std::time::Duration;

use etcd_client_core::{CallOptions, Get};
use futures_util::future::{join_all, try_join_all};
use tokio::time::{sleep, timeout};

use super::fake::{Member, OLD_REVISION, State, USER_EMPTY};

const CALLERS: usize = 1_000;

#[tokio::test(start_paused = true)]
async fn a_thousand_first_calls_authenticate_once() {
    let member = Member::default();
    let client = member.client();
    let calls = (0..CALLERS).map(|_| client.get("k").into_future());
    try_join_all(calls).await.expect("each finds a token");
    let state = member.state();
    assert_eq!((state.authenticates, state.rejected, state.applied), (1, 0, CALLERS));
    assert!(state.carried.iter().all(|token| token.as_deref() == Some("token-1")));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_rejected_calls_authenticate_once() {
    let member = Member::default();
    let client = member.client();
    client.get("k").await.expect("a token");
    member.state().tokens.clear();
    try_join_all((0..CALLERS).map(|_| client.put("k", "v").into_future())).await.expect("renewed");
    let state = member.state();
    assert_eq!((state.authenticates, state.rejected, state.applied), (2, CALLERS, CALLERS + 1));
}

/// Who learns late that its token is too old finds that another call has seen to it.
#[tokio::test(start_paused = true)]
async fn late_rejection_does_not_authenticate_again() {
    let member = Member::default();
    let client = member.client();
    client.get("k").await.expect("a token");
    member.state().tokens.clear();
    let calls = (0..CALLERS as u64).map(|number| {
        let client = client.clone();
        // Some begin before, some during and some after the renewal, which takes 100 ms.
        async move {
            sleep(Duration::from_micros(number * 200)).await;
            client.put("k", "v").await
        }
    });
    try_join_all(calls).await.expect("renewed");
    assert_eq!(member.state().authenticates, 2);
}

#[tokio::test(start_paused = true)]
async fn dropped_caller_does_not_cancel_the_shared_renewal() {
    let member = Member::default();
    let client = member.client();
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.get("k").await }
    });
    sleep(Duration::from_millis(50)).await;
    let others = join_all((0..10).map(|_| client.get("k").into_future()));
    let leave = async {
        sleep(Duration::from_millis(10)).await;
        first.abort();
    };
    let (others, ()) = tokio::join!(others, leave);
    assert!(others.iter().all(Result::is_ok));
    assert_eq!(member.state().authenticates, 1);
}

#[tokio::test(start_paused = true)]
async fn abandoned_renewal_serves_the_next_call() {
    let member = Member::default();
    let client = member.client();
    for _ in 0..3 {
        // Authenticating takes 100 ms, and nobody has that much time.
        let impatient = timeout(Duration::from_millis(30), client.get("k").into_future()).await;
        assert!(impatient.is_err());
    }
    client.get("k").await.expect("a token");
    assert_eq!(member.state().authenticates, 1);
}

#[tokio::test(start_paused = true)]
async fn each_expiry_costs_one_renewal_for_a_virtual_hour() {
    let member = Member::default();
    member.state().ttl = Duration::from_secs(1);
    let client = member.client();
    for _ in 0..2_000 {
        sleep(Duration::from_millis(fastrand::u64(500..4_000))).await;
        let calls = (0..8).map(|_| client.put("k", "v").into_future());
        try_join_all(calls).await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    let State { authenticates, rejected, applied, .. } = *member.state();
    assert_eq!(applied, 16_000, "each write was applied once");
    assert!(authenticates > 1_500, "{authenticates} renewals");
    assert_eq!(rejected, 8 * (authenticates - 1), "one renewal for all eight");
}

#[tokio::test(start_paused = true)]
async fn every_rejection_is_retried_on_every_kind_of_call() {
    let member = Member::default();
    let client = member.client();
    client.get("k").await.expect("a token");
    for refusal in [OLD_REVISION, USER_EMPTY] {
        let calls = async {
            tokio::join!(
                client.put("k", "v").into_future(),
                client.get("k").into_future(),
                client.kv().range_stream(Get::new("").all_keys(), CallOptions::default()),
            )
        };
        member.state().refuses = Some(refusal);
        let heal = async {
            sleep(Duration::from_millis(1)).await;
            member.state().refuses = None;
        };
        let ((put, get, stream), ()) = tokio::join!(calls, heal);
        put.unwrap_or_else(|error| panic!("{}", error.report()));
        get.unwrap_or_else(|error| panic!("{}", error.report()));
        let chunk = stream.unwrap_or_else(|error| panic!("{}", error.report())).next().await;
        assert!(chunk.expect("one chunk").is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_of_one_member_shares_the_token_and_its_renewal() {
    let member = Member::default();
    let client = member.client();
    let only = client.for_endpoint("http://localhost:2").expect("valid");
    let calls = (0..CALLERS)
        .map(|n| if n % 2 == 0 { client.put("k", "v") } else { only.put("k", "v") }.into_future());
    try_join_all(calls).await.expect("each finds a token");
    assert_eq!(member.state().authenticates, 1);
    member.state().tokens.clear();
    only.put("k", "v").await.expect("renewed");
    client.put("k", "v").await.expect("renewed");
    let state = member.state();
    assert_eq!((state.authenticates, state.rejected), (2, 1), "one renewal for both");
}
