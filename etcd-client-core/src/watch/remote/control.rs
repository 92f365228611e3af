//! The requests that a handle makes to its watch.

use std::{fmt, sync::Arc, time::Duration};

use etcd_errors::{Error, ErrorKind};
use futures_core::future::BoxFuture;
use tokio::{sync::watch, time::timeout};

use crate::{
    transport::{
        call::channel::{Channel, ClientPart},
        check_runtime,
        grpc::timeout::seconds,
    },
    types::Revision,
    watch::{
        WatchControl, WatchCounters, WatchStatus,
        remote::{commands::Command, shared::Shared, side_requests::current_revision},
    },
};

/// The delay before a progress request is repeated. A member that cannot answer yet drops the request without a
/// response.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// The maximum of that delay.
const ASK_AGAIN_AT_MOST: Duration = Duration::from_secs(1);

/// A handle's connection to its watch.
pub(crate) struct Control {
    pub(crate) shared: Arc<Shared>,
    /// Keeps the client open: the stream task holds only a weak reference to it.
    pub(crate) channel: Channel,
    pub(crate) timeout: Option<Duration>,
    pub(crate) _client: Option<ClientPart>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("range", &self.shared.spec.range)
            .field("status", &*self.shared.status().borrow())
            .field("next", &self.shared.next())
            .finish_non_exhaustive()
    }
}

impl WatchControl for Control {
    fn progress(&self) -> BoxFuture<'static, Result<Revision, Error>> {
        let (shared, channel, limit) = (Arc::clone(&self.shared), self.channel.clone(), self.timeout);
        Box::pin(async move {
            check_runtime().map_err(|error| error.with_operation("watch progress"))?;
            let asked = ask(&shared, &channel);
            let answer = match limit {
                Some(limit) => timeout(limit, asked).await.unwrap_or_else(|_elapsed| Err(late(limit))),
                None => asked.await,
            };
            answer.map_err(|error| error.with_operation("watch progress"))
        })
    }

    fn status(&self) -> watch::Receiver<WatchStatus> {
        self.shared.status()
    }

    fn counters(&self) -> WatchCounters {
        self.shared.counters.read()
    }
}

/// Requests progress until there is an answer. A member does not answer while any watch of the stream starts later
/// than the end of its store, which is the case for every watch resumed on an idle store. A linearizable read then
/// shows that no events are outstanding.
async fn ask(shared: &Shared, channel: &Channel) -> Result<Revision, Error> {
    let mut wait = ASK_AGAIN;
    loop {
        // Registered before the request is sent, so that the answer cannot arrive before its waiter.
        let answer = shared.ask();
        shared.send(Command::AskProgress(shared.ticket));
        if let Ok(Ok(answer)) = timeout(wait, answer).await {
            return answer;
        }
        wait = (wait * 2).min(ASK_AGAIN_AT_MOST);
        // `next` is read after the revision: everything up to it has then been delivered to the handle.
        if let Ok(revision) = current_revision(channel, &shared.spec.range).await
            && shared.next() > revision
        {
            return Ok(Revision::new(revision));
        }
    }
}

fn late(limit: Duration) -> Error {
    let text = format!("no member reported the progress of the watch within {}", seconds(limit));
    Error::new(ErrorKind::Timeout, text)
}
