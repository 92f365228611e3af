//! What a client gives up while nobody uses it, and that it notices nothing of it.

use std::time::Duration;

use etcd_client_core::{CallOptions, Get};
use tokio::time::sleep;

use crate::auth::fake::Member;

/// The connection for streams ends some seconds after the last of them, and only that.
#[tokio::test(start_paused = true)]
async fn calls_and_streams_survive_idle_pauses() {
    let client = Member::default().client();
    for pause in [1, 6, 11, 60, 3_600] {
        client.put("k", "v").await.unwrap_or_else(|error| panic!("after {pause} s: {}", error.report()));
        let stream = client.kv().range_stream(Get::new("").all_keys(), CallOptions::default()).await;
        let mut stream = stream.unwrap_or_else(|error| panic!("after {pause} s: {}", error.report()));
        while let Some(chunk) = stream.next().await {
            chunk.expect("a chunk");
        }
        sleep(Duration::from_secs(pause)).await;
    }
    client.put("k", "v").await.expect("an hour later");
}
