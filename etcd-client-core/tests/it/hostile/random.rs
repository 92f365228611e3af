//! Random bytes as the body, the headers and the trailers of an answer.

use bytes::Bytes;
use etcd_client_core::ErrorKind;
use etcd_testkit::scripted::{Answer, Head, Step, frame, in_turn, reply};
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestRunner};

use super::rig::{Rig, Rpc, once};

const CASES: u32 = 300;

/// Bytes that a header value may hold.
fn value() -> impl Strategy<Value = Bytes> {
    vec(prop_oneof![32..127_u8, 128..=255_u8], 0..40).prop_map(Bytes::from)
}

fn headers() -> impl Strategy<Value = Vec<(String, Bytes)>> {
    let name = prop_oneof![
        select(vec!["content-type", "grpc-status", "grpc-message", "grpc-encoding"]).prop_map(str::to_owned),
        "[a-z][a-z0-9-]{0,12}"
            .prop_filter("h2 refuses to send these", |name| !matches!(name.as_str(), "te" | "upgrade")),
    ];
    let known = select(vec!["application/grpc", "0", "14", "application/grpc+proto", "gzip"]);
    let value = prop_oneof![value(), known.prop_map(Bytes::from)];
    vec((name, value), 0..5)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let random = vec(any::<u8>(), 0..200);
    let framed = vec(any::<u8>(), 0..200).prop_map(|bytes| frame::message(bytes).to_vec());
    prop_oneof![random, framed]
}

/// A head, a body in pieces, an end; a right content type half of the time, so that the rest is read.
fn answer() -> impl Strategy<Value = Answer> {
    let status = prop_oneof![3 => Just(200_u16), 1 => 200..600_u16];
    let end = option::of(headers());
    (status, any::<bool>(), headers(), vec(body(), 0..4), end).prop_map(
        |(status, right, mut headers, body, end)| {
            if right {
                headers.insert(0, ("content-type".into(), "application/grpc".into()));
            }
            let head = Step::Head(Head { status, headers, end: false });
            let body = body.into_iter().map(|bytes| Step::Data(bytes.into()));
            let end = end.map_or(Step::End, Step::Trailers);
            [Step::ReadRequest, head].into_iter().chain(body).chain([end]).collect()
        },
    )
}

/// A right message with some bytes changed, under a status of success.
fn damaged(rpc: Rpc) -> impl Strategy<Value = Answer> {
    let right = rpc.right();
    vec((0..right.len(), any::<u8>()), 1..4).prop_map(move |changes| {
        let mut bytes = right.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        reply::message(bytes)
    })
}

fn hostile() -> impl Strategy<Value = (Rpc, Answer)> {
    select(Rpc::ALL.to_vec()).prop_flat_map(|rpc| (Just(rpc), prop_oneof![answer(), damaged(rpc)]))
}

#[test]
fn any_answer_is_an_error_of_a_known_kind_or_a_success() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let rig = runtime.block_on(Rig::start());
    let mut runner =
        TestRunner::new(ProptestConfig { cases: CASES, failure_persistence: None, ..Default::default() });
    let outcome = runner.run(&hostile(), |(rpc, answer)| {
        runtime.block_on(async {
            rig.server.play(once(answer, rpc.right()));
            let client = rig.client();
            let first = rpc.call(&client).await;
            // What was believed is held against later answers.
            let next_client = if first.is_ok() { rig.client() } else { client.clone() };
            if let Err(error) = first {
                let known = [
                    ErrorKind::Protocol,
                    ErrorKind::Unavailable,
                    ErrorKind::Server,
                    ErrorKind::Timeout,
                    ErrorKind::Unsupported,
                ];
                prop_assert!(known.contains(&error.kind()), "{}", error.report());
                rig.assert_named(&error);
            }
            rig.server.play(in_turn([reply::message(rpc.right())]));
            let next = rpc.call(&next_client).await;
            prop_assert!(next.is_ok(), "the next call: {next:?}");
            client.close().await;
            next_client.close().await;
            Ok(())
        })
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
}
