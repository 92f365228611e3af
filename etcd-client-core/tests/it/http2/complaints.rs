//! Peers that end connections with ENHANCE_YOUR_CALM.

use std::time::Duration;

use etcd_client_core::{ErrorKind, transport::EndpointPhase};
use etcd_testkit::scripted::{Answer, Call, Server, Step, frame, reply};
use tokio::time::{Instant, timeout};

use super::link::{Link, answer_after};

const COMPLAINTS: usize = 70;

/// The end of a connection with a complaint, instead of an answer.
fn complaint(debug_data: &'static str) -> Answer {
    let payload =
        [&i32::MAX.to_be_bytes()[..], &reply::ENHANCE_YOUR_CALM.to_be_bytes(), debug_data.as_bytes()];
    let goaway =
        Step::Frame { kind: frame::GOAWAY, flags: 0, stream: Some(0), payload: payload.concat().into() };
    vec![Step::ReadRequest, goaway, Step::Close]
}

/// A link to a server that has complained so often, and answers from now on.
async fn complained(debug_data: &'static str) -> (Link, etcd_client_core::Client) {
    let server = Server::start(move |_: &Call| complaint(debug_data)).await.expect("a free port");
    let link = Link::to(server);
    let client = link.builder().timeout(Duration::from_secs(30)).build().expect("built");
    while link.server.counts(|counts| counts.received.len()) < COMPLAINTS {
        let error = client.put("k", "v").await.expect_err("the connection ends");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
    }
    link.server.play(answer_after(Duration::ZERO));
    (link, client)
}

#[tokio::test(start_paused = true)]
async fn the_endpoint_recovers_within_30_s_of_70_complaints() {
    for debug_data in ["too_many_pings", "excessive_load", ""] {
        let (_link, client) = complained(debug_data).await;
        let last = Instant::now();
        client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
        assert!(last.elapsed() < Duration::from_secs(30), "{debug_data}: {:?}", last.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_hung_member_is_found_within_8_s_of_70_complaints() {
    for debug_data in ["too_many_pings", "excessive_load"] {
        let (link, client) = complained(debug_data).await;
        client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
        link.fall_silent();
        let began = Instant::now();
        let put = client.put("k", "v").timeout(Duration::from_secs(600)).await;
        put.expect_err("the member hangs");
        assert!(began.elapsed() <= Duration::from_secs(8), "{debug_data}: found after {:?}", began.elapsed());
        let mut states = client.endpoint_states();
        let found = async {
            loop {
                let state = states.next().await.expect("states").remove(0);
                if state.phase == EndpointPhase::Down {
                    return state.reason.expect("a reason");
                }
            }
        };
        let reason = timeout(Duration::from_secs(1), found).await.expect("it is shown as down");
        assert!(reason.contains("PING"), "{reason}");
    }
}
