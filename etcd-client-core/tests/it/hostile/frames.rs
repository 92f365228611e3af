//! gRPC messages that are cut off, doubled, compressed or garbage.

use bytes::Bytes;
use etcd_client_core::ErrorKind;
use etcd_testkit::scripted::{Step, frame, reply};

use super::rig::{Expect, Rig, Rpc};

const PROTOCOL: Expect = Expect::Error(ErrorKind::Protocol);

#[tokio::test]
async fn response_prefix_is_a_protocol_error() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        let whole = frame::message(rpc.right());
        for length in 0..whole.len() {
            // A stream may be empty.
            let expect = if rpc == Rpc::RangeStream && length == 0 { Expect::Success } else { PROTOCOL };
            rig.check(rpc, reply::body(whole.slice(..length)), expect).await;
        }
    }
}

#[tokio::test]
async fn truncated_response_is_lost() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        let whole = frame::message(rpc.right());
        for length in 0..=whole.len() {
            let data = Step::Data(whole.slice(..length));
            rig.check(rpc, vec![Step::ReadRequest, reply::head(), data, Step::End], Expect::Lost).await;
        }
    }
}

#[tokio::test]
async fn a_unary_answer_holds_one_message() {
    let rig = Rig::start().await;
    for rpc in Rpc::UNARY {
        let message = frame::message(rpc.right());
        let twice = [&message[..], &message[..]].concat();
        rig.check(rpc, reply::body(twice), PROTOCOL).await;
        let apart = vec![
            Step::ReadRequest,
            reply::head(),
            Step::Data(message.clone()),
            Step::Data(message),
            reply::trailers("0", ""),
        ];
        rig.check(rpc, apart, PROTOCOL).await;
    }
}

#[tokio::test]
async fn a_message_in_single_bytes_is_read() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        let bytes = frame::message(rpc.right());
        let pieces = (0..bytes.len()).map(|at| Step::Data(bytes.slice(at..=at)));
        let steps = [Step::ReadRequest, reply::head()].into_iter().chain(pieces);
        rig.check(rpc, steps.chain([reply::trailers("0", "")]).collect(), Expect::Success).await;
    }
}

#[tokio::test]
async fn compressed_messages_and_garbage_are_protocol_errors() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        let right = rpc.right();
        let length = u32::try_from(right.len()).expect("short");
        for flag in [1, 2, 0xff] {
            rig.check(rpc, reply::body(frame::claimed(flag, length, &right)), PROTOCOL).await;
        }
        for garbage in [&[0xff; 20][..], &[0x0a, 0x7f, 1], &[0x07], &[0x0a, 0x01, 0xff], &[0; 3]] {
            rig.check(rpc, reply::message(Bytes::copy_from_slice(garbage)), PROTOCOL).await;
        }
    }
}

#[tokio::test]
async fn fields_of_later_versions_are_skipped() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        // Field 1000, a string.
        let later = [&rpc.right()[..], &[0xc2, 0x3e, 3, b'n', b'e', b'w']].concat();
        rig.check(rpc, reply::message(later), Expect::Success).await;
    }
}
