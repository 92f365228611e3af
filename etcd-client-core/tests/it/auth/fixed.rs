//! A token that the user gives is sent as it is and never replaced.

use etcd_client_core::Code;

use super::fake::{INVALID_TOKEN, Member};

#[tokio::test(start_paused = true)]
async fn fixed_token_is_sent_with_every_call_and_rejections_are_final() {
    let member = Member::default();
    member.state().auth = false;
    let client = member.builder().token("a.b.c").build().expect("valid");
    client.put("k", "v").await.expect("taken");
    client.get("k").await.expect("taken");
    member.state().refuses = Some(INVALID_TOKEN);
    let error = client.put("k", "v").await.expect_err("rejected");
    assert_eq!((error.code(), error.attempts().len()), (Some(Code::InvalidAuthToken), 1));
    member.state().refuses = None;
    client.get("k").await.expect("taken");
    let state = member.state();
    assert_eq!(state.authenticates, 0);
    assert_eq!(state.carried, vec![Some("a.b.c".to_owned()); 4]);
}
