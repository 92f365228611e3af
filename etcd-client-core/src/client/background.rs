//! The background work of a client: syncing the endpoints, and checking the members' versions.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    client::{endpoints::Endpoints, least_version::LeastVersion},
    transport::call::channel::Channel,
};

/// The background work of a client. It ends with the last clone of the client.
#[derive(Debug)]
pub(crate) struct Background {
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) least_version: Option<LeastVersion>,
    _syncing: Option<DropGuard>,
}

impl Background {
    /// Starts the periodic sync if an interval is set.
    pub(crate) fn start(
        channel: Channel,
        auto_sync: Option<Duration>,
        least_version: Option<LeastVersion>,
    ) -> Self {
        let endpoints = Arc::new(Endpoints::new(channel));
        let syncing = auto_sync.map(|every| {
            let client_gone = CancellationToken::new();
            let task = follow(Arc::clone(&endpoints), every, client_gone.clone());
            drop(endpoints.channel().pool().spawn(task));
            client_gone.drop_guard()
        });
        Self { endpoints, least_version, _syncing: syncing }
    }

    pub(crate) fn none(channel: Channel) -> Self {
        Self::start(channel, None, None)
    }
}

/// Syncs immediately and then after each interval, also after an error, until the client is closed or dropped.
async fn follow(endpoints: Arc<Endpoints>, every: Duration, client_gone: CancellationToken) {
    let following = async {
        loop {
            if let Err(error) = endpoints.sync().await {
                tracing::warn!(%error, "cannot list the members; keeping the current endpoints");
            }
            sleep(jittered(every, fastrand::f64())).await;
        }
    };
    tokio::select! {
        () = client_gone.cancelled() => {}
        () = endpoints.channel().pool().shutdown() => {}
        () = following => {}
    }
}

/// Varies an interval by up to 10 %, so that clients started together spread their requests. `random` is from 0 to 1.
fn jittered(every: Duration, random: f64) -> Duration {
    Duration::try_from_secs_f64(every.as_secs_f64() * (0.9 + 0.2 * random)).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_at_most_a_tenth() {
        let every = Duration::from_secs(100);
        assert_eq!([0.0, 0.5, 1.0].map(|random| jittered(every, random).as_secs()), [90, 100, 110]);
    }

    #[test]
    fn jitter_does_not_overflow() {
        assert_eq!(jittered(Duration::MAX, 1.0), Duration::MAX);
        assert!(jittered(Duration::MAX, 0.0) > Duration::MAX / 2);
    }
}
