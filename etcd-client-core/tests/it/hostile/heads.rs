//! Header blocks and trailers: content types, HTTP statuses, gRPC statuses, sizes.

use bytes::Bytes;
use etcd_client_core::{Code, ErrorKind, error::GrpcCode, request::RetryPolicy};
use etcd_testkit::scripted::{Answer, Head, Step, frame, reply};

use super::rig::{Expect, Rig, Rpc};

const PROTOCOL: Expect = Expect::Error(ErrorKind::Protocol);
const SERVER: Expect = Expect::Error(ErrorKind::Server);

/// A right message between this head and these trailers.
fn framed(rpc: Rpc, head: Step, end: Step) -> Answer {
    vec![Step::ReadRequest, head, Step::Data(frame::message(rpc.right())), end]
}

#[tokio::test]
async fn only_grpc_content_types_are_decoded() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        let ok = || reply::trailers("0", "");
        for wrong in ["", "text/html", "application/json", "application/grpc-web", "application/grpcx"] {
            let head = reply::head_with(200, [("content-type", wrong)]);
            let error = rig.check(rpc, framed(rpc, head, ok()), PROTOCOL).await.expect("an error");
            assert!(error.message().contains(&format!("{wrong:?}")), "{error}");
        }
        rig.check(rpc, framed(rpc, reply::head_with(200, []), ok()), PROTOCOL).await;
        for right in ["application/grpc+proto", "application/grpc;charset=utf-8"] {
            let head = reply::head_with(200, [("content-type", right)]);
            rig.check(rpc, framed(rpc, head, ok()), Expect::Success).await;
        }
    }
}

#[tokio::test]
async fn html_response_is_named() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        for (status, expect) in
            [(200, PROTOCOL), (404, PROTOCOL), (500, PROTOCOL), (502, Expect::Lost), (503, Expect::Lost)]
        {
            if let Some(error) = rig.check(rpc, reply::html(status), expect).await {
                let message = error.message();
                assert!(message.contains("text/html") && message.contains(&status.to_string()), "{message}");
            }
        }
    }
}

#[tokio::test]
async fn http_errors_of_proxies_are_explained() {
    let rig = Rig::start().await;
    for (status, says) in [
        (413, "body limit of a proxy"),
        (407, "requires credentials"),
        (429, "limits the rate"),
        (502, "cannot reach the member"),
        (504, "timed out waiting for the member"),
    ] {
        rig.server.play(move |_: &etcd_testkit::scripted::Call| reply::html(status));
        let put = rig.client().put("k", "v").retry(RetryPolicy::Never).await.expect_err("no gRPC");
        let shown = put.to_string();
        assert!(shown.contains(&status.to_string()) && shown.contains(says), "{shown}");
    }
}

#[tokio::test]
async fn response_without_a_status_is_lost() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        rig.check(rpc, framed(rpc, reply::head(), Step::End), Expect::Lost).await;
        let no_status = Step::Trailers(reply::owned([("x-other", "1")]));
        rig.check(rpc, framed(rpc, reply::head(), no_status), Expect::Lost).await;
        let no_more =
            Head { status: 200, headers: reply::owned([("content-type", "application/grpc")]), end: true };
        rig.check(rpc, vec![Step::ReadRequest, Step::Head(no_more)], Expect::Lost).await;
        let nothing = Head { status: 200, headers: reply::owned([("content-length", "0")]), end: true };
        rig.check(rpc, vec![Step::ReadRequest, Step::Head(nothing)], Expect::Lost).await;
    }
}

#[tokio::test]
async fn unreadable_statuses_are_unknown() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        for status in ["x", "", "-1", "99", "4294967296", "0x0", "0 0", "1e3"] {
            let error = rig.check(rpc, framed(rpc, reply::head(), reply::trailers(status, "")), SERVER).await;
            assert_eq!(error.expect("an error").code(), Some(Code::Other(GrpcCode::Unknown)), "{status}");
            rig.check(rpc, reply::trailers_only([("grpc-status", status)]), SERVER).await;
        }
    }
}

#[tokio::test]
async fn any_grpc_message_is_kept_readable() {
    let rig = Rig::start().await;
    let long = "x".repeat(40_000);
    let messages: [&[u8]; 5] = [&[0xff, 0xfe, b'a'], "é%C3%A9".as_bytes(), b"%", b"%zz%0", long.as_bytes()];
    for rpc in Rpc::ALL {
        for message in messages {
            let mut trailers = reply::owned([("grpc-status", "13")]);
            trailers.push(("grpc-message".into(), Bytes::copy_from_slice(message)));
            let error = rig.check(rpc, framed(rpc, reply::head(), Step::Trailers(trailers)), SERVER).await;
            let error = error.expect("an error");
            assert_eq!(error.grpc_code(), Some(GrpcCode::Internal));
            assert!(!error.message().is_empty());
        }
    }
}

#[tokio::test]
async fn header_blocks_over_the_limit_are_lost_answers() {
    let rig = Rig::start().await;
    let huge = "x".repeat(100_000);
    for rpc in Rpc::ALL {
        let head = reply::head_with(200, [("content-type", "application/grpc"), ("x-huge", &huge)]);
        rig.check(rpc, framed(rpc, head, reply::trailers("0", "")), Expect::Lost).await;
        // What came before the limit counts.
        rig.check(rpc, framed(rpc, reply::head(), reply::trailers("13", &huge)), SERVER).await;
        let late = reply::owned([("grpc-message", huge.as_str()), ("grpc-status", "13")]);
        rig.check(rpc, framed(rpc, reply::head(), Step::Trailers(late)), Expect::Lost).await;
    }
}

#[tokio::test]
async fn invalid_header_blocks_are_lost_responses() {
    let rig = Rig::start().await;
    let content_type: (&[u8], &[u8]) = (b"content-type", b"application/grpc");
    let status: (&[u8], &[u8]) = (b":status", b"200");
    let blocks: [&[(&[u8], &[u8])]; 6] = [
        &[content_type],
        &[(b":status", b"abc"), content_type],
        &[status, status, content_type],
        &[status, (b"Content-Type", b"application/grpc")],
        &[status, content_type, (b"x", b"a\0b")],
        &[content_type, status],
    ];
    for rpc in Rpc::ALL {
        for block in blocks {
            let answer = vec![Step::ReadRequest, frame::headers_step(block), Step::Reset(reply::NO_ERROR)];
            rig.check(rpc, answer, Expect::Lost).await;
        }
    }
}

#[tokio::test]
async fn success_without_a_message_is_a_protocol_error() {
    let rig = Rig::start().await;
    for rpc in Rpc::UNARY {
        rig.check(rpc, reply::trailers_only([("grpc-status", "0")]), PROTOCOL).await;
        rig.check(rpc, reply::body(""), PROTOCOL).await;
    }
    rig.check(Rpc::RangeStream, reply::trailers_only([("grpc-status", "0")]), Expect::Success).await;
}
