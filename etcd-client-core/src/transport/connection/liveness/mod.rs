//! Detection of unresponsive peers: when to send a probe, and what a missing answer means.
//!
//! A probe is a PING, or a SETTINGS frame that repeats the current values if the server's policy forbids another PING
//! so soon. The receiver acknowledges either one immediately (RFC 9113, sections 6.5.3 and 6.7), and grpc-go counts
//! PINGs only (`http2Server.handlePing`). A peer that responds slowly can therefore be probed repeatedly.
//!
//! Times are given as the age of the connection.

use std::time::Duration;

use crate::transport::connection::complaints;

/// The minimum time between PINGs. etcd closes a connection that sends its third PING within less than 5 s of the one
/// before (`grpc.KeepaliveEnforcementPolicy` in etcd's `server/embed/config.go`). The extra half second allows for
/// network delay.
const LEAST_SPACING: Duration = Duration::from_millis(5_500);

/// The minimum time between two probes if the later one is SETTINGS.
const LEAST_SETTINGS_SPACING: Duration = Duration::from_secs(1);

/// The maximum time for the answer to a probe that was caused by another connection's silence. It is the same as on a
/// connection for calls, so that streams move together with the calls of their member.
const DOUBTED_SUSPICION: Duration = Duration::from_secs(1);

/// The default time for the answer to a PING on a connection for calls.
const CALLS_TIMEOUT: Duration = Duration::from_secs(2);

/// The default time for the answer to a PING on a connection for streams. A watch that resumes on another member
/// loses nothing, so only a member without an alternative is waited for this long.
const STREAMS_TIMEOUT: Duration = Duration::from_secs(5);

/// The parameters of the detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keepalive {
    /// The silence, with a request in flight, after which a PING is sent.
    pub(crate) quiet: Duration,
    /// The time for the answer to a PING before the peer is suspected.
    pub(crate) suspicion: Duration,
    /// The time for the answer to a PING before the connection is closed.
    pub(crate) timeout: Duration,
    /// The minimum time between two PINGs.
    pub(crate) spacing: Duration,
    /// The number of times that `spacing` is doubled on a new connection, because the peer complained about too many
    /// PINGs.
    pub(crate) doublings: u32,
    /// True if SETTINGS may be sent while a PING is not allowed yet, and if silence of this connection casts doubt on
    /// others to the same peer.
    for_calls: bool,
}

impl Keepalive {
    /// Parameters for connections on which responses are due immediately. The peer is suspected after 2 s of silence,
    /// which leaves a read 1 s for a new connection and its response. By default the connection is closed after 3 s,
    /// so that a write in flight has its outcome before the default deadline of 5 s, and before the 3.2 s that the Go
    /// client takes.
    pub(crate) fn for_calls(timeout: Option<Duration>) -> Self {
        let timeout = timeout.unwrap_or(CALLS_TIMEOUT);
        Self {
            quiet: Duration::from_secs(1),
            suspicion: Duration::from_secs(1).min(timeout),
            timeout,
            spacing: LEAST_SPACING,
            doublings: 0,
            for_calls: true,
        }
    }

    /// Like [`for_calls`](Self::for_calls), for calls that wait for other clients indefinitely. Their silence is
    /// normal, so it is probed by PINGs only and says nothing about other connections.
    pub(crate) fn for_waits(timeout: Option<Duration>) -> Self {
        Self { for_calls: false, ..Self::for_calls(timeout) }
    }

    /// Parameters for connections on which silence is normal: a watch may have nothing to deliver for hours.
    pub(crate) fn for_streams(interval: Duration, timeout: Option<Duration>) -> Self {
        let interval = interval.max(LEAST_SPACING);
        let timeout = timeout.unwrap_or(STREAMS_TIMEOUT);
        let suspicion = Duration::from_secs(2).min(timeout);
        Self { quiet: interval, suspicion, timeout, spacing: interval, doublings: 0, for_calls: false }
    }

    /// Increases the time between PINGs, for a peer that complained about too many of them. The first PING after a
    /// silence stays as early as before, because a peer only counts PINGs that follow each other too closely.
    pub(crate) fn spaced(self, doublings: u32) -> Self {
        Self { doublings, ..self }
    }

    /// Returns the factor of the spacing on a connection of this age, on which the peer has not complained yet.
    fn factor_at(&self, age: Duration) -> u32 {
        1_u32.checked_shl(complaints::left(self.doublings, age)).unwrap_or(u32::MAX)
    }
}

/// The health of a connection's peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum ConnectionHealth {
    Alive,
    /// A probe is in progress after a silence: other connections are preferred.
    Doubtful,
    /// An answer is overdue: only other connections are used.
    Suspect,
    /// The connection is to be closed.
    Dead,
}

impl ConnectionHealth {
    /// The inverse of `as u8`.
    pub(crate) fn from_u8(value: u8) -> Self {
        match value {
            0 => Self::Alive,
            1 => Self::Doubtful,
            2 => Self::Suspect,
            _ => Self::Dead,
        }
    }
}

/// A frame that its receiver acknowledges immediately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    Ping,
    Settings,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) probe: Option<Probe>,
    /// True if the other connections to this peer are to be probed too. The cause of this silence may affect them as
    /// well.
    pub(crate) spreads: bool,
    pub(crate) health: ConnectionHealth,
    /// The latest time of the next step. `None` on an idle connection.
    pub(crate) wake: Option<Duration>,
}

/// A probe in progress.
#[derive(Clone, Copy, Debug)]
struct Sent {
    probe: Probe,
    at: Duration,
    /// The time for its answer before the peer is suspected.
    suspicion: Duration,
}

/// The liveness state of one connection.
#[derive(Debug)]
pub(crate) struct Liveness {
    keepalive: Keepalive,
    received: Duration,
    busy_since: Option<Duration>,
    sent: Option<Sent>,
    last_ping: Option<Duration>,
    last_probe: Option<Duration>,
    /// False once the peer has failed to acknowledge SETTINGS.
    has_settings: bool,
    /// Set if a probe is due because of another connection.
    doubted: bool,
    health: ConnectionHealth,
}

impl Liveness {
    pub(crate) fn new(keepalive: Keepalive) -> Self {
        Self {
            keepalive,
            received: Duration::ZERO,
            busy_since: None,
            sent: None,
            last_ping: None,
            last_probe: None,
            has_settings: true,
            doubted: false,
            health: ConnectionHealth::Alive,
        }
    }

    pub(crate) fn health(&self) -> ConnectionHealth {
        self.health
    }

    /// Returns the probe in progress.
    pub(crate) fn probe(&self) -> Option<Probe> {
        self.sent.map(|sent| sent.probe)
    }

    /// Records that something was read at `now`, including the answer to a probe.
    pub(crate) fn received(&mut self, now: Duration) {
        self.received = now;
        self.health = ConnectionHealth::Alive;
        self.sent = None;
    }

    /// Requests a probe because of another connection. It is sent as soon as the spacing allows, even if no request
    /// is in flight.
    pub(crate) fn doubt(&mut self) {
        self.doubted = true;
    }

    /// Returns true if such a probe, or its answer, is outstanding.
    pub(crate) fn is_doubted(&self) -> bool {
        self.doubted || self.sent.is_some()
    }

    /// Records that the requested SETTINGS probe could not be sent, because the peer has not acknowledged earlier
    /// SETTINGS although it sent other data since. The peer is too slow for them or ignores them, so only PINGs are
    /// used from now on.
    pub(crate) fn settings_failed(&mut self) {
        self.has_settings = false;
        // h2 has one unacknowledged SETTINGS at a time, so nothing was written: no evidence against the peer. The
        // doubt remains, and a PING follows as soon as the spacing allows.
        if self.sent.take().is_some() {
            self.health = ConnectionHealth::Alive;
            self.doubted = true;
        }
    }

    /// Returns the actions due at `now`. `busy` is true if the peer owes a response.
    pub(crate) fn step(&mut self, now: Duration, busy: bool) -> Step {
        match (busy, self.busy_since) {
            (true, None) => self.busy_since = Some(now),
            // Silence counts only while a response is owed.
            (false, _) => self.busy_since = None,
            (true, Some(_)) => {}
        }
        // One probe at a time: its answer, or the lack of one, decides.
        if let Some(sent) = self.sent {
            return self.await_answer(now, sent);
        }
        let usual = self.busy_since.map(|since| {
            let quiet = since.max(self.received).saturating_add(self.keepalive.quiet);
            quiet.max(self.next_probe(now, self.keepalive.spacing, self.keepalive.for_calls))
        });
        // Doubts use the shortest spacing that servers tolerate, because they are rare and urgent.
        let early = self.doubted.then(|| self.next_probe(now, LEAST_SPACING, true));
        let Some(due) = usual.into_iter().chain(early).min() else { return self.result(None, None) };
        if now < due {
            return self.result(None, Some(due));
        }
        // A probe caused by doubts alone does not count as this connection's own silence.
        let silent = usual.is_some_and(|usual| now >= usual);
        let suspicion = self.keepalive.suspicion;
        let suspicion = if self.doubted { suspicion.min(DOUBTED_SUSPICION) } else { suspicion };
        let probe = self.which_probe(now, silent);
        self.doubted = false;
        self.sent = Some(Sent { probe, at: now, suspicion });
        self.last_probe = Some(now);
        if probe == Probe::Ping {
            self.last_ping = Some(now);
        }
        self.health = ConnectionHealth::Doubtful;
        let spreads = silent && self.keepalive.for_calls;
        Step { spreads, ..self.result(Some(probe), Some(now.saturating_add(suspicion))) }
    }

    /// Returns true if a SETTINGS probe is allowed. A peer that complained gets none, because it may count those too.
    fn may_send_settings(&self, now: Duration) -> bool {
        self.has_settings && self.keepalive.factor_at(now) == 1
    }

    /// Returns the time from which a PING is allowed with this spacing.
    fn next_ping(&self, now: Duration, spacing: Duration) -> Duration {
        let spacing = spacing.saturating_mul(self.keepalive.factor_at(now));
        self.last_ping.map_or(Duration::ZERO, |last| last.saturating_add(spacing))
    }

    /// Returns the time from which a probe is allowed. PINGs keep this spacing; `settings` is true if SETTINGS may be
    /// used.
    fn next_probe(&self, now: Duration, spacing: Duration, settings: bool) -> Duration {
        if settings && self.may_send_settings(now) {
            self.last_probe.map_or(Duration::ZERO, |last| last.saturating_add(LEAST_SETTINGS_SPACING))
        } else {
            self.next_ping(now, spacing)
        }
    }

    /// Chooses the kind of probe. A PING is sent only for this connection's own silence: servers count PINGs on a
    /// connection without streams more strictly.
    fn which_probe(&self, now: Duration, silent: bool) -> Probe {
        let pings = silent && now >= self.next_ping(now, self.keepalive.spacing);
        if pings || !self.may_send_settings(now) { Probe::Ping } else { Probe::Settings }
    }

    fn await_answer(&mut self, now: Duration, sent: Sent) -> Step {
        let after = |wait: Duration| sent.at.saturating_add(wait);
        // From the probe and not from the last data: a probe that its spacing delayed leaves the peer all its time.
        let (suspect, dead) = (after(sent.suspicion), after(self.keepalive.timeout));
        let (health, wake) = if now >= dead {
            (ConnectionHealth::Dead, None)
        } else if now >= suspect {
            (ConnectionHealth::Suspect, Some(dead))
        } else {
            (ConnectionHealth::Doubtful, Some(suspect))
        };
        self.health = health;
        self.result(None, wake)
    }

    fn result(&self, probe: Option<Probe>, wake: Option<Duration>) -> Step {
        Step { probe, spreads: false, health: self.health, wake }
    }
}

#[cfg(test)]
mod tests;
