//! What a call costs in memory: allocations, bytes and tasks, counted on the thread of the client.
#![allow(clippy::print_stdout, reason = "the figures are what these tests are read for")]

mod fake_member;

use std::{pin::pin, time::Duration};

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use etcd_client_core::{Client, ClientBuilder, Compare, Error, KeyValue, Put};
use etcd_proto::{etcdserverpb as pb, mvccpb};
use fake_member::{FakeMember, current_thread, header, one};
use futures_util::{StreamExt as _, future::join_all, stream::pending};
use tokio::{
    runtime::{Handle, Runtime},
    sync::mpsc::unbounded_channel,
    time::timeout,
};

/// The promise for one unary call.
const MOST_ALLOCATIONS: f64 = 12.0;

/// Calls before anything is counted: buffers and tables reach their size, the header table is filled.
const WARM_UP: u32 = 200;

const CALLS: u32 = 1_000;

fn pair(key: Bytes, value: Bytes) -> mvccpb::KeyValue {
    mvccpb::KeyValue { key, value, create_revision: 900, mod_revision: 950, version: 3, lease: 0 }
}

fn range(kvs: Vec<mvccpb::KeyValue>) -> pb::RangeResponse {
    let count = i64::try_from(kvs.len()).expect("few");
    pb::RangeResponse { header: header(), kvs, more: false, count }
}

/// Answers gets with one value of `length` bytes, and puts and txns with success.
fn member(length: usize) -> FakeMember {
    FakeMember::start(move |path, _| match path {
        "/etcdserverpb.KV/Put" => one(&pb::PutResponse { header: header(), prev_kv: None }),
        "/etcdserverpb.KV/Txn" => {
            let put = pb::PutResponse { header: header(), prev_kv: None };
            let response = Some(pb::response_op::Response::ResponsePut(put));
            let responses = vec![pb::ResponseOp { response }];
            one(&pb::TxnResponse { header: header(), succeeded: true, responses })
        }
        _ => one(&range(vec![pair("key".into(), vec![b'v'; length].into())])),
    })
}

/// Counts what `calls` calls allocate on this thread, the connection's own task included, after as many as warm up.
fn count<T>(
    runtime: &Runtime,
    client: &Client,
    calls: u32,
    call: impl AsyncFn(&Client) -> Result<T, Error>,
) -> AllocationInfo {
    let rounds = async |rounds| {
        for _ in 0..rounds {
            call(client).await.expect("an answer");
        }
    };
    runtime.block_on(rounds(WARM_UP.min(calls)));
    measure(|| runtime.block_on(rounds(calls)))
}

fn assert_few_allocations(name: &str, counted: AllocationInfo) {
    let allocations = counted.count_total as f64 / f64::from(CALLS);
    let bytes = counted.bytes_total as f64 / f64::from(CALLS);
    println!("{name}: {allocations:.2} allocations, {bytes:.0} bytes");
    assert!(allocations <= MOST_ALLOCATIONS, "{name} allocates {allocations:.2} times a call");
}

#[test]
fn a_unary_call_allocates_at_most_twelve_times() {
    let (member, runtime) = (member(64), current_thread());
    let client = runtime.block_on(member.client());
    let key = Bytes::from_static(b"key");
    let get = count(&runtime, &client, CALLS, async |client| client.get(key.clone()).await);
    assert_few_allocations("get", get);
    let put = count(&runtime, &client, CALLS, async |client| client.put(key.clone(), key.clone()).await);
    assert_few_allocations("put", put);
    let txn = count(&runtime, &client, CALLS, async |client| {
        let put = Put::new(key.clone(), key.clone());
        client.txn().when(Compare::version(key.clone()).equal(1)).then(put).await
    });
    // The vectors of compares, operations and results belong to the txn, not to the call.
    let figure = txn.count_total as f64 / f64::from(CALLS);
    println!("txn of one compare and one put: {figure:.2} allocations");
}

#[test]
fn a_token_costs_no_allocation() {
    let (member, runtime) = (member(64), current_thread());
    let key = Bytes::from_static(b"key");
    let mut counts = Vec::new();
    for token in [None, Some("a.signed.token")] {
        let set = |builder: ClientBuilder| match token {
            Some(token) => builder.token(token),
            None => builder,
        };
        let client = runtime.block_on(member.client_with(set));
        let get = count(&runtime, &client, CALLS, async |client| client.get(key.clone()).await);
        counts.push(get.count_total as f64 / f64::from(CALLS));
    }
    println!("get without and with a token: {counts:?} allocations");
    assert!(counts[1] < counts[0] + 0.5, "{counts:?}");
}

#[test]
fn no_task_is_spawned_for_a_call() {
    const IN_FLIGHT: usize = 64;
    let (tell, mut arrived) = unbounded_channel();
    let held = FakeMember::start(move |_, _| {
        tell.send(()).expect("the test counts the calls");
        Ok(pending().boxed())
    });
    current_thread().block_on(async {
        let client = held.client().await;
        let tasks = Handle::current().metrics().num_alive_tasks();
        let mut calls = pin!(join_all((0..IN_FLIGHT).map(|_| client.get("key").into_future())));
        for _ in 0..IN_FLIGHT {
            tokio::select! {
                _ = &mut calls => panic!("the member answers nothing"),
                call = timeout(Duration::from_secs(5), arrived.recv()) => call.expect("sent").expect("held"),
            }
        }
        assert_eq!(Handle::current().metrics().num_alive_tasks(), tasks);
    });
}

#[test]
fn a_value_inside_one_data_frame_is_not_copied() {
    const VALUE: u32 = 8 << 10;
    let (member, runtime) = (member(VALUE as usize), current_thread());
    let client = runtime.block_on(member.client());
    let counted = count(&runtime, &client, CALLS, async |client| client.get("key").await);
    let bytes = counted.bytes_total as f64 / f64::from(CALLS);
    println!("get of {VALUE} bytes: {bytes:.0} bytes allocated");
    // The connection reuses the buffer that frames are read into, so that a copy would be most of what is allocated.
    assert!(bytes < f64::from(VALUE), "{bytes:.0} bytes for a value of {VALUE}: it is copied");
    let response = runtime.block_on(client.get("key").into_future()).expect("an answer");
    let kv = response.into_first().expect("one pair");
    let distance = kv.value.as_ptr().addr().abs_diff(kv.key.as_ptr().addr());
    assert!(distance < 64, "key and value lie {distance} bytes apart: not in one frame");
}

/// Bytes allocated for one answer of `response`, and the length of its message.
fn bytes_for(response: pb::RangeResponse) -> (u64, u64) {
    const CALLS: u32 = 4;
    let (length, pairs) = (prost::Message::encoded_len(&response) as u64, response.kvs.len());
    let member = FakeMember::start(move |_, _| one(&response));
    let runtime = current_thread();
    let client = runtime.block_on(member.client());
    let counted = count(&runtime, &client, CALLS, async |client| {
        let response = client.get("").all_keys().await?;
        assert_eq!(response.kvs.len(), pairs);
        Ok(response)
    });
    (counted.bytes_total / u64::from(CALLS), length)
}

#[test]
fn a_large_value_is_joined_once() {
    let (bytes, length) = bytes_for(range(vec![pair("key".into(), vec![b'v'; 1 << 20].into())]));
    println!("get of 1 MiB: {bytes} bytes allocated for a message of {length}");
    // Once for the message that joins the frames; the buffers that frames are read into are half as large again as those.
    assert!(bytes * 4 < length * 11, "{bytes} bytes for a message of {length}");
}

#[test]
fn a_hundred_thousand_keys_share_one_buffer() {
    let kvs = (0..100_000).map(|i| pair(format!("key/{i:08}").into(), "value".into()));
    let (bytes, length) = bytes_for(range(kvs.collect()));
    // The vector doubles up to 131,072 pairs, and the pairs on the wire become the caller's in place.
    let vector = 2 * 131_072 * size_of::<KeyValue>() as u64;
    println!("range of 100,000 keys: {bytes} bytes allocated, {vector} for pairs, for a message of {length}");
    assert!(bytes < vector + 4 * length, "{bytes} bytes for a message of {length} and pairs of {vector}");
}
