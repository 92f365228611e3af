//! Notices of endpoint changes for the observer, in the order of the changes.
//!
//! An observer may call the client, so it must not run under a lock. A change is therefore queued while its locks are
//! held, which fixes the order, and passed to the observer after they are released.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    transport::{
        endpoint::{EndpointPhase, outage::Note},
        observe::observer::SharedObserver,
    },
    types::Endpoint,
};

/// The number of queued phases from which the oldest one is dropped. Only an observer that blocks gets this far behind.
/// Removals are kept; each of them follows from a call of the user.
const MOST_PHASES: usize = 1024;

/// A change of an endpoint.
#[derive(Debug)]
pub(crate) enum Notice {
    /// The endpoint has entered a phase.
    Phase { endpoint: Endpoint, phase: EndpointPhase, reason: Option<Arc<str>>, note: Note },
    /// The endpoint was removed from the client.
    Removed(Endpoint),
}

/// The notices that the observer has not seen yet.
#[derive(Debug, Default)]
pub(crate) struct Notices(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Notice>,
    /// The number of phases in `waiting`.
    phases: usize,
    /// Set while a caller of `send` is passing notices to the observer.
    sending: bool,
    /// Set once the last notice is queued.
    closed: bool,
}

impl Notices {
    /// Queues a notice. Must be called while the lock of the change is held.
    pub(crate) fn push(&self, notice: Notice) {
        self.queue().push(notice);
    }

    /// Queues the last notices: the removal of these endpoints. Later notices are discarded.
    pub(crate) fn close(&self, endpoints: impl IntoIterator<Item = Endpoint>) {
        let mut queue = self.queue();
        endpoints.into_iter().for_each(|endpoint| queue.push(Notice::Removed(endpoint)));
        queue.closed = true;
    }

    /// Passes the queued notices to the observer. Must be called without locks.
    ///
    /// If another caller is doing this already, it also passes on what this one has queued. Two callers at a time would
    /// mix up the order, and an observer that changes the endpoints would recurse.
    pub(crate) fn send(&self, observer: &SharedObserver) {
        if std::mem::replace(&mut self.queue().sending, true) {
            return;
        }
        let mut sender = Sender { notices: self, done: false };
        while let Some(notice) = sender.next() {
            match notice {
                Notice::Phase { endpoint, phase, reason, note } => {
                    observer.phase(endpoint.as_str(), phase, reason.as_deref(), note);
                }
                Notice::Removed(endpoint) => observer.removed(endpoint.as_str()),
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Every change under this lock is complete when it can panic, so a poisoned lock holds consistent data.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, notice: Notice) {
        if self.closed {
            return;
        }
        if matches!(notice, Notice::Phase { .. }) {
            if self.phases >= MOST_PHASES {
                let oldest = self.waiting.iter().position(|waiting| matches!(waiting, Notice::Phase { .. }));
                oldest.and_then(|oldest| self.waiting.remove(oldest));
                self.phases -= 1;
            }
            self.phases += 1;
        }
        self.waiting.push_back(notice);
    }

    fn pop(&mut self) -> Option<Notice> {
        let notice = self.waiting.pop_front()?;
        if matches!(notice, Notice::Phase { .. }) {
            self.phases -= 1;
        }
        Some(notice)
    }
}

/// The caller that passes notices on. If it panics, in a user's `tracing` subscriber, a later one continues.
struct Sender<'a> {
    notices: &'a Notices,
    done: bool,
}

impl Sender<'_> {
    /// Returns the next notice, or ends the sending if there is none.
    fn next(&mut self) -> Option<Notice> {
        let mut queue = self.notices.queue();
        let notice = queue.pop();
        // Cleared under the lock that found the queue empty: a notice that is queued after it has another sender.
        if notice.is_none() {
            queue.sending = false;
            self.done = true;
        }
        notice
    }
}

impl Drop for Sender<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.notices.queue().sending = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::observe::{event::EndpointEvent, observer::Observer};

    fn endpoint(number: usize) -> Endpoint {
        format!("http://{number}:1").parse().expect("an endpoint")
    }

    fn phase(number: usize) -> Notice {
        let (phase, note) = (EndpointPhase::Ready, Note::Quiet);
        Notice::Phase { endpoint: endpoint(number), phase, reason: None, note }
    }

    /// Records what it sees, and queues one more notice when it sees the first one.
    struct Nested(Arc<Notices>, Arc<Mutex<Vec<String>>>);

    impl Nested {
        fn see(&self, text: String) {
            let first = {
                let mut seen = self.1.lock().expect("no panic");
                seen.push(text);
                seen.len() == 1
            };
            if first {
                self.0.push(Notice::Removed(endpoint(9)));
                self.0.send(&SharedObserver::default());
            }
        }
    }

    impl Observer for Nested {
        fn endpoint(&self, event: &EndpointEvent<'_>) {
            self.see(event.endpoint.to_owned());
        }

        fn endpoint_removed(&self, endpoint: &str) {
            self.see(format!("removed {endpoint}"));
        }
    }

    fn seen(notices: &Arc<Notices>) -> Vec<String> {
        let seen = Arc::<Mutex<Vec<String>>>::default();
        notices.send(&SharedObserver::new(Nested(Arc::clone(notices), Arc::clone(&seen))));
        let seen = seen.lock().expect("no panic");
        seen.clone()
    }

    #[test]
    fn notices_queued_by_the_observer_follow_the_earlier_ones() {
        let notices = Arc::<Notices>::default();
        notices.push(phase(1));
        notices.push(phase(2));
        assert_eq!(seen(&notices), ["http://1:1", "http://2:1", "removed http://9:1"]);
        notices.push(phase(3));
        assert_eq!(seen(&notices)[0], "http://3:1", "the sending has ended");
    }

    #[test]
    fn nothing_follows_the_last_notices() {
        let notices = Arc::<Notices>::default();
        notices.push(phase(1));
        notices.close([endpoint(1)]);
        notices.push(phase(1));
        notices.close([endpoint(1)]);
        assert_eq!(seen(&notices), ["http://1:1", "removed http://1:1"]);
    }

    #[test]
    fn queue_of_a_blocking_observer_is_bounded() {
        let notices = Arc::<Notices>::default();
        notices.push(Notice::Removed(endpoint(0)));
        (0..MOST_PHASES + 5).for_each(|number| notices.push(phase(number)));
        let seen = seen(&notices);
        assert_eq!(seen.len(), MOST_PHASES + 2);
        assert_eq!(seen[..2], ["removed http://0:1", "http://5:1"], "the oldest phases are dropped");
        (0..MOST_PHASES).for_each(|number| notices.push(phase(number)));
        assert_eq!(notices.queue().waiting.len(), MOST_PHASES, "the counter follows the queue");
    }
}
