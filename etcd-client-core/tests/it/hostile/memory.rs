//! Memory grows with what arrives, never with what a length claims.

use etcd_client_core::{Client, ErrorKind, error::GrpcCode, request::Limits};
use etcd_testkit::scripted::{Step, frame, in_turn, reply};

use super::rig::{DEADLINE, Expect, Rig, Rpc};

/// Far above what a few calls need, far below what is claimed.
const MOST: u64 = 16 << 20;

#[test]
fn a_claimed_length_takes_no_memory() {
    // One thread: what it allocates is counted, the server's part included.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let used = allocation_counter::measure(|| {
        runtime.block_on(async {
            let rig = Rig::start().await;
            for rpc in Rpc::ALL {
                for claim in [i32::MAX as u32, u32::MAX] {
                    let few = frame::claimed(0, claim, b"few");
                    rig.check(rpc, reply::body(few), Expect::Error(ErrorKind::Protocol)).await;
                    let pieces =
                        [&[0][..], &claim.to_be_bytes(), b"few"].map(|part| Step::Data(part.to_vec().into()));
                    let steps = [Step::ReadRequest, reply::head()].into_iter().chain(pieces);
                    let steps = steps.chain([reply::trailers("0", "")]).collect();
                    rig.check(rpc, steps, Expect::Error(ErrorKind::Protocol)).await;
                }
            }
        });
    });
    assert!(used.bytes_max < MOST, "{} bytes at a time", used.bytes_max);
}

#[tokio::test]
async fn a_message_over_the_limit_is_rejected_by_its_length() {
    let rig = Rig::start().await;
    let limits = Limits::default().max_receive_bytes(1_000);
    let builder = Client::builder([rig.server.endpoint()]).timeout(DEADLINE);
    let client = builder.limits(limits).build().expect("built");
    for rpc in Rpc::ALL {
        rig.server.play(in_turn([reply::message(vec![0; 1_001])]));
        let error = rpc.call(&client).await.expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{}", error.report());
        assert_eq!(error.grpc_code(), Some(GrpcCode::ResourceExhausted), "{}", error.report());
        assert!(error.message().contains("1001") && error.message().contains("max_receive_bytes"), "{error}");
        rig.assert_named(&error);
        rig.server.play(in_turn([reply::message(rpc.right())]));
        rpc.call(&client).await.expect("the next call");
    }
}
