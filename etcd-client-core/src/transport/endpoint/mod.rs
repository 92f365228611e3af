//! Endpoints: their state as users see it, their authority, and their discovery.

pub(crate) mod authority;
#[cfg(feature = "srv")]
pub(crate) mod discovery;
pub(crate) mod outage;
#[cfg(feature = "srv")]
pub(crate) mod srv;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use etcd_errors::{Attempt, ErrorTopic};
use futures_core::Stream;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    transport::{
        connect::described::topic,
        endpoint::outage::{Note, Outage, Step},
    },
    types::Endpoint,
};

/// The phase of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointPhase {
    /// A connection is being established: name lookup, TCP, TLS, HTTP/2 and a first PING.
    Connecting,
    /// Calls are sent to the endpoint.
    Ready,
    /// A PING was not answered in time. Calls go to other endpoints until it is answered.
    Suspect,
    /// The connection was lost or could not be established. The client tries again after a wait.
    Down,
    /// The member responds, but belongs to another cluster, or its history went backwards. No calls are sent to it.
    ///
    /// It is checked again after a wait, and used once it belongs to the known cluster. If the history of the cluster
    /// went backwards, all of its members are rejected until [`Client::accept_cluster`](crate::client::Client::accept_cluster)
    /// is called, even after the store has grown past the last known revision.
    Rejected,
}

impl EndpointPhase {
    /// Returns `true` if there is a connection.
    fn is_connected(self) -> bool {
        matches!(self, Self::Ready | Self::Suspect)
    }
}

/// The state of one endpoint.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointState {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The current phase.
    pub phase: EndpointPhase,
    /// The time since which the endpoint has been in this phase. While a member is unreachable,
    /// [`Connecting`](EndpointPhase::Connecting) and [`Down`](EndpointPhase::Down) alternate and count as one phase:
    /// its start is the time when the last connection was lost, or when the endpoint was added.
    pub since: std::time::Instant,
    /// The last error, or the limitation of a [`Ready`](EndpointPhase::Ready) endpoint. `None` if nothing is wrong.
    pub reason: Option<Arc<str>>,
}

/// A stream of the states of a client's endpoints. It yields the current states first, then all states after each
/// change.
///
/// A slow reader skips intermediate states, but always sees the last one. The stream does not keep the client alive;
/// it ends when the client is closed or dropped.
pub struct EndpointStates {
    changes: Pin<Box<dyn Stream<Item = Vec<EndpointState>> + Send>>,
}

impl EndpointStates {
    pub(crate) fn new(table: watch::Receiver<Table>, closed: CancellationToken) -> Self {
        let changes =
            futures_util::stream::unfold((table, closed, true), |(mut table, closed, first)| async move {
                if !first {
                    tokio::select! {
                        changed = table.changed() => changed.ok()?,
                        () = closed.cancelled() => return None,
                    }
                }
                let rows = table.borrow_and_update().rows();
                Some((rows, (table, closed, false)))
            });
        Self { changes: Box::pin(changes) }
    }

    /// Returns the states after the next change, or the current ones on the first call. Returns `None` once the client
    /// is closed.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::Client;
    ///
    /// # async fn example(client: Client) {
    /// let mut states = client.endpoint_states();
    /// while let Some(endpoints) = states.next().await {
    ///     for state in endpoints {
    ///         println!("{}: {:?}", state.endpoint, state.phase);
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Vec<EndpointState>> {
        std::future::poll_fn(|cx| self.changes.as_mut().poll_next(cx)).await
    }
}

impl std::fmt::Debug for EndpointStates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EndpointStates")
    }
}

impl Stream for EndpointStates {
    type Item = Vec<EndpointState>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.changes.as_mut().poll_next(cx)
    }
}

/// The states of all endpoints, by the ids of their members.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

/// The error of a failed connection attempt.
pub(crate) type Cause = Arc<dyn std::error::Error + Send + Sync>;

#[derive(Debug)]
struct Row {
    member: usize,
    state: EndpointState,
    /// The error behind the state's reason, if there is one.
    cause: Option<Cause>,
    outage: Outage,
}

impl Row {
    fn topic(&self) -> Option<ErrorTopic> {
        topic(&**self.cause.as_ref()?)
    }
}

impl Table {
    pub(crate) fn rows(&self) -> Vec<EndpointState> {
        self.0.iter().map(|row| row.state.clone()).collect()
    }

    pub(crate) fn add(&mut self, member: usize, endpoint: Endpoint) {
        let since = Instant::now().into_std();
        let reason = Some("not connected yet".into());
        let state = EndpointState { endpoint, phase: EndpointPhase::Connecting, since, reason };
        self.0.push(Row { member, state, cause: None, outage: Outage::default() });
    }

    pub(crate) fn remove(&mut self, member: usize) {
        self.0.retain(|row| row.member != member);
    }

    /// Returns how a change is to be logged.
    pub(crate) fn note(&mut self, member: usize, step: Step, now: u64) -> Note {
        let row = self.0.iter_mut().find(|row| row.member == member);
        row.map_or(Note::Quiet, |row| row.outage.step(step, now))
    }

    /// Returns `true` if nothing is wrong with any endpoint.
    pub(crate) fn all_ready(&self) -> bool {
        let ready = |row: &Row| row.state.phase == EndpointPhase::Ready && row.state.reason.is_none();
        !self.0.is_empty() && self.0.iter().all(ready)
    }

    /// Returns the reason of each endpoint why a call finds no connection. `connected` is the reason of a connected one.
    pub(crate) fn last_errors(&self, connected: &str) -> Vec<Attempt> {
        let explain = |row: &Row| {
            let reason = row.state.reason.as_deref().unwrap_or(connected);
            Attempt::new(row.state.endpoint.as_str(), reason).with_sent(false).with_topic(row.topic())
        };
        self.0.iter().map(explain).collect()
    }

    /// Returns the reason why no endpoint is ready, with the underlying error if there is one. `connected` is the reason
    /// of a connected endpoint.
    pub(crate) fn blame(&self, connected: &'static str) -> (String, Option<Cause>) {
        let reason = |row: &Row| row.state.reason.clone().unwrap_or_else(|| connected.into());
        // The error of an endpoint that was tried is more useful than the initial state of one that was not.
        let Some(worst) = self.0.iter().find(|row| row.cause.is_some()).or_else(|| self.0.first()) else {
            return ("no endpoints are configured".to_owned(), None);
        };
        let why = reason(worst);
        let others = self.0.iter().filter(|row| reason(row) != why).count();
        let phrase = match others {
            0 => why.to_string(),
            _ => format!("{}: {why}, and {others} more", worst.state.endpoint),
        };
        (phrase, worst.cause.clone())
    }

    /// Sets the phase. Returns `true` if anything changed. Without a new reason the last one is kept, except for
    /// `Ready`.
    pub(crate) fn set(
        &mut self,
        member: usize,
        phase: EndpointPhase,
        reason: Option<Arc<str>>,
        cause: Option<Cause>,
    ) -> bool {
        let Some(row) = self.0.iter_mut().find(|row| row.member == member) else { return false };
        if phase == EndpointPhase::Ready || reason.is_some() {
            row.cause = cause;
        }
        let state = &mut row.state;
        let reason = match (phase, reason) {
            (EndpointPhase::Ready, reason) => reason,
            (_, None) => state.reason.clone(),
            (_, reason) => reason,
        };
        if state.phase == phase && state.reason == reason {
            return false;
        }
        // `Connecting` and `Down` alternate while a member is unreachable, and `since` keeps the start of
        // the outage.
        if state.phase != phase && (state.phase.is_connected() || phase.is_connected()) {
            state.since = Instant::now().into_std();
        }
        state.phase = phase;
        state.reason = reason;
        true
    }
}
