//! The longest durations that a user can pass mean "never", and nothing panics.

use std::time::Duration;

use etcd_client_core::{CallOptions, Get};
use etcd_testkit::scripted::{Call, Server, reply};
use tokio::time::{sleep, timeout};

use super::link::{Link, answer_after};

#[tokio::test(start_paused = true)]
async fn longest_durations_work() {
    let server = Server::start(answer_after(Duration::from_secs(60))).await.expect("a free port");
    let link = Link::to(server);
    let longest = Duration::MAX;
    let client = link
        .builder()
        .timeout(longest)
        .keepalive_interval(longest)
        .keepalive_timeout(longest)
        .auto_sync(longest)
        .build()
        .expect("built");
    client.wait_ready(longest).await.expect("ready");
    for _ in 0..3 {
        // Long enough for a PING, and for what comes after one.
        client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
        client.get("k").timeout(longest).await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    let options = CallOptions::default().timeout(longest);
    let stream = client.kv().range_stream(Get::new("").all_keys(), options).await;
    let mut stream = stream.unwrap_or_else(|error| panic!("{}", error.report()));
    while let Some(Ok(_)) = stream.next().await {}
    let granted = client.lease().grant(longest).await;
    granted.expect_err("no lease lives so long");
    link.fall_silent();
    let reading = tokio::spawn({
        let client = client.clone();
        async move { client.get("k").timeout(Duration::from_secs(3_600)).await.map(drop) }
    });
    sleep(Duration::from_secs(600)).await;
    assert!(!reading.is_finished(), "a keepalive timeout without end ends nothing");
    timeout(Duration::from_secs(7_200), reading)
        .await
        .expect("in time")
        .expect("no panic")
        .expect_err("silent");
}

#[tokio::test(start_paused = true)]
async fn hung_member_is_detected_with_any_interval() {
    let server = Server::start(|_: &Call| reply::hang()).await.expect("a free port");
    let link = Link::to(server);
    let client = link.builder().keepalive_interval(Duration::MAX).no_timeout().build().expect("built");
    client.ready().await.expect("ready");
    link.fall_silent();
    let put = timeout(Duration::from_secs(10), async { client.put("k", "v").await }).await;
    put.expect("the connection is given up").expect_err("the member is silent");
}
