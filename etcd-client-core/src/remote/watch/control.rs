//! What a handle asks of its watch.

use std::{fmt, sync::Arc, time::Duration};

use etcd_errors::{Error, ErrorKind};
use futures_core::future::BoxFuture;
use tokio::{sync::watch, time::timeout};

use super::{inbox::Command, jobs::current_revision, shared::Shared};
use crate::{
    model::Revision,
    remote::ClientPart,
    service::{WatchControl, WatchCounters, WatchStatus},
    transport::{
        call::seconds,
        channel::{Channel, check_runtime},
    },
};

/// The wait for an answer before it is asked again: a member that cannot answer yet is silent, and forgets that it was asked.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// The longest such wait.
const ASK_AGAIN_AT_MOST: Duration = Duration::from_secs(1);

/// A handle's way to its watch.
pub(super) struct Control {
    pub(super) shared: Arc<Shared>,
    /// Keeps the client open: the task of the stream knows it only weakly.
    pub(super) channel: Channel,
    pub(super) timeout: Option<Duration>,
    pub(super) _client: Option<ClientPart>,
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

/// Asks again and again. A member says nothing while a watch of the stream begins later than its store ends, as each one does
/// that was resumed on an idle store: then a read shows that there is nothing to wait for.
async fn ask(shared: &Shared, channel: &Channel) -> Result<Revision, Error> {
    let mut wait = ASK_AGAIN;
    loop {
        let answer = shared.ask();
        shared.tell(Command::AskProgress(shared.ticket));
        if let Ok(Ok(answer)) = timeout(wait, answer).await {
            return answer;
        }
        wait = (wait * 2).min(ASK_AGAIN_AT_MOST);
        if let Ok(revision) = current_revision(channel, &shared.spec.range).await
            && shared.next() > revision
        {
            return Ok(Revision::new(revision));
        }
    }
}

fn late(limit: Duration) -> Error {
    let text = format!("no member said within {} how far the watch is", seconds(limit));
    Error::new(ErrorKind::Timeout, text)
}
