//! The watches of a run: each stays for all of it, and between them they use every option.

use std::time::Duration;

use etcd_client_core::{
    Client, Error,
    watch::{Backpressure, WatchStream},
};
use etcd_testkit::history::{Keys, Rev, WatchRequest};

use crate::writers::{PREFIX, key};

/// How one watch is made and read.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) request: WatchRequest,
    /// Asks for the notice of its creation, which tells the revision that it begins after.
    pub(super) created_notify: bool,
    pub(super) progress_notify: bool,
    /// Asks for progress itself, so often.
    pub(super) asks: Option<Duration>,
    /// Reads nothing for so long, again and again, with a small buffer.
    pub(super) pauses: Option<Duration>,
}

/// Small enough to be full within a pause.
const SMALL: usize = 8 << 10;

impl Spec {
    fn new(keys: Keys) -> Self {
        let request = WatchRequest::new(keys);
        Self { request, created_notify: false, progress_notify: false, asks: None, pauses: None }
    }

    fn with(mut self, change: impl FnOnce(&mut WatchRequest)) -> Self {
        change(&mut self.request);
        self
    }

    /// The watches of a run.
    pub(super) fn all() -> Vec<Self> {
        let prefix = || Self::new(Keys::prefix(PREFIX));
        let full = prefix().with(|request| request.prev_kv = true);
        vec![
            Self { created_notify: true, progress_notify: true, ..full.clone() },
            Self { asks: Some(Duration::from_millis(700)), ..full.clone() },
            full.clone().with(|request| request.from = Some(Rev(2))),
            Self {
                progress_notify: true,
                ..Self::new(Keys::one(key(0))).with(|request| request.prev_kv = true)
            },
            Self { created_notify: true, ..Self::new(Keys::between(key(2), key(6))) },
            Self { progress_notify: true, ..prefix().with(|request| request.no_put = true) },
            prefix().with(|request| request.no_delete = true),
            Self { pauses: Some(Duration::from_secs(3)), progress_notify: true, ..full },
            Self {
                created_notify: true,
                progress_notify: true,
                ..prefix().with(|request| request.resync = true)
            },
        ]
    }

    /// A watch that comes and goes.
    pub(super) fn visitor(from: Option<Rev>) -> Self {
        Self { progress_notify: true, ..Self::new(Keys::prefix(PREFIX)) }.with(|request| {
            request.from = from;
            request.prev_kv = true;
        })
    }

    pub(super) async fn create(&self, client: &Client) -> Result<WatchStream, Error> {
        let WatchRequest { keys, from, prev_kv, no_put, no_delete, resync, .. } = &self.request;
        let mut watch = client.watch(keys.key.clone());
        if let Some(end) = &keys.end {
            watch = watch.range_end(end.clone());
        }
        if let Some(Rev(from)) = from {
            watch = watch.start_revision(*from);
        }
        let spec = &mut watch;
        (spec.prev_kv, spec.no_put, spec.no_delete, spec.resync) = (*prev_kv, *no_put, *no_delete, *resync);
        (spec.created_notify, spec.progress_notify) = (self.created_notify, self.progress_notify);
        if self.pauses.is_some() {
            (spec.buffer_bytes, spec.backpressure) = (SMALL, Backpressure::Pause);
        }
        watch.await
    }
}
