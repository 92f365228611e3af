//! How each endpoint stands, as a user sees it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    mechanism::outage::{Note, Outage, Step},
    model::Endpoint,
};

/// How an endpoint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointPhase {
    /// A connection is being made: name lookup, TCP, TLS, HTTP/2 and a first PING.
    Connecting,
    /// Calls go here.
    Ready,
    /// A PING was not answered in time: calls go elsewhere until it is.
    Suspect,
    /// The connection ended or could not be made; another attempt follows after a wait.
    Down,
    /// The member answers, and belongs to another cluster, or its history went backwards: nothing is sent to it. It is checked again
    /// after a wait, and used once it belongs to the known cluster. A cluster whose history went backwards is refused, on all of its
    /// members, until [`Client::accept_cluster`](crate::Client::accept_cluster) is called, however far its store has grown by then.
    Refused,
}

impl EndpointPhase {
    /// Whether there is a connection.
    fn is_connected(self) -> bool {
        matches!(self, Self::Ready | Self::Suspect)
    }
}

/// One endpoint, how it stands, since when, and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointState {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// How it stands.
    pub phase: EndpointPhase,
    /// Since when. [`Connecting`](EndpointPhase::Connecting) and [`Down`](EndpointPhase::Down) take turns while a member cannot be
    /// reached and count as one: this is then when its last connection ended, or when the endpoint was added.
    pub since: std::time::Instant,
    /// What went wrong last, or what a [`Ready`](EndpointPhase::Ready) endpoint is not good for; `None` when nothing is wrong.
    pub reason: Option<Arc<str>>,
}

/// The states of all endpoints of a client, as a stream: the present ones first, then again after each change.
///
/// Who reads slowly misses what lay between, never the last. It ends when the client is closed or dropped: it only observes, so it
/// does not keep the client alive.
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

    /// The states after the next change; at first the present ones. `None` once the client is closed.
    ///
    /// Cancel safe.
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

/// What the pool knows of each endpoint, by its member's id.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

/// Why a connection could not be made, as an error.
pub(crate) type Cause = Arc<dyn std::error::Error + Send + Sync>;

#[derive(Debug)]
struct Row {
    member: usize,
    state: EndpointState,
    /// What the state's reason says, where it is an error.
    cause: Option<Cause>,
    outage: Outage,
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

    /// What a change is to whoever reads the log.
    pub(crate) fn note(&mut self, member: usize, step: Step, now: u64) -> Note {
        let row = self.0.iter_mut().find(|row| row.member == member);
        row.map_or(Note::Quiet, |row| row.outage.step(step, now))
    }

    /// Why no endpoint is ready, in one phrase, and the error behind it where there is one.
    pub(crate) fn blame(&self) -> (String, Option<Cause>) {
        const CROWDED: &str = "connected, but with as many calls as it allows";
        let reason = |row: &Row| row.state.reason.clone().unwrap_or_else(|| CROWDED.into());
        // One that was tried says more than one that was not tried yet.
        let Some(worst) = self.0.iter().find(|row| row.cause.is_some()).or_else(|| self.0.first()) else {
            return ("there is no endpoint".to_owned(), None);
        };
        let why = reason(worst);
        let others = self.0.iter().filter(|row| reason(row) != why).count();
        let phrase = match others {
            0 => why.to_string(),
            _ => format!("{}: {why}, and {others} more", worst.state.endpoint),
        };
        (phrase, worst.cause.clone())
    }

    /// Notes the phase, and whether that changed anything. A phase without a reason of its own keeps the last one, unless it
    /// is good.
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
        if state.phase != phase && (state.phase.is_connected() || phase.is_connected()) {
            state.since = Instant::now().into_std();
        }
        state.phase = phase;
        state.reason = reason;
        true
    }
}
