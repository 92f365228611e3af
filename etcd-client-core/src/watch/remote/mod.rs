//! Watches of a real cluster: many share a stream, and they move from member to member.
//!
//! A [`Hub`] chooses the stream task for a watch. A [`StreamTask`](stream_task::StreamTask) owns one stream and the state of its
//! watches. A handle and its stream task share a [`Shared`]. The state machine in `watch/state/` interprets the
//! messages.

pub(crate) mod actions;
pub(crate) mod commands;
pub(crate) mod key_index;
pub(crate) mod side_requests;
pub(crate) mod stream_task;
pub(crate) mod subscription;

pub(crate) mod buffer;
pub(crate) mod control;
pub(crate) mod hub;
pub(crate) mod resync;
pub(crate) mod shared;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use etcd_errors::{Error, ErrorKind, ErrorTopic};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use crate::{
    request::CallOptions,
    transport::{
        call::channel::{Channel, ClientPart},
        caller::Caller,
        check_runtime,
        grpc::{
            method::{Method, with_operation},
            timeout::seconds,
        },
    },
    watch::{
        Watch, WatchService, WatchStream,
        remote::{
            control::Control,
            hub::Hub,
            shared::{Reader, Shared},
        },
    },
};

/// The Watch service of a cluster.
///
/// It is not available on a client over a caller-supplied service: such a service takes one request per call, and a
/// watch sends many.
#[derive(Clone)]
pub(crate) struct RemoteWatch {
    caller: Caller,
    hub: Arc<Hub>,
    client: Option<ClientPart>,
}

impl RemoteWatch {
    pub(crate) fn new(caller: Caller) -> Self {
        let hub = Hub::new(caller.channel());
        Self { caller, hub, client: None }
    }

    /// Keeps a part of the client alive as long as this service, or one of its watches, exists.
    pub(crate) fn keeping(self, client: ClientPart) -> Self {
        Self { client: Some(client), ..self }
    }

    async fn create(&self, op: Watch, options: CallOptions) -> Result<WatchStream, Error> {
        op.validate()?;
        options.validate()?;
        check_runtime()?;
        let channel = self.caller.channel();
        channel.pool().check_alive()?;
        if let Caller::Service(_) = self.caller {
            let text =
                "watches need connections of the client's own: use a client that is not built on a service";
            return Err(Error::new(ErrorKind::Unsupported, text).with_topic(ErrorTopic::Service));
        }
        let (shared, created) = self.hub.start(channel, op, &options);
        // Dropping it with this future cancels the watch.
        let reader = Reader(Arc::clone(&shared));
        let limit = channel.timeout(&options);
        let created = match limit {
            Some(limit) => timeout(limit, created).await.map_err(|_elapsed| late(channel, &shared, limit))?,
            None => created.await,
        };
        created.unwrap_or_else(|_task_has_ended| Err(crate::transport::pool::closed()))?;
        let timeout = channel.timeout(&CallOptions::default());
        let control = Control { shared, channel: channel.clone(), timeout, _client: self.client.clone() };
        let control = Arc::new(control);
        Ok(WatchStream::new(reader.boxed(), control))
    }
}

impl fmt::Debug for RemoteWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteWatch").field("caller", &self.caller).finish_non_exhaustive()
    }
}

#[async_trait]
impl WatchService for RemoteWatch {
    async fn watch(&self, op: Watch, options: CallOptions) -> Result<WatchStream, Error> {
        with_operation(Method::Watch, self.create(op, options).await)
    }
}

/// Returns the error of a watch that was not created in time.
fn late(channel: &Channel, shared: &Shared, limit: Duration) -> Error {
    let pool = channel.pool();
    let last_error = shared.last_error();
    let error = if pool.has_ready_besides(&[]) {
        let text = format!("no member created the watch within {}", seconds(limit));
        match &last_error {
            // The last attempt may have failed for a more specific reason.
            Some(last_error) => Error::new(ErrorKind::Timeout, format!("{text}: {}", last_error.message()))
                .with_source(last_error.clone()),
            None => Error::new(ErrorKind::Timeout, text),
        }
    } else {
        pool.unready(limit)
    };
    let attempts = last_error.map(|error| error.attempts().to_vec());
    error.with_attempts(attempts.unwrap_or_else(|| pool.last_errors())).with_elapsed(limit)
}
