//! The Watch service of the model.

use async_trait::async_trait;
use etcd_client_core::{
    CallOptions, Error, ErrorKind, Event, Watch,
    watch::{WatchResponse, WatchService, WatchStream},
};
use tokio::{sync::mpsc, time::sleep};

use super::{HALF_TRIP, Inner, Model, mvcc::contains};

/// A watch on the server's side.
#[derive(Debug)]
pub(super) struct Watcher {
    spec: Watch,
    batches: mpsc::UnboundedSender<Result<Vec<Event>, Error>>,
}

impl Watcher {
    fn wants(&self, event: &Event) -> bool {
        contains(&self.spec.range, &event.kv.key)
            && if event.is_delete() { !self.spec.no_delete } else { !self.spec.no_put }
    }
}

impl Inner {
    pub(super) fn tell(&mut self, events: &[Event]) {
        let mut woken = 0;
        self.watchers.retain(|watcher| {
            let wanted: Vec<Event> = events
                .iter()
                .filter(|event| event.revision() >= watcher.spec.start_revision && watcher.wants(event))
                .cloned()
                .collect();
            if wanted.is_empty() {
                return !watcher.batches.is_closed();
            }
            let departure = wanted.iter().any(Event::is_delete);
            let delivered = watcher.batches.send(Ok(wanted)).is_ok();
            woken += usize::from(delivered && departure);
            delivered
        });
        self.most_woken = self.most_woken.max(woken);
    }
}

impl Model {
    /// Sends events without a change: repeated, late or foreign ones.
    pub(crate) fn send_spurious(&self, event: &Event) {
        let inner = self.inner();
        for watcher in &inner.watchers {
            let _ = watcher.batches.send(Ok(vec![event.clone()]));
        }
    }

    /// Ends all watches with an error, as a client does that cannot resume them.
    pub(crate) fn break_watches(&self, error: impl Into<Error>) {
        let error = error.into();
        for watcher in self.inner().watchers.drain(..) {
            let _ = watcher.batches.send(Err(error.clone()));
        }
    }

    /// Returns the number of watches on a key, or on a range that contains it.
    pub(crate) fn watches_on(&self, key: &str) -> usize {
        let mut inner = self.inner();
        inner.watchers.retain(|watcher| !watcher.batches.is_closed());
        inner.watchers.iter().filter(|watcher| contains(&watcher.spec.range, key.as_bytes())).count()
    }

    async fn run(
        self,
        mut events: mpsc::UnboundedReceiver<Result<Vec<Event>, Error>>,
        sender: etcd_client_core::watch::WatchSender,
    ) {
        loop {
            tokio::select! {
                batch = events.recv() => match batch {
                    Some(Ok(events)) => {
                        sleep(HALF_TRIP).await;
                        let header = self.inner().mvcc.header();
                        sender.send(WatchResponse::events(header, events)).await;
                    }
                    Some(Err(error)) => return sender.fail(error).await,
                    None => return,
                },
                () = sender.closed() => {
                    self.inner().counts.cancels += 1;
                    return;
                }
            }
        }
    }
}

#[async_trait]
impl WatchService for Model {
    async fn watch(&self, op: Watch, _options: CallOptions) -> Result<WatchStream, Error> {
        self.inner().counts.creates += 1;
        let before = self.inner().faults.before_watch.pop_front();
        if let Some(act) = before {
            act(self);
        }
        sleep(HALF_TRIP).await;
        if self.inner().faults.outage {
            sleep(std::time::Duration::from_secs(5)).await;
            return Err(Error::new(ErrorKind::Timeout, "no member created the watch"));
        }
        let mut spec = op;
        let (batches, events) = mpsc::unbounded_channel();
        let (sender, handle) = WatchStream::channel(1_024);
        {
            let mut inner = self.inner();
            if spec.start_revision == 0 {
                spec.start_revision = (inner.mvcc.revision() + 1).into();
            }
            let past = inner.mvcc.events_from(spec.start_revision.get())?;
            let watcher = Watcher { spec, batches };
            let wanted: Vec<Event> = past.into_iter().filter(|event| watcher.wants(event)).collect();
            if !wanted.is_empty() {
                let _ = watcher.batches.send(Ok(wanted));
            }
            inner.watchers.push(watcher);
        }
        tokio::spawn(self.clone().run(events, sender));
        sleep(HALF_TRIP).await;
        Ok(handle)
    }
}
