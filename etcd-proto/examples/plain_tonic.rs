//! Prints the keys below a prefix and their revisions, with a generated stub on tonic's own channel.
//!
//! `cargo run -p etcd-proto --features client --example plain_tonic -- http://127.0.0.1:2379 jobs/`
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Duration;

use etcd_proto::etcdserverpb::kv_client::KvClient;
use etcd_proto::etcdserverpb::{RangeRequest, RangeResponse};
use prost::bytes::Bytes;
use tonic::transport::Endpoint;

/// The timeout of connecting, and of the request.
const LIMIT: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("usage: plain_tonic ENDPOINT [PREFIX]")?;
    let prefix = Bytes::from(arguments.next().unwrap_or_default());

    let channel = Endpoint::from_shared(address)?.connect_timeout(LIMIT).timeout(LIMIT).connect().await?;
    let mut kv = KvClient::new(channel).max_decoding_message_size(usize::MAX);
    let found = kv.range(below(&prefix)).await?.into_inner();
    print(&found);
    Ok(())
}

/// Returns a request for the keys that start with `prefix`, or for all keys if it is empty.
fn below(prefix: &Bytes) -> RangeRequest {
    // "\0" is the first possible key. As the end of a range, it means "no end".
    let open = || Bytes::from_static(b"\0");
    let key = if prefix.is_empty() { open() } else { prefix.clone() };
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX);
    let range_end = last.map_or_else(open, |last| {
        let mut end = prefix[..=last].to_vec();
        end[last] += 1;
        end.into()
    });
    RangeRequest { key, range_end, keys_only: true, ..Default::default() }
}

fn print(found: &RangeResponse) {
    for kv in &found.kvs {
        println!("{} {}", kv.mod_revision, kv.key.escape_ascii());
    }
    println!("{} keys", found.count);
}
