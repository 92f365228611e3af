//! What is not for a new token to cure: wrong passwords, deleted users, missing permissions.

use std::time::Duration;

use etcd_client_core::{CallOptions, Code, Outcome, Put, request::RetryPolicy};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::fake::{Member, OLD_REVISION, PASSWORD, USER, USER_EMPTY};

#[tokio::test(start_paused = true)]
async fn wrong_password_fails_all_waiting_calls_immediately() {
    let member = Member::default();
    let client = member.builder().password(USER, "a guess").build().expect("valid");
    let start = Instant::now();
    for result in join_all((0..100).map(|_| client.put("k", "v").into_future())).await {
        let error = result.expect_err("refused");
        assert_eq!(error.code(), Some(Code::AuthFailed), "{}", error.report());
        assert_eq!(error.outcome(), Outcome::NotApplied);
        assert_eq!(error.operation(), Some("put"));
    }
    assert!(start.elapsed() < Duration::from_millis(150), "{:?}", start.elapsed());
    let state = member.state();
    assert_eq!((state.authenticates, state.carried.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn wrong_password_is_checked_once_a_second_at_most() {
    let member = Member::default();
    member.state().hashing = Duration::ZERO;
    let client = member.builder().password(USER, "a guess").build().expect("valid");
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(9_500) {
        client.get("k").await.expect_err("refused");
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(member.state().authenticates, 10);
    member.state().password = "a guess".to_owned();
    sleep(Duration::from_secs(1)).await;
    client.get("k").await.expect("it was a good guess");
}

#[tokio::test(start_paused = true)]
async fn changed_password_fails_calls_until_it_is_restored() {
    let member = Member::default();
    let client = member.client();
    client.get("k").await.expect("a token");
    member.state().password = "another".to_owned();
    client.get("k").await.expect("the token is still good");
    member.state().tokens.clear();
    let error = client.get("k").await.expect_err("it is not any more");
    assert_eq!(error.code(), Some(Code::AuthFailed));
    member.state().password = PASSWORD.to_owned();
    sleep(Duration::from_secs(1)).await;
    client.get("k").await.expect("asked again");
}

#[tokio::test(start_paused = true)]
async fn denied_permission_causes_no_token_renewal() {
    let member = Member::default();
    member.state().refuses = Some((7, "etcdserver: permission denied"));
    let error = member.client().put("k", "v").await.expect_err("denied");
    assert!(error.is_permission_denied());
    assert_eq!((member.state().authenticates, error.attempts().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn only_old_auth_revisions_are_retried_without_credentials() {
    let member = Member::default();
    member.state().auth = false;
    let client = member.builder().build().expect("valid");
    for (refusal, code, attempts) in
        [(OLD_REVISION, Code::AuthOldRevision, 9), (USER_EMPTY, Code::UserEmpty, 1)]
    {
        member.state().refuses = Some(refusal);
        let error = client.put("k", "v").no_timeout().await.expect_err("refused");
        assert_eq!((error.code(), error.attempts().len()), (Some(code), attempts), "{}", error.report());
    }
    assert_eq!(member.state().authenticates, 0);
}

#[tokio::test(start_paused = true)]
async fn call_without_retries_fails_and_the_next_gets_another_token() {
    let member = Member::default();
    let client = member.client();
    client.get("k").await.expect("a token");
    member.state().tokens.clear();
    let options = CallOptions::default().retry(RetryPolicy::Never);
    let error = client.kv().put(Put::new("k", "v"), options.clone()).await.expect_err("rejected");
    assert_eq!((error.code(), error.outcome()), (Some(Code::InvalidAuthToken), Outcome::NotApplied));
    assert_eq!(error.attempts().len(), 1, "{}", error.report());
    client.kv().put(Put::new("k", "v"), options).await.unwrap_or_else(|error| panic!("{}", error.report()));
    let state = member.state();
    assert_eq!((state.authenticates, state.rejected), (2, 1));
}
