//! What can happen to a stream or its connection: resets, GOAWAY, the end at each stage, floods, silence.

use etcd_client_core::ErrorKind;
use etcd_testkit::scripted::{Answer, Last, Step, frame, in_turn, reply};
use futures_util::future::join_all;

use super::rig::{DEADLINE, Expect, Rig, Rpc};

/// The steps of a right answer, to be cut off after any of them.
fn right(rpc: Rpc) -> Answer {
    reply::message(rpc.right())
}

#[tokio::test]
async fn every_reset_except_rejected_stream_is_a_lost_response() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        for reason in (0..=13).chain([0xdead_beef]) {
            let refused = reason == reply::REFUSED_STREAM;
            let expect = if refused { Expect::NotProcessed } else { Expect::Lost };
            rig.check(rpc, reply::reset(reason), expect).await;
        }
    }
}

#[tokio::test]
async fn a_reset_at_each_stage_is_a_lost_answer() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        for stage in 0..3 {
            let mut steps = right(rpc);
            steps.truncate(stage);
            steps.push(Step::Reset(reply::INTERNAL_ERROR));
            rig.check(rpc, steps, Expect::Lost).await;
        }
    }
}

#[tokio::test]
async fn the_end_of_the_connection_at_each_stage_is_a_lost_answer() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        for stage in 0..=3 {
            let mut steps = right(rpc);
            steps.truncate(stage);
            steps.push(Step::Close);
            rig.check(rpc, steps, Expect::Lost).await;
        }
    }
}

#[tokio::test]
async fn a_goaway_below_the_stream_means_not_processed() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        for reason in [reply::NO_ERROR, reply::ENHANCE_YOUR_CALM] {
            rig.check(rpc, reply::go_away(Last::Below, reason), Expect::NotProcessed).await;
        }
        let unread = vec![Step::GoAway { last: Last::Below, reason: 0 }];
        rig.check(rpc, unread, Expect::NotProcessed).await;
    }
}

#[tokio::test]
async fn a_goaway_above_the_stream_lets_its_answer_come() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        for last in [Last::This, Last::Max] {
            let mut steps = right(rpc);
            steps.insert(1, Step::GoAway { last, reason: reply::NO_ERROR });
            rig.check(rpc, steps, Expect::Success).await;

            let closed = vec![Step::ReadRequest, Step::GoAway { last, reason: reply::NO_ERROR }, Step::Close];
            rig.check(rpc, closed, Expect::Lost).await;
        }
    }
}

/// A right answer after this many empty DATA frames.
fn after_empty_frames(rpc: Rpc, count: usize) -> Answer {
    let right = [Step::Data(frame::message(rpc.right())), reply::trailers("0", "")];
    let flood = std::iter::repeat_n(Step::Data("".into()), count);
    [Step::ReadRequest, reply::head()].into_iter().chain(flood).chain(right).collect()
}

#[tokio::test]
async fn a_few_empty_data_frames_are_skipped_and_a_flood_ends_the_connection() {
    let rig = Rig::start().await;
    for rpc in Rpc::ALL {
        rig.check(rpc, after_empty_frames(rpc, 20), Expect::Success).await;
        // h2 ends a connection after 100 of them.
        rig.check(rpc, after_empty_frames(rpc, 5_000), Expect::Lost).await;
    }
}

/// Checks that this answer, which has no end, ends at the deadline, and that the client works afterwards.
async fn ends_at_the_deadline(rpc: Rpc, steps: Answer) {
    let what = format!("{rpc:?}: {} steps", steps.len());
    let rig = Rig::start().await;
    rig.server.play(in_turn([steps]));
    let client = rig.client();
    let started = tokio::time::Instant::now();
    let error = rpc.call(&client).await.expect_err(&what);
    assert!(started.elapsed() < DEADLINE * 5, "{:?}", started.elapsed());
    assert_eq!(error.kind(), ErrorKind::Timeout, "{what}: {}", error.report());
    rig.assert_named(&error);
    rig.server.play(in_turn([right(rpc)]));
    rpc.call(&client).await.unwrap_or_else(|error| panic!("the next call: {what}: {}", error.report()));
    rig.server.wait_until(|counts| counts.open_calls == 0).await;
}

#[tokio::test]
async fn stall_at_each_stage_ends_at_the_deadline() {
    let stages = Rpc::ALL.into_iter().flat_map(|rpc| (0..=3).map(move |stage| (rpc, stage)));
    join_all(stages.map(|(rpc, stage)| ends_at_the_deadline(rpc, right(rpc)[..stage].to_vec()))).await;
}

#[tokio::test]
async fn endless_response_ends_at_the_deadline() {
    // One message that grows without end, for less than the largest that is read.
    let growing = [reply::head(), Step::Data(frame::claimed(0, i32::MAX as u32, b""))];
    let drip = (0..100).map(|_| Step::Data(vec![7; 100].into()));
    let steps: Answer = [Step::ReadRequest].into_iter().chain(growing).chain(drip).collect();
    join_all(Rpc::ALL.map(|rpc| ends_at_the_deadline(rpc, steps.clone()))).await;
}

#[tokio::test]
async fn busy_reader_meets_its_deadline() {
    let rig = Rig::start().await;
    let flood = Step::Repeat(vec![7; 100_000].into());
    let growing = Step::Data(frame::claimed(0, i32::MAX as u32, b""));
    rig.server.play(in_turn([vec![Step::ReadRequest, reply::head(), growing, flood]]));
    let client = rig.client();
    let error = client.get("k").timeout(std::time::Duration::from_millis(300)).await.expect_err("no end");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", error.report());
    rig.assert_named(&error);
    rig.server.wait_until(|counts| counts.open_calls == 0).await;
}

#[tokio::test]
async fn read_with_lost_responses_ends_at_its_deadline() {
    let rig = Rig::start().await;
    rig.server.play(in_turn([reply::reset(reply::CANCEL)]));
    let error = Rpc::Get.call(&rig.client()).await.expect_err("never answered");
    // The last try may be one that the deadline cuts off.
    assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout), "{}", error.report());
    rig.assert_named(&error);
    assert!(error.attempts().len() > 2, "{}", error.report());
    assert!(rig.server.received(Rpc::Get.path()) < 100, "the retries are spaced");
}
