//! What old, broken and hostile members say.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use etcd_client_core::{Code, Error, ErrorKind, error::GrpcCode, request::Limits, watch::WatchStream};
use etcd_proto::etcdserverpb::{self as pb, watch_request::RequestUnion};

use super::{
    fake::{Fake, Said, canceled, created, denied, header, progress, puts},
    rig::{end, events},
};
use crate::servers::PATIENCE;

const DENIAL: &str = "rpc error: code = PermissionDenied desc = etcdserver: permission denied";

async fn revisions(watch: &mut WatchStream, count: usize) -> Vec<i64> {
    events(watch, count).await.iter().map(|event| event.revision().get()).collect()
}

/// Answers each creation with its number, and what `then` says after it.
fn creating(
    revision: i64,
    then: impl Fn(usize, i64) -> Vec<Said> + Send + Sync + 'static,
) -> impl Fn(usize, RequestUnion) -> Vec<Said> + Send + Sync + 'static {
    move |stream, request| match request {
        RequestUnion::CreateRequest(create)
            if create.key.as_ref() > create.range_end.as_ref() && !create.range_end.is_empty() =>
        {
            vec![denied("mvcc: watcher range is empty")]
        }
        RequestUnion::CreateRequest(create) => {
            let id = create.watch_id;
            let mut said = vec![created(id, revision)];
            said.extend(then(stream, id));
            said
        }
        RequestUnion::CancelRequest(cancel) => vec![canceled(cancel.watch_id)],
        RequestUnion::ProgressRequest(_) => vec![progress(-1, 500)],
    }
}

#[tokio::test]
async fn repeated_and_older_events_are_dropped() {
    let script = creating(10, |stream, id| match stream {
        0 => vec![
            puts(id, &[9, 10, 11], false),
            puts(id, &[11, 12], false),
            puts(id, &[5], false),
            Said::Reset,
        ],
        _ => vec![puts(id, &[12, 13], false), puts(77, &[14], false)],
    });
    let fake = Fake::start("3.5.0", 10, script).await;
    let client = fake.client();
    let mut watch = client.watch("k").await.expect("watch");
    assert_eq!(revisions(&mut watch, 3).await, [11, 12, 13]);
    assert_eq!(fake.starts(1), [13]);
    let counters = watch.counters();
    assert_eq!((counters.resumed, counters.repeated), (1, 5), "{counters:?}");
}

/// A proxy that balances calls may send a watch to a learner although the check of its connection met a voter.
#[tokio::test]
async fn watch_on_a_learner_is_retried() {
    let script = creating(10, |stream, id| match stream {
        1 => vec![puts(id, &[11], false), Said::Learner],
        _ => vec![puts(id, &[12], false)],
    });
    let script =
        move |stream, request| if stream == 0 { vec![Said::Learner] } else { script(stream, request) };
    let fake = Fake::start("3.5.0", 10, script).await;
    let client = fake.client();
    let mut watch = client.watch("k").timeout(PATIENCE).await.expect("the second stream meets a voter");
    assert_eq!(revisions(&mut watch, 2).await, [11, 12]);
    assert_eq!((fake.starts(2), watch.counters().resumed), (vec![12], 1));
}

#[tokio::test]
async fn watch_error_names_the_learners() {
    let fake = Fake::start("3.5.0", 10, |_, _| vec![Said::Learner]).await;
    let client = fake.client();
    client.wait_ready(PATIENCE).await.expect("the check of its connection meets a voter");
    let error = client.watch("k").timeout(Duration::from_secs(2)).await.expect_err("no voter");
    let report = error.report().to_string();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{report}");
    assert!(error.message().contains("rpc not supported for learner"), "{report}");
    assert!(error.attempts().iter().any(|attempt| attempt.sent()), "{report}");
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<Error>());
    assert_eq!(cause.and_then(Error::code), Some(Code::NotSupportedForLearner), "{report}");
}

#[tokio::test]
async fn fragmented_revision_is_delivered_whole_and_once() {
    for cut in 0..3 {
        let script = creating(10, move |stream, id| {
            let pieces = [puts(id, &[11, 12], true), puts(id, &[12, 13], true), puts(id, &[13], false)];
            let mut said: Vec<Said> = pieces.into_iter().take(if stream == 0 { cut } else { 3 }).collect();
            if stream == 0 {
                said.push(Said::Reset);
            }
            said
        });
        let fake = Fake::start("3.5.0", 10, script).await;
        let client = fake.client();
        let mut watch = client.watch("k").await.expect("watch");
        assert_eq!(revisions(&mut watch, 5).await, [11, 12, 12, 13, 13], "cut after {cut}");
        assert_eq!(fake.starts(1), [[11, 12, 13][cut]], "cut after {cut}");
        assert_eq!(watch.counters().resumed, 1);
    }
}

#[tokio::test]
async fn denial_ends_one_watch_only() {
    let ids = AtomicI64::new(0);
    let script = move |_, request| match request {
        RequestUnion::CreateRequest(create) if create.key == "denied" => vec![denied(DENIAL)],
        RequestUnion::CreateRequest(_) => {
            let id = ids.fetch_add(1, Ordering::SeqCst);
            vec![created(id, 10), puts(id, &[11], false)]
        }
        _ => Vec::new(),
    };
    let fake = Fake::start("3.5.0", 10, script).await;
    let client = fake.client();
    let (one, denied, other) = tokio::join!(
        client.watch("k").into_future(),
        client.watch("denied").into_future(),
        client.watch("k").into_future()
    );
    let error = denied.expect_err("denied");
    assert_eq!((error.code(), error.kind()), (Some(Code::PermissionDenied), ErrorKind::Server));
    for watch in [one, other] {
        assert_eq!(revisions(&mut watch.expect("watch"), 1).await, [11]);
    }
}

#[tokio::test]
async fn early_progress_of_an_old_member_is_ignored() {
    let script = creating(10, |stream, id| match stream {
        0 => vec![progress(-1, 500)],
        _ => vec![puts(id, &[20], false)],
    });
    let script = move |stream, request| {
        let asked = matches!(request, RequestUnion::ProgressRequest(_));
        let mut said = script(stream, request);
        if asked {
            said.push(Said::Reset);
        }
        said
    };
    let fake = Fake::start("3.4.23", 600, script).await;
    let client = fake.client();
    let mut watch = client.watch("k").await.expect("watch");
    let error = watch.progress().await.expect_err("too old");
    assert!(matches!(error.kind(), ErrorKind::Unsupported), "{}", error.report());
    // Its creation is not read twice: end it from here.
    client.close().await;
    assert_eq!(end(&mut watch).await.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn stream_of_another_cluster_is_detected() {
    let foreign = |revision| {
        let header = header(revision).map(|header| pb::ResponseHeader { cluster_id: 99, ..header });
        Said::Message(pb::WatchResponse { header, watch_id: 0, created: true, ..Default::default() })
    };
    let script =
        move |stream, _| if stream == 0 { vec![created(0, 10), Said::Reset] } else { vec![foreign(10)] };
    let fake = Fake::start("3.5.0", 10, script).await;
    let client = fake.client();
    let mut watch = client.watch("k").await.expect("watch");
    assert_eq!(end(&mut watch).await.kind(), ErrorKind::WrongCluster);
}

#[tokio::test]
async fn lost_history_is_distinguished_from_a_lagging_member() {
    for (store, lost) in [(5, true), (50, false)] {
        let script = creating(10, |stream, id| match stream {
            0 => vec![puts(id, &[40], false), Said::Reset],
            _ => vec![puts(id, &[51], false)],
        });
        // The second creation shows revision 10, and the watch has seen 40.
        let fake = Fake::start("3.5.0", store, script).await;
        let client = fake.client();
        let mut watch = client.watch("k").start_revision(8).await.expect("watch");
        assert_eq!(revisions(&mut watch, 2).await, [40, 51]);
        if lost {
            assert_eq!(end(&mut watch).await.kind(), ErrorKind::RevisionRegressed);
        } else {
            client.get("k").await.expect("get");
            assert!(matches!(watch.status(), etcd_client_core::watch::WatchStatus::Connected { .. }));
        }
    }
}

#[tokio::test]
async fn impossible_events_end_one_watch() {
    let nonsense = |id, kind| {
        let kv = etcd_proto::mvccpb::KeyValue { key: "k".into(), mod_revision: 11, ..Default::default() };
        let event = etcd_proto::mvccpb::Event { r#type: kind, kv: Some(kv), prev_kv: None };
        Said::Message(pb::WatchResponse {
            header: header(11),
            watch_id: id,
            events: vec![event],
            ..Default::default()
        })
    };
    let created = AtomicI64::new(0);
    let script = creating(10, move |_, id| match created.fetch_add(1, Ordering::SeqCst) {
        0 => vec![nonsense(id, 9)],
        1 => vec![nonsense(id, 1)],
        _ => vec![puts(id, &[11], false)],
    });
    let fake = Fake::start("3.5.0", 10, script).await;
    let client = fake.client();
    let mut unknown = client.watch("k").await.expect("watch");
    let mut filtered = client.watch("k").no_delete().await.expect("watch");
    let mut good = client.watch("k").await.expect("watch");
    assert_eq!(end(&mut unknown).await.kind(), ErrorKind::Protocol);
    assert_eq!(end(&mut filtered).await.kind(), ErrorKind::Protocol);
    assert_eq!(revisions(&mut good, 1).await, [11]);
}

#[tokio::test]
async fn message_too_large_on_every_member_ends_the_watch() {
    let many: Vec<i64> = (11..2_000).collect();
    let script = creating(10, move |_, id| vec![puts(id, &many, false)]);
    let fake = Fake::start("3.5.0", 10, script).await;
    let client = fake.builder().limits(Limits::default().max_receive_bytes(10_000)).build().expect("valid");
    let mut watch = client.watch("k").await.expect("watch");
    let error = end(&mut watch).await;
    assert_eq!(error.grpc_code(), Some(GrpcCode::ResourceExhausted), "{}", error.report());
    assert_eq!(fake.starts(1), [11], "it was tried once more");
}

/// As etcd's gRPC proxy does: it numbers watches itself, and cancels one without saying why.
fn cancelling(times: usize) -> impl Fn(usize, RequestUnion) -> Vec<Said> + Send + Sync + 'static {
    let creations = AtomicI64::new(0);
    move |_, request| match request {
        RequestUnion::CreateRequest(create)
            if create.key.as_ref() > create.range_end.as_ref() && !create.range_end.is_empty() =>
        {
            vec![denied("mvcc: watcher range is empty")]
        }
        RequestUnion::CreateRequest(_) => {
            let id = creations.fetch_add(1, Ordering::SeqCst);
            let mut said = vec![created(id, 10)];
            match usize::try_from(id) {
                Ok(before) if before < times => said.push(canceled(id)),
                _ => said.push(puts(id, &[11, 12], false)),
            }
            said
        }
        RequestUnion::CancelRequest(cancel) => vec![canceled(cancel.watch_id)],
        RequestUnion::ProgressRequest(_) => Vec::new(),
    }
}

#[tokio::test]
async fn watch_cancelled_by_a_proxy_is_re_created_once() {
    let fake = Fake::start("3.5.0", 10, cancelling(1)).await;
    let client = fake.client();
    let mut watch = client.watch("k").await.expect("watch");
    assert_eq!(revisions(&mut watch, 2).await, [11, 12]);
    let creations: usize = (0..4).map(|stream| fake.starts(stream).len()).sum();
    assert_eq!(creations, 2, "it was created twice");

    let fake = Fake::start("3.5.0", 10, cancelling(usize::MAX)).await;
    let client = fake.client();
    let error = match client.watch("k").await {
        Ok(mut watch) => end(&mut watch).await,
        Err(error) => error,
    };
    assert_eq!(error.code(), Some(Code::WatchCanceled), "{}", error.report());
}
