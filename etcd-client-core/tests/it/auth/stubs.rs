//! The token of calls that generated stubs make.

use etcd_proto::etcdserverpb::{RangeRequest, kv_client::KvClient};
use tokio::time::Duration;
use tonic::{Code, Request};

use super::fake::Member;

#[tokio::test(start_paused = true)]
async fn a_stub_gets_the_token_and_waits_for_the_first_one() {
    let member = Member::default();
    let client = member.client();
    let mut kv = KvClient::new(client.channel());
    kv.range(RangeRequest::default()).await.expect("answered");
    kv.range(RangeRequest::default()).await.expect("answered");
    let state = member.state();
    assert_eq!((state.authenticates, state.rejected), (1, 0));
    assert_eq!(state.carried, vec![Some("token-1".to_owned()); 2]);
}

#[tokio::test(start_paused = true)]
async fn stub_sees_the_rejection_and_the_next_call_gets_another_token() {
    let member = Member::default();
    let client = member.client();
    let mut kv = KvClient::new(client.channel());
    for renewals in 1..5 {
        kv.range(RangeRequest::default()).await.expect("answered");
        assert_eq!(member.state().authenticates, renewals);
        member.state().tokens.clear();
        let status = kv.range(RangeRequest::default()).await.expect_err("rejected");
        assert_eq!(status.code(), Code::Unauthenticated);
    }
    client.get("k").await.expect("typed calls get it as well");
    assert_eq!(member.state().rejected, 4);
}

#[tokio::test(start_paused = true)]
async fn stub_notices_that_auth_was_enabled() {
    let member = Member::default();
    member.state().auth = false;
    let client = member.client();
    let mut kv = KvClient::new(client.channel());
    kv.range(RangeRequest::default()).await.expect("auth is off");
    member.state().auth = true;
    kv.range(RangeRequest::default()).await.expect_err("it carried no token");
    kv.range(RangeRequest::default()).await.expect("it does now");
}

#[tokio::test(start_paused = true)]
async fn token_set_on_a_request_takes_precedence() {
    let member = Member::default();
    let client = member.client();
    let expires = tokio::time::Instant::now() + Duration::from_secs(60);
    member.state().tokens.insert("mine".to_owned(), expires);
    let mut request = Request::new(RangeRequest::default());
    request.metadata_mut().insert("token", "mine".parse().expect("ASCII"));
    KvClient::new(client.channel()).range(request).await.expect("answered");
    let state = member.state();
    assert_eq!((state.authenticates, &*state.carried), (0, &[Some("mine".to_owned())][..]));
}
