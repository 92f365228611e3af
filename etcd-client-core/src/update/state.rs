//! The decisions of an update. Pure: answers, time and random numbers are arguments.
//!
//! An attempt compares the key's mod revision and the marker's, and writes both. The marker makes it one-shot: once any copy of an
//! attempt is applied, or the marker is written by [`Step::Resolve`], no other copy can be applied.

use std::time::Duration;

use etcd_errors::{Code, Error, ErrorKind, GrpcCode, Outcome};

use crate::{
    transport::backoff::Backoff,
    types::{Key, KeyValue, LeaseId, Revision},
    update::{
        conflict::Conflict,
        evidence::{Answer, Evidence},
        marker::Marker,
        response::Updated,
        write::{Next, Write},
    },
};

/// The number of attempts that are repeated with another marker because etcd does not know a lease. It may be the marker's, or
/// the one that the update gives the key: the error does not name it.
const MAX_LOST_LEASES: u32 = 1;

/// The bounds of an update.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The number of attempts.
    pub(super) attempts: u32,
    /// The time after which no further attempt starts.
    pub(super) timeout: Duration,
    /// The time that is added to determine the outcome of the last attempt.
    pub(super) resolve: Duration,
}

/// The time since the update started, and a random number that is uniform over all of `u64`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) elapsed: Duration,
    pub(super) random: u64,
}

/// The next action of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Draw a marker and pass it to [`Machine::drawn`].
    Draw,
    /// Read the key.
    Read,
    /// Call the function of the user.
    Decide,
    /// Send the attempt.
    Attempt,
    /// Write the marker if the attempt has not, and read the key and the marker.
    Resolve,
    /// Only read the key and the marker, because etcd rejected the write of the marker.
    Inspect,
    /// Sleep.
    Wait(Duration),
    /// Take the result.
    Done,
}

/// One attempt to write the key.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// The number of the attempt, unique for its marker.
    pub(super) number: u64,
    /// The mod revision of the key, zero for a missing key.
    pub(super) expected: Revision,
    pub(super) write: Write,
    previous: Option<KeyValue>,
}

/// The state of one update.
#[derive(Debug)]
pub(super) struct Machine {
    key: Key,
    /// The lease for the key. Without one, the key keeps its lease.
    lease: Option<LeaseId>,
    bounds: Bounds,
    step: Step,
    /// The key as it was seen last, and the revision of that response.
    current: Option<KeyValue>,
    seen: Revision,
    marker: Option<Marker>,
    lost_leases: u32,
    attempts: u32,
    /// The consecutive conflicts and failures, for the backoff.
    failures: u32,
    attempt: Option<Attempt>,
    /// The error of the attempt whose outcome is unknown.
    unknown: Option<Error>,
    /// The reason of the last wait.
    last: Option<Error>,
    lease_not_found: bool,
    /// Whether the attempt was sent once, and etcd has answered it.
    only_copy_answered: bool,
    result: Option<Result<Updated, Error>>,
}

impl Machine {
    /// Starts with a read of the key.
    pub(super) fn new(key: Key, lease: Option<LeaseId>, bounds: Bounds) -> Self {
        Self {
            key,
            lease,
            bounds,
            step: Step::Read,
            current: None,
            seen: Revision::ZERO,
            marker: None,
            lost_leases: 0,
            attempts: 0,
            failures: 0,
            attempt: None,
            unknown: None,
            last: None,
            lease_not_found: false,
            only_copy_answered: false,
            result: None,
        }
    }

    /// Starts with an attempt that expects no key.
    pub(super) fn assuming_missing(key: Key, lease: Option<LeaseId>, bounds: Bounds) -> Self {
        Self { step: Step::Decide, ..Self::new(key, lease, bounds) }
    }

    pub(super) fn step(&self) -> Step {
        self.step
    }

    pub(super) fn current(&self) -> Option<&KeyValue> {
        self.current.as_ref()
    }

    pub(super) fn marker(&self) -> Option<&Marker> {
        self.marker.as_ref()
    }

    pub(super) fn take_marker(&mut self) -> Option<Marker> {
        self.marker.take()
    }

    pub(super) fn attempt(&self) -> Option<&Attempt> {
        self.attempt.as_ref()
    }

    pub(super) fn take_result(&mut self) -> Option<Result<Updated, Error>> {
        self.result.take()
    }

    /// Returns the time until the current step must end.
    pub(super) fn remaining(&self, elapsed: Duration) -> Duration {
        self.deadline().saturating_sub(elapsed)
    }

    /// Replaces the marker before the attempt is sent, because its lease becomes old.
    pub(super) fn replace_marker(&mut self) {
        self.marker = None;
        self.step = Step::Draw;
    }

    /// Receives a marker.
    pub(super) fn drawn(&mut self, drawn: Result<Marker, Error>, now: Now) {
        match drawn {
            Ok(marker) => {
                self.marker = Some(marker);
                self.prepare();
            }
            Err(error) => self.failed(error, now),
        }
    }

    /// Receives the key.
    pub(super) fn read(&mut self, answer: Result<Answer, Error>, now: Now) {
        match answer {
            Ok(answer) => self.decide_on(answer),
            Err(error) => self.failed(error, now),
        }
    }

    /// Receives the decision of the user's function.
    pub(super) fn decided(&mut self, next: Next) {
        let write = match next {
            Next::Put(value) => {
                let kept = self.current.as_ref().and_then(|kv| kv.lease);
                Write::Put { key: self.key.clone(), value, lease: self.lease.or(kept) }
            }
            Next::Delete if self.current.is_some() => Write::Delete,
            Next::Delete | Next::Keep => {
                let unchanged = Updated::unchanged(self.current.clone(), self.seen, self.attempts);
                return self.finish(Ok(unchanged));
            }
            Next::Abort(error) => return self.finish(Err(error)),
        };
        let expected = self.current.as_ref().map_or(Revision::ZERO, |kv| kv.mod_revision);
        self.attempt = Some(Attempt { number: 0, expected, write, previous: self.current.clone() });
        self.prepare();
    }

    /// Receives the answer to an attempt.
    pub(super) fn attempted(&mut self, answer: Result<Answer, Error>, now: Now) {
        match answer {
            Ok(answer) if answer.succeeded => self.applied(answer.revision),
            Ok(answer) => self.refused(answer, now),
            Err(error) if error.outcome() != Outcome::NotApplied => {
                // etcd may apply the write that exceeds the quota before it returns this error. A full database rejects the
                // marker as well, so it is only read.
                let full = error.is_no_space();
                self.only_copy_answered = full && error.attempts().len() <= 1;
                self.lease_not_found = false;
                self.unknown = Some(error);
                self.step = if full { Step::Inspect } else { Step::Resolve };
            }
            Err(error) if error.is_lease_not_found() && self.lost_leases < MAX_LOST_LEASES => {
                self.lost_leases += 1;
                self.marker = None;
                self.prepare();
            }
            Err(error) => self.failed(error, now),
        }
    }

    /// Receives the answer to a resolution.
    pub(super) fn resolved(&mut self, answer: Result<Answer, Error>, now: Now) {
        match answer {
            Ok(answer) if answer.succeeded => {
                let revision = answer.revision;
                self.dead(revision, answer, now);
            }
            Ok(answer) => self.judge(answer, now),
            // The marker cannot be written, for example because the database is full. It can still be read.
            Err(error) if error.kind() == ErrorKind::Server && !is_transient(&error) => {
                self.lease_not_found = error.is_lease_not_found();
                self.step = Step::Inspect;
            }
            Err(_) => self.resolve_later(now),
        }
    }

    /// Receives the answer to an inspection.
    pub(super) fn inspected(&mut self, answer: Result<Answer, Error>, now: Now) {
        match answer {
            Ok(answer) => self.judge(answer, now),
            Err(_) => self.resolve_later(now),
        }
    }

    /// Continues after a wait.
    pub(super) fn waited(&mut self, now: Now) {
        if self.unknown.is_some() {
            self.step = Step::Resolve;
            return;
        }
        match self.last.take() {
            Some(error) if now.elapsed >= self.bounds.timeout => self.finish(Err(error)),
            _ => self.step = Step::Read,
        }
    }

    /// Numbers the attempt if there is a marker, and requests a marker otherwise.
    fn prepare(&mut self) {
        let (Some(marker), Some(attempt)) = (&mut self.marker, &mut self.attempt) else {
            self.step = Step::Draw;
            return;
        };
        marker.uses += 1;
        attempt.number = marker.uses;
        self.step = Step::Attempt;
    }

    fn refused(&mut self, answer: Answer, now: Now) {
        match answer.evidence(self.marker.as_ref(), self.attempt.as_ref()) {
            // The answer belongs to a retry of the transport, and an earlier copy was applied.
            Evidence::Applied(revision) => return self.applied(revision),
            // An abandoned update used the marker before, and its last copy arrived late.
            Evidence::Dead(revision) => self.move_marker(revision),
            // A marker that starts over would make the copies of its first attempt valid again.
            Evidence::Gone => self.marker = None,
            Evidence::Unmoved | Evidence::Missing => {}
        }
        self.conflicted(answer, now);
    }

    fn conflicted(&mut self, answer: Answer, now: Now) {
        self.attempts += 1;
        self.decide_on(answer);
        let conflict = Conflict::new(self.attempts, self.current.clone(), self.seen);
        if self.attempts >= self.bounds.attempts || now.elapsed >= self.bounds.timeout {
            return self.finish(Err(conflict.into()));
        }
        self.failures += 1;
        // The answer shows the key as it is now. After a second conflict others write too often to continue without a pause,
        // and after a pause the key has to be read again.
        if self.failures > 1 {
            self.last = Some(conflict.into());
            self.wait(Backoff::CONFLICT.wait(self.failures, now.random), now);
        }
    }

    /// Concludes from the marker, or from the key if the marker shows nothing.
    fn judge(&mut self, answer: Answer, now: Now) {
        match answer.evidence(self.marker.as_ref(), self.attempt.as_ref()) {
            Evidence::Applied(revision) => self.applied(revision),
            Evidence::Dead(revision) => self.dead(revision, answer, now),
            Evidence::Unmoved if self.is_overtaken(&answer) => {
                let known = self.known();
                self.dead(known, answer, now);
            }
            // Without the marker or its lease, no copy can be applied from now on. None was applied before if the key still has
            // the revision that the attempt expects.
            Evidence::Gone => self.judge_by_key(answer, now),
            Evidence::Missing if self.lease_not_found => self.judge_by_key(answer, now),
            Evidence::Unmoved | Evidence::Missing if self.only_copy_answered => {
                let error = self.unknown.take().map(|error| error.with_outcome(Outcome::NotApplied));
                self.finish(Err(error.unwrap_or_else(no_request)));
            }
            Evidence::Unmoved | Evidence::Missing => self.resolve_later(now),
        }
    }

    fn judge_by_key(&mut self, answer: Answer, now: Now) {
        if !self.is_as_expected(&answer) {
            return self.undetermined();
        }
        self.marker = None;
        self.dead(Revision::ZERO, answer, now);
    }

    /// Continues after an attempt that was not applied and never will be.
    fn dead(&mut self, marker: Revision, answer: Answer, now: Now) {
        self.move_marker(marker);
        let error = self.unknown.take().map(|error| error.with_outcome(Outcome::NotApplied));
        self.decide_on(answer);
        self.attempts += 1;
        self.failures += 1;
        let over = self.attempts >= self.bounds.attempts || now.elapsed >= self.bounds.timeout;
        if let Some(error) = error.filter(|_| over) {
            self.finish(Err(error));
        }
    }

    fn resolve_later(&mut self, now: Now) {
        if now.elapsed >= self.deadline() {
            return self.undetermined();
        }
        self.failures += 1;
        self.wait(Backoff::RETRY.wait_at_least_half(self.failures, now.random), now);
    }

    /// Handles the error of a request that changed nothing.
    fn failed(&mut self, error: Error, now: Now) {
        if !is_transient(&error) || now.elapsed >= self.bounds.timeout {
            return self.finish(Err(error));
        }
        self.failures += 1;
        self.last = Some(error);
        self.wait(Backoff::RETRY.wait_at_least_half(self.failures, now.random), now);
    }

    fn wait(&mut self, delay: Duration, now: Now) {
        self.step = Step::Wait(delay.min(self.remaining(now.elapsed)));
    }

    fn decide_on(&mut self, answer: Answer) {
        (self.current, self.seen) = (answer.current, answer.revision);
        self.step = Step::Decide;
    }

    fn applied(&mut self, revision: Revision) {
        self.move_marker(revision);
        self.unknown = None;
        self.attempts += 1;
        let result = match self.attempt.take() {
            Some(Attempt { write, previous, .. }) => {
                Ok(Updated::changed(write, previous, revision, self.attempts))
            }
            None => Err(no_request()),
        };
        self.finish(result);
    }

    /// Ends without knowing whether the last attempt was applied.
    fn undetermined(&mut self) {
        let error = self.unknown.take().unwrap_or_else(no_request);
        // The marker may still be written by the attempt.
        self.marker = None;
        self.finish(Err(error.with_outcome(Outcome::Unknown)));
    }

    fn finish(&mut self, result: Result<Updated, Error>) {
        self.result = Some(result.map_err(|error| error.with_operation("update")));
        self.step = Step::Done;
    }

    /// Returns whether the key has changed since it had the revision that the attempt expects. Revisions never recur, except zero,
    /// which stands for a missing key.
    fn is_overtaken(&self, answer: &Answer) -> bool {
        let expected = self.expected();
        expected != 0 && answer.current.as_ref().is_none_or(|kv| kv.mod_revision != expected)
    }

    fn is_as_expected(&self, answer: &Answer) -> bool {
        let expected = self.expected();
        expected != 0 && answer.current.as_ref().is_some_and(|kv| kv.mod_revision == expected)
    }

    fn expected(&self) -> Revision {
        self.attempt.as_ref().map_or(Revision::ZERO, |attempt| attempt.expected)
    }

    fn known(&self) -> Revision {
        self.marker.as_ref().map_or(Revision::ZERO, |marker| marker.known)
    }

    fn move_marker(&mut self, revision: Revision) {
        if let Some(marker) = &mut self.marker {
            marker.known = revision;
        }
    }

    fn deadline(&self) -> Duration {
        let resolve = if self.unknown.is_some() { self.bounds.resolve } else { Duration::ZERO };
        self.bounds.timeout.saturating_add(resolve)
    }
}

/// Returns the error of a machine that gets an answer although it sent nothing.
fn no_request() -> Error {
    Error::new(ErrorKind::Protocol, "a response without a request")
}

/// Returns whether the same request may succeed later.
fn is_transient(error: &Error) -> bool {
    let overloaded =
        matches!(error.code(), Some(Code::TooManyRequests | Code::Other(GrpcCode::ResourceExhausted)));
    error.is_unavailable() || error.is_timeout() || error.is_no_leader() || overloaded
}
