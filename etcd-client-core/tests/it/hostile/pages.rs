//! Pages over streams and members that break.

use etcd_client_core::{CallOptions, Client, Code, Error, ErrorKind, Get};
use etcd_proto::{etcdserverpb as pb, mvccpb};
use etcd_testkit::scripted::{Answer, Call, Last, Step, frame, reply};
use prost::Message as _;

use super::rig::{RANGE, RANGE_STREAM, Rig, header};

fn keys(range: std::ops::Range<u32>, more: bool) -> pb::RangeResponse {
    let kv = |n: u32| mvccpb::KeyValue { key: format!("k{n:03}").into(), ..Default::default() };
    pb::RangeResponse { header: header(), kvs: range.map(kv).collect(), more, count: 30 }
}

fn chunk(range: std::ops::Range<u32>) -> bytes::Bytes {
    frame::message(pb::RangeStreamResponse { range_response: Some(keys(range, false)) }.encode_to_vec())
}

/// The first page has keys 0 to 9, the stream is `stream`, a page asked for after it goes on at `rest`.
fn script(rig: &Rig, stream: Answer, rest: u32) {
    rig.server.play(move |call: &Call| match (call.path.as_str(), call.number) {
        (RANGE_STREAM, _) => stream.clone(),
        (_, 1) => reply::message(keys(0..10, true).encode_to_vec()),
        _ => reply::message(keys(rest..30, false).encode_to_vec()),
    });
}

async fn read(client: &Client) -> Result<Vec<String>, Error> {
    let mut pages = client.get("k").prefix().pages();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.extend(page?.kvs.iter().map(|kv| String::from_utf8_lossy(&kv.key).into_owned()));
    }
    assert!(pages.next().await.is_none(), "the end is the end");
    Ok(keys)
}

#[tokio::test]
async fn a_stream_that_breaks_is_continued_by_pages_without_a_gap() {
    let all: Vec<String> = (0..30).map(|n| format!("k{n:03}")).collect();
    let begun = |end: Vec<Step>| {
        let begin = [Step::ReadRequest, reply::head(), Step::Data(chunk(10..20))];
        begin.into_iter().chain(end).collect::<Answer>()
    };
    let cases = [
        (begun(vec![Step::Reset(reply::CANCEL)]), 20),
        (begun(vec![Step::Reset(reply::REFUSED_STREAM)]), 20),
        (begun(vec![Step::End]), 20),
        (begun(vec![Step::Close]), 20),
        (begun(vec![reply::trailers("14", "transport is closing")]), 20),
        (begun(vec![reply::trailers("14", "etcdserver: server stopped")]), 20),
        (reply::reset(reply::REFUSED_STREAM), 10),
        (reply::go_away(Last::Below, 0), 10),
        (reply::close(), 10),
        (reply::html(502), 10),
        (reply::html(404), 10),
        (reply::status(12, "unknown method RangeStream for service etcdserverpb.KV"), 10),
        (reply::body(chunk(10..20)[..20].to_vec()), 10),
        (reply::body(frame::claimed(1, 0, b"").to_vec()), 10),
        (reply::body(frame::message(vec![0xff; 9]).to_vec()), 10),
    ];
    for (stream, rest) in cases {
        let what = format!("{stream:?}");
        let opened = rest > 10;
        // A rig of its own: the script goes by the number of the call.
        let rig = Rig::start().await;
        script(&rig, stream, rest);
        let found = read(&rig.client()).await.unwrap_or_else(|error| panic!("{what}: {}", error.report()));
        assert_eq!(found, all, "{what}");
        assert_eq!(rig.server.received(RANGE), 2, "{what}");
        let streams = rig.server.received(RANGE_STREAM);
        assert!(streams <= if opened { 1 } else { 2 }, "{streams} streams: {what}");
        let asked = rig.server.counts(|counts| counts.received.last().map(|r| r.message.clone()));
        let asked = pb::RangeRequest::decode(asked.expect("a request")).expect("a range");
        assert_eq!(asked.revision, 3, "pages keep to one revision: {what}");
        assert_eq!(asked.key, format!("k{:03}\0", rest - 1), "{what}");
    }
}

#[tokio::test]
async fn a_stream_that_repeats_keys_ends_the_pages() {
    for body in [chunk(9..20).to_vec(), chunk(0..10).to_vec()] {
        let rig = Rig::start().await;
        script(&rig, reply::body(body), 10);
        let error = read(&rig.client()).await.expect_err("wrong chunks");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{}", error.report());
    }
}

#[tokio::test]
async fn repeated_pages_are_detected() {
    let rig = Rig::start().await;
    rig.server.play(|call: &Call| match call.path.as_str() {
        RANGE => reply::message(keys(0..10, true).encode_to_vec()),
        _ => reply::status(12, "unknown method RangeStream for service etcdserverpb.KV"),
    });
    let error = read(&rig.client()).await.expect_err("the same page");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{}", error.report());
    assert_eq!(rig.server.received(RANGE), 2);
}

#[tokio::test]
async fn chunks_end_with_the_first_error() {
    let rig = Rig::start().await;
    let whole = chunk(0..10);
    for wrong in [frame::claimed(1, 0, b""), frame::message(vec![0xff; 9]), frame::claimed(0, u32::MAX, b"")]
    {
        let body = [&whole[..], &wrong[..], &whole[..]].concat();
        script(&rig, reply::body(body), 10);
        let client = rig.client();
        let mut chunks =
            client.kv().range_stream(Get::new("k").prefix(), CallOptions::default()).await.expect("opens");
        assert_eq!(chunks.next().await.expect("a chunk").expect("right").kvs.len(), 10);
        let error = chunks.next().await.expect("an error").expect_err("wrong");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{}", error.report());
        rig.assert_named(&error);
        assert!(chunks.next().await.is_none(), "what follows an error has a gap before it");
    }
}

#[tokio::test]
async fn chunks_of_a_closed_client_end_with_closed() {
    let rig = Rig::start().await;
    script(&rig, vec![Step::ReadRequest, reply::head(), Step::Data(chunk(0..10))], 10);
    let client = rig.client();
    let mut chunks =
        client.kv().range_stream(Get::new("k").prefix(), CallOptions::default()).await.expect("opens");
    chunks.next().await.expect("a chunk").expect("right");
    client.close().await;
    let error = chunks.next().await.expect("an error").expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::Closed, "{}", error.report());
}

#[tokio::test]
async fn serializable_pages_wait_for_a_member_that_is_behind() {
    let rig = Rig::start().await;
    rig.server.play(|call: &Call| match (call.path.as_str(), call.number) {
        (RANGE_STREAM, _) => reply::status(12, "unknown method RangeStream for service etcdserverpb.KV"),
        (_, 1) => reply::message(keys(0..10, true).encode_to_vec()),
        (_, 2) => reply::status(11, "etcdserver: mvcc: required revision is a future revision"),
        _ => reply::message(keys(10..30, false).encode_to_vec()),
    });
    let client = rig.client();
    let mut pages = client.get("k").prefix().serializable().pages();
    let mut found = 0;
    while let Some(page) = pages.next().await {
        found += page.unwrap_or_else(|error| panic!("{}", error.report())).kvs.len();
    }
    assert_eq!(found, 30);
    let serializable = rig.server.counts(|counts| {
        let ranges = counts.received.iter().filter(|request| request.path == RANGE);
        let decoded =
            ranges.map(|request| pb::RangeRequest::decode(request.message.clone()).expect("a range"));
        decoded.map(|range| (range.serializable, range.revision)).collect::<Vec<_>>()
    });
    assert_eq!(serializable, [(true, 0), (true, 3), (false, 3)]);
}

#[tokio::test]
async fn future_revision_is_rejected() {
    let rig = Rig::start().await;
    rig.server.play(|_: &Call| reply::status(11, "etcdserver: mvcc: required revision is a future revision"));
    let client = rig.client();
    let mut pages = client.get("k").prefix().serializable().revision(9).pages();
    let error = pages.next().await.expect("an item").expect_err("of the future");
    assert_eq!(error.code(), Some(Code::FutureRev), "{}", error.report());
    assert_eq!(rig.server.received(RANGE), 1);
}

/// Chunks that nobody reads fill the windows of their streams, and must leave room for everybody else's answers.
#[tokio::test]
async fn unread_streams_do_not_block_calls() {
    let rig = Rig::start().await;
    let large = mvccpb::KeyValue { key: "k".into(), value: vec![7; 1 << 20].into(), ..Default::default() };
    let range = pb::RangeResponse { header: header(), kvs: vec![large], more: false, count: 1 };
    let endless = frame::message(pb::RangeStreamResponse { range_response: Some(range) }.encode_to_vec());
    rig.server.play(move |call: &Call| match call.path.as_str() {
        RANGE_STREAM => vec![Step::ReadRequest, reply::head(), Step::Repeat(endless.clone())],
        _ => reply::message(keys(0..10, false).encode_to_vec()),
    });
    let client = rig.client();
    let open = || client.kv().range_stream(Get::new("k").prefix(), CallOptions::default());
    let mut unread = Vec::new();
    for _ in 0..16 {
        let mut stream = open().await.unwrap_or_else(|error| panic!("{}", error.report()));
        stream.next().await.expect("a chunk").expect("right");
        unread.push(stream);
    }
    let error = open().await.expect_err("as many as may be left unread are open");
    assert_eq!(error.kind(), ErrorKind::CapacityExceeded, "{}", error.report());
    rig.assert_named(&error);
    for _ in 0..100 {
        client.get("k").prefix().await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    unread.pop();
    unread.push(open().await.unwrap_or_else(|error| panic!("a place was given back: {}", error.report())));
}
