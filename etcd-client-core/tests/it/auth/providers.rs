//! Tokens from the user's own code.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use etcd_client_core::{Error, ErrorKind, transport::TokenProvider, types::Secret};
use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::fake::Member;

/// Gives the token that the member takes, in the way of the test.
struct Provider {
    member: Member,
    asked: Arc<AtomicUsize>,
    give: fn(usize) -> Result<String, Error>,
}

#[async_trait]
impl TokenProvider for Provider {
    async fn token(&self) -> Result<Secret, Error> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        sleep(Duration::from_millis(20)).await;
        let token = (self.give)(number)?;
        let expires = Instant::now() + Duration::from_secs(60);
        self.member.state().tokens.insert(token.clone(), expires);
        Ok(token.into())
    }
}

fn provider(give: fn(usize) -> Result<String, Error>) -> (Member, Arc<AtomicUsize>, Provider) {
    let (member, asked) = (Member::default(), Arc::<AtomicUsize>::default());
    (member.clone(), Arc::clone(&asked), Provider { member, asked, give })
}

fn good(number: usize) -> Result<String, Error> {
    Ok(format!("provided-{number}"))
}

#[tokio::test(start_paused = true)]
async fn provider_is_called_once_per_rejection() {
    let (member, asked, provider) = provider(good);
    let client = member.builder().token_provider(provider).build().expect("valid");
    for round in 1..=3 {
        try_join_all((0..100).map(|_| client.put("k", "v").into_future())).await.expect("taken");
        assert_eq!(asked.load(Ordering::Relaxed), round);
        member.state().tokens.clear();
    }
    assert_eq!(member.state().authenticates, 0);
}

#[tokio::test(start_paused = true)]
async fn provider_error_is_returned_and_kept_for_a_second() {
    let (member, asked, provider) =
        provider(|_| Err(Error::new(ErrorKind::InvalidConfig, "the vault is locked")));
    let client = member.builder().token_provider(provider).build().expect("valid");
    for _ in 0..3 {
        let error = client.put("k", "v").await.expect_err("no token");
        assert_eq!((error.message(), error.operation()), ("the vault is locked", Some("put")));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    sleep(Duration::from_secs(1)).await;
    client.put("k", "v").await.expect_err("no token");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn unavailable_provider_is_retried() {
    let (member, asked, provider) = provider(|number| match number {
        1..=3 => Err(Error::new(ErrorKind::Unavailable, "the vault is starting")),
        _ => good(number),
    });
    let client = member.builder().token_provider(provider).build().expect("valid");
    client.put("k", "v").await.expect("the fourth is good");
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

#[tokio::test(start_paused = true)]
async fn panic_of_a_provider_is_an_error() {
    let (member, asked, provider) = provider(|_| panic!("this provider always panics"));
    let client = member.builder().token_provider(provider).build().expect("valid");
    let error = client.put("k", "v").await.expect_err("no token");
    assert_eq!(error.field(), Some("token_provider"), "{}", error.report());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn ended_renewal_is_not_joined_again() {
    let (member, asked, provider) = provider(|number| match number {
        1 => panic!("this provider panics the first time"),
        _ => good(number),
    });
    let client = member.builder().token_provider(provider).build().expect("valid");
    let error = client.put("k", "v").await.expect_err("no token");
    assert_eq!(error.field(), Some("token_provider"), "{}", error.report());
    client.put("k", "v").await.expect("the next call starts another renewal");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn token_that_is_no_header_value_is_rejected() {
    let (member, _, provider) = provider(|_| Ok("ends with a line\n".to_owned()));
    let client = member.builder().token_provider(provider).build().expect("valid");
    let error = client.put("k", "v").await.expect_err("no token");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidConfig, Some("token")));
}
