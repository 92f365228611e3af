//! The memory that reading a long range by pages takes, and that saving a snapshot takes, whatever their length.
//!
//! What is counted is the heap of the client's thread, the connection's own task included, at its peak. Page by page the
//! pages are dropped, as a reader of a range larger than memory must.
#![allow(clippy::print_stdout, reason = "the figures are what these tests are read for")]

mod cached_keys;
mod fake_member;
mod many_watches;
mod sleeping_reader;

use allocation_counter::measure;
use bytes::Bytes;
use etcd_client_core::{Client, Put, kv::Pages};
use etcd_proto::{etcdserverpb as pb, mvccpb};
use fake_member::{Answer, FakeMember, current_thread, header, one};
use futures_util::{StreamExt as _, stream::iter};
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

/// No peak may be higher, however long the range is.
const MOST: u64 = 24 << 20;

/// etcd's own chunks are of about this many bytes.
const CHUNK: usize = 1 << 20;

/// A range whose pairs are made when they are asked for: 1 GiB of values lies nowhere.
#[derive(Clone, Copy, Debug)]
struct Keys {
    count: usize,
    value_length: usize,
}

const SMALL: Keys = Keys { count: 100_000, value_length: 100 };
const LARGE: Keys = Keys { count: 200, value_length: 1 << 20 };

impl Keys {
    fn times(self, factor: usize) -> Self {
        Self { count: self.count * factor, ..self }
    }

    fn key(index: usize) -> Bytes {
        format!("{index:09}").into()
    }

    fn pairs(self, range: std::ops::Range<usize>) -> Vec<mvccpb::KeyValue> {
        let value = Bytes::from(vec![b'v'; self.value_length]);
        let pair = |i| mvccpb::KeyValue { key: Self::key(i), value: value.clone(), ..Default::default() };
        range.map(pair).collect()
    }

    /// The answer to a Range request.
    fn page(self, request: &pb::RangeRequest) -> pb::RangeResponse {
        let first = self.first(request);
        let limit = usize::try_from(request.limit).ok().filter(|&limit| limit > 0);
        let end = limit.map_or(self.count, |limit| self.count.min(first + limit));
        let count = i64::try_from(self.count - first).expect("few");
        pb::RangeResponse { header: header(), kvs: self.pairs(first..end), more: end < self.count, count }
    }

    /// The answer to a RangeStream request.
    fn chunks(self, request: &pb::RangeRequest) -> Answer {
        let per_chunk = (CHUNK / self.value_length).max(1);
        let starts = (self.first(request)..self.count).step_by(per_chunk);
        let chunk = move |start: usize| {
            let kvs = self.pairs(start..self.count.min(start + per_chunk));
            let range_response = Some(pb::RangeResponse { kvs, ..Default::default() });
            pb::RangeStreamResponse { range_response }.encode_to_vec().into()
        };
        Ok(iter(starts.map(chunk)).boxed())
    }

    /// The first index at or after the request's key.
    fn first(self, request: &pb::RangeRequest) -> usize {
        let digits = request.key.get(..9).and_then(|digits| str::from_utf8(digits).ok());
        let index = digits.and_then(|digits| digits.parse::<usize>().ok());
        index.map_or(0, |index| index + usize::from(request.key.len() > 9))
    }

    fn member(self, streams: bool) -> FakeMember {
        FakeMember::start(move |path, request| {
            let request = pb::RangeRequest::decode(request).expect("a range");
            match path {
                "/etcdserverpb.KV/RangeStream" if streams => self.chunks(&request),
                "/etcdserverpb.KV/RangeStream" => {
                    Err("unknown method RangeStream for service etcdserverpb.KV")
                }
                _ => one(&self.page(&request)),
            }
        })
    }
}

/// Reads every page and drops it; gives the number of keys.
async fn read(mut pages: Pages<'_>) -> usize {
    let mut keys = 0;
    while let Some(page) = pages.next().await {
        keys += page.expect("a page").kvs.len();
    }
    keys
}

/// The peak of the heap while the range is read.
fn peak(runtime: &Runtime, client: &Client, keys: Keys, page_size: Option<u32>) -> u64 {
    let counted = measure(|| {
        let pages = client.get("").all_keys().pages();
        let pages = page_size.into_iter().fold(pages, Pages::page_size);
        assert_eq!(runtime.block_on(read(pages)), keys.count);
    });
    counted.bytes_max
}

fn peak_with_member(keys: Keys, streams: bool, page_size: Option<u32>) -> u64 {
    let (member, runtime) = (keys.member(streams), current_thread());
    let client = runtime.block_on(member.client());
    let peak = peak(&runtime, &client, keys, page_size);
    let Keys { count, value_length } = keys;
    let way = if streams { "streamed" } else { "by pages" };
    println!("{way:>9}: {count:>7} values of {value_length:>7} bytes: peak {:>6} KiB", peak >> 10);
    peak
}

/// A range four times as long takes no more memory, and neither takes much.
fn assert_flat(keys: Keys, streams: bool, page_size: Option<u32>) {
    let [short, long] = [1, 4].map(|factor| peak_with_member(keys.times(factor), streams, page_size));
    assert!(short.max(long) < MOST, "peaks of {short} and {long} bytes");
    // What lies in the connection's buffers differs from run to run.
    assert!(long < short + (4 << 20), "{short} bytes grew to {long}");
}

#[test]
fn small_values_streamed() {
    assert_flat(SMALL, true, None);
}

#[test]
fn small_values_by_pages() {
    assert_flat(SMALL, false, None);
    assert_flat(SMALL, true, Some(1_000));
}

#[test]
fn large_values_streamed() {
    assert_flat(LARGE, true, None);
}

#[test]
fn large_values_by_pages() {
    assert_flat(LARGE, false, None);
}

/// Fills a member with `keys`.
async fn fill(client: &Client, keys: Keys) {
    let value = Bytes::from(vec![b'v'; keys.value_length]);
    let per_txn = (CHUNK / keys.value_length).clamp(1, 128);
    for first in (0..keys.count).step_by(per_txn) {
        let puts = (first..keys.count.min(first + per_txn)).map(|i| Put::new(Keys::key(i), value.clone()));
        client.txn().then(puts.collect::<Vec<_>>()).await.expect("written");
    }
}

fn assert_flat_on_a_real_member(keys: Keys) {
    let runtime = current_thread();
    let Some(cluster) = runtime.block_on(etcd_testkit::Cluster::builder().start_or_skip()) else { return };
    let endpoints = cluster.endpoints();
    let client = runtime.block_on(async { Client::builder(endpoints).build().expect("valid") });
    runtime.block_on(fill(&client, keys));
    for page_size in [None, Some(u32::try_from(CHUNK / keys.value_length).expect("few"))] {
        let peak = peak(&runtime, &client, keys, page_size);
        let (version, Keys { count, value_length }) = (cluster.version(), keys);
        println!("etcd {version}: {count} values of {value_length} bytes: peak {} KiB", peak >> 10);
        assert!(peak < MOST, "a peak of {peak} bytes on etcd {version}");
    }
}

#[test]
fn small_values_of_a_real_member() {
    assert_flat_on_a_real_member(SMALL);
}

#[test]
fn large_values_of_a_real_member() {
    assert_flat_on_a_real_member(LARGE);
}

/// What etcd sends at a time.
const SNAPSHOT_CHUNK: usize = 32 << 10;

/// A member with a snapshot of `chunks` chunks, made when they are asked for.
fn member_with_snapshot(chunks: usize) -> FakeMember {
    FakeMember::start(move |_path, _request| {
        let data = Bytes::from(vec![b'd'; SNAPSHOT_CHUNK]);
        let mut hasher = Sha256::new();
        let messages = (0..=chunks).map(move |at| {
            let blob = if at < chunks { data.clone() } else { hasher.finalize_reset().to_vec().into() };
            hasher.update(&blob);
            let left = chunks.saturating_sub(at + 1) * SNAPSHOT_CHUNK;
            let remaining_bytes = left.try_into().expect("few");
            pb::SnapshotResponse { remaining_bytes, blob, ..Default::default() }.encode_to_vec().into()
        });
        Ok(iter(messages).boxed())
    })
}

#[test]
fn a_snapshot_takes_the_same_whatever_its_length() {
    let directory = tempfile::tempdir().expect("a directory");
    let peaks = [32, 128].map(|mebibytes| {
        let chunks = (mebibytes << 20) / SNAPSHOT_CHUNK;
        let (member, runtime) = (member_with_snapshot(chunks), current_thread());
        let client = runtime.block_on(member.client());
        let counted = measure(|| {
            let saving = client.snapshot().save_to(directory.path().join("backup.db"));
            let saved = runtime.block_on(saving).expect("saved");
            assert_eq!(saved.bytes, (chunks * SNAPSHOT_CHUNK + 32) as u64);
        });
        println!("snapshot of {mebibytes} MiB: peak {} KiB", counted.bytes_max >> 10);
        counted.bytes_max
    });
    // The connection's window, and the room that its buffers take while they double: less than either has. How much of the window
    // fills depends on who is faster, the member or the disk.
    assert!(peaks.iter().all(|&peak| peak < MOST), "{peaks:?}");
}
