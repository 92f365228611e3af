//! One member's witness.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use etcd_proto::{
    etcdserverpb::{WatchCreateRequest, WatchRequest, WatchResponse, watch_request::RequestUnion},
    mvccpb::{self, event::EventType},
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::{
    history::{Change, Edge, Event, LeaseId, Recorder, Rev, Value, key},
    rpc::{Answers, Rpc},
};

/// Between two attempts on a member that is down.
const PAUSE: Duration = Duration::from_millis(100);

/// The time limit for a member to create the watch.
const PATIENCE: Duration = Duration::from_secs(5);

/// Follows one member from the first revision on, through all its failures.
#[derive(Debug)]
pub(super) struct Follower {
    member: usize,
    endpoint: String,
    recorder: Recorder,
    reached: watch::Sender<Rev>,
}

impl Follower {
    pub(super) fn new(member: usize, endpoint: &str, recorder: Recorder) -> (Self, watch::Receiver<Rev>) {
        // An empty store is at revision 1, and the first write makes 2.
        let (reached, seen) = watch::channel(Rev(1));
        (Self { member, endpoint: endpoint.to_owned(), recorder, reached }, seen)
    }

    pub(super) async fn run(self) {
        loop {
            // It failed because the member is down: there is nothing else to do than to try again.
            let _ = self.follow().await;
            sleep(PAUSE).await;
        }
    }

    /// Until the stream ends.
    async fn follow(&self) -> anyhow::Result<()> {
        let mut answers = timeout(PATIENCE, self.open()).await.context("not created in time")??;
        while let Some(answer) = answers.next().await? {
            self.take(answer)?;
        }
        Ok(())
    }

    async fn open(&self) -> anyhow::Result<Answers<WatchResponse>> {
        let create = WatchCreateRequest {
            key: b"\0".as_slice().into(),
            range_end: b"\0".as_slice().into(),
            start_revision: self.reached.borrow().next().0,
            ..WatchCreateRequest::default()
        };
        let request = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
        Rpc::dial(&self.endpoint).await?.stream("Watch/Watch", &request).await
    }

    fn take(&self, answer: WatchResponse) -> anyhow::Result<()> {
        if answer.compact_revision > 0 {
            self.skip(Rev(answer.compact_revision));
        }
        ensure!(!answer.canceled, "cancelled: {}", answer.cancel_reason);
        let events: Vec<Event> = answer.events.into_iter().filter_map(event).collect();
        if let Some(last) = events.last().map(|event| event.revision) {
            self.recorder.record(Edge::Witness { member: self.member, events });
            self.reached.send_if_modified(|reached| {
                let further = last > *reached;
                *reached = last.max(*reached);
                further
            });
        }
        Ok(())
    }

    /// Continues after the compacted revisions.
    fn skip(&self, to: Rev) {
        let from = self.reached.borrow().next();
        if from <= to {
            self.recorder.record(Edge::WitnessGap { member: self.member, from, to });
            self.reached.send_replace(to);
        }
    }
}

/// An event as a history writes it.
fn event(event: mvccpb::Event) -> Option<Event> {
    let change = match event.r#type() {
        EventType::Put => Change::Put,
        EventType::Delete => Change::Delete,
    };
    let kv = event.kv?;
    Some(Event {
        revision: Rev(kv.mod_revision),
        change,
        key: key(&kv.key),
        value: Value::of(&kv.value),
        is_create: change == Change::Put && kv.create_revision == kv.mod_revision,
        lease: (kv.lease != 0).then_some(LeaseId(kv.lease)),
        prev: None,
    })
}
