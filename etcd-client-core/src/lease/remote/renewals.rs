//! The task that keeps a client's leases alive. It executes the actions of the schedule and reports their results to
//! the schedule and the handles.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use etcd_errors::Error;
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    lease::{
        LeaseLostReason, Moment,
        kept::Shared as SharedLease,
        remote::{
            RemoteLease,
            hub::{Change, Hub, Serial},
            stream::{Event, Happened, RenewalStream},
        },
        schedule::{
            Action, Gone, SHARD, Schedule,
            stream::{Route, StreamId},
        },
    },
    transport::{
        balance::{ejection::CallQuality, member_health::Scope},
        caller::Caller,
        connection::{identity::is_of_identity, member::Member},
    },
    types::LeaseId,
};

/// The interval at which the clock is read. Timers do not count the time during which the machine was suspended.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The interval at which the streams' members are compared with the current leader.
const COMPARE_EVERY: Duration = Duration::from_secs(5);

/// The delay before the next comparison after a renewal stalled. The leader may be the member that it stalled on.
const COMPARE_AGAIN: Duration = Duration::from_secs(60);

/// The capacity of the queue of stream events.
const MOST_EVENTS: usize = 1_024;

/// The renewals of all leases that a client keeps alive.
#[derive(Debug)]
pub(crate) struct Renewals {
    hub: Arc<Hub>,
    caller: Weak<Caller>,
    shutdown: CancellationToken,
    schedule: Schedule,
    leases: HashMap<LeaseId, (Serial, Arc<SharedLease>, u64)>,
    /// The number of the client's history when it was last read.
    history: u64,
    streams: HashMap<StreamId, Open>,
    /// The stream tasks. Dropping this aborts them.
    tasks: JoinSet<()>,
    event_sender: mpsc::Sender<Event>,
    events: mpsc::Receiver<Event>,
    /// The time of the next comparison with the leader.
    compare: Instant,
    /// The error of the last stream that ended, cleared by the next successful renewal.
    last_error: Option<Error>,
    /// Set once another task may have replaced this one.
    retired: bool,
}

/// A stream that is open or being opened.
#[derive(Debug)]
struct Open {
    asks: mpsc::Sender<LeaseId>,
    task: AbortHandle,
    /// Identifies this stream among those that the schedule opened under the same id.
    attempt: u64,
    member: Option<Arc<Member>>,
}

impl Renewals {
    pub(crate) fn new(hub: Arc<Hub>, service: &RemoteLease) -> Self {
        let channel = service.caller.channel();
        channel.follow_leader();
        let (event_sender, events) = mpsc::channel(MOST_EVENTS);
        Self {
            hub,
            caller: Arc::downgrade(&service.caller),
            shutdown: channel.pool().shutdown_token().clone(),
            schedule: Schedule::new(fastrand::u64(..)),
            leases: HashMap::new(),
            history: channel.history().number(),
            streams: HashMap::new(),
            tasks: JoinSet::new(),
            event_sender,
            events,
            compare: Instant::now(),
            last_error: None,
            retired: false,
        }
    }

    /// Renews leases until none is left or the client is closed.
    pub(crate) async fn run(mut self) {
        loop {
            self.take_changes();
            // Before the schedule runs: no lease of a replaced cluster or history may be renewed in the new
            // one.
            self.leave_history();
            self.prefer_leader();
            self.schedule.tick(self.now());
            self.act();
            if self.schedule.is_empty() && self.hub.retire() {
                // `drop` must not reset the hub now: another task may have started since, for other leases.
                self.retired = true;
                return;
            }
            let next = self.next_look();
            tokio::select! {
                // Shutdown first. New handles before stream events, so that their renewals join the same
                // batch.
                biased;
                () = self.shutdown.cancelled() => return,
                () = self.hub.changed.notified() => {}
                Some(event) = self.events.recv() => self.handle_event(event),
                // Finished tasks only need to be reaped: each one has sent an event about its end.
                Some(_) = self.tasks.join_next() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    fn now(&self) -> Moment {
        self.hub.clock.now()
    }

    fn next_look(&self) -> Instant {
        let look = Instant::now() + LOOK_EVERY;
        self.schedule.next_wake().map_or(look, |wake| self.hub.clock.instant(wake).min(look))
    }

    fn take_changes(&mut self) {
        let now = self.now();
        for change in self.hub.changes() {
            match change {
                Change::Kept { serial, lease, ttl, sent, history } => {
                    self.schedule.add(lease.id(), ttl, sent, now);
                    self.leases.insert(lease.id(), (serial, lease, history));
                }
                Change::Stopped { serial, id } => {
                    if self.leases.get(&id).is_some_and(|(kept, ..)| *kept == serial) {
                        self.leases.remove(&id);
                        self.schedule.remove(id, now);
                    }
                }
            }
        }
    }

    /// Loses the leases of a previous history. In the new one, a lease with the same id may be an older one with
    /// other keys attached.
    fn leave_history(&mut self) {
        let Some(caller) = self.caller.upgrade() else { return };
        let number = caller.channel().history().number();
        if std::mem::replace(&mut self.history, number) == number {
            return;
        }
        self.replaced(|history| history != number, None);
    }

    /// Loses the leases of the current history if every endpoint leads to another cluster or history. Other clients
    /// may already hold there what a lease protects, so the lease is lost now and not at its deadline.
    fn leave_replaced(&mut self, error: &Error) {
        let Some(caller) = self.caller.upgrade().filter(|_| is_of_identity(error)) else { return };
        // Only if every endpoint is rejected. A single stray endpoint must not end leases that the cluster
        // still holds.
        if caller.channel().pool().rejection(None).is_some() {
            let number = caller.channel().history().number();
            self.replaced(|history| history == number, Some(error));
        }
    }

    /// Loses the leases of the histories selected by `gone`.
    fn replaced(&mut self, gone: impl Fn(u64) -> bool, error: Option<&Error>) {
        let now = self.now();
        let left = self.leases.extract_if(|_, (_, _, history)| gone(*history));
        let left: Vec<(LeaseId, Arc<SharedLease>)> = left.map(|(id, (_, lease, _))| (id, lease)).collect();
        for (id, lease) in left {
            self.schedule.remove(id, now);
            lease.lose(LeaseLostReason::Replaced, error.cloned());
        }
    }

    /// Handles all queued events, so that the renewals that become due are sent together.
    fn handle_event(&mut self, event: Event) {
        self.hear(event);
        for _ in 0..MOST_EVENTS {
            let Ok(event) = self.events.try_recv() else { break };
            self.hear(event);
        }
    }

    fn hear(&mut self, event: Event) {
        let now = self.now();
        let Event { stream, attempt, happened } = event;
        // An aborted stream may have left events in the queue.
        let Some(open) = self.streams.get_mut(&stream).filter(|open| open.attempt == attempt) else { return };
        match happened {
            Happened::Opened(on) => {
                let route = on
                    .as_ref()
                    .map(|(member, connection)| Route { endpoint: member.id, connection: *connection });
                self.schedule.opened(stream, route.unwrap_or_default(), now);
                open.member = on.map(|(member, _)| member);
            }
            Happened::Answered(lease, ttl) => self.schedule.answered(stream, lease, ttl, now),
            Happened::Ended(end, error) => {
                self.streams.remove(&stream);
                let culprit = self.schedule.ended(stream, end, now);
                self.leave_replaced(&error);
                match culprit.and_then(|culprit| self.leases.get(&culprit)) {
                    Some((_, lease, _)) => lease.late(Some(error)),
                    None => self.last_error = Some(error),
                }
            }
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.schedule.action() {
            match action {
                Action::Open { stream, avoid } => self.open(stream, avoid),
                Action::Ask { stream, lease } => self.ask(stream, lease),
                Action::Close { stream, stalled } => self.close(stream, stalled),
                Action::Renewed { lease, ttl, deadline } => self.renewed(lease, ttl, deadline),
                Action::Late { lease, on } => {
                    if let Some(caller) = self.caller.upgrade() {
                        on.iter().for_each(|route| caller.channel().pool().check(route.connection));
                    }
                    if let Some((_, lease, _)) = self.leases.get(&lease) {
                        lease.late(self.last_error.clone());
                    }
                }
                Action::Lost { lease, why } => self.lost(lease, why),
            }
        }
    }

    fn open(&mut self, stream: StreamId, avoid: Vec<Route>) {
        // Twice the shard size: a stream may still owe responses for leases that have moved to another
        // stream.
        let (asks, asked) = mpsc::channel(2 * SHARD);
        // The schedule reuses stream ids. The number distinguishes this task from an aborted one whose events
        // are still queued.
        let attempt = fastrand::u64(..);
        let task = RenewalStream {
            stream,
            attempt,
            avoid,
            caller: Weak::clone(&self.caller),
            asked,
            event_sender: self.event_sender.clone(),
        };
        let task = self.tasks.spawn(task.run());
        self.streams.insert(stream, Open { asks, task, attempt, member: None });
    }

    /// Requests a renewal. A full queue means that the stream owes more responses than allowed. It counts as stalled,
    /// and its leases detect that by their timeouts.
    fn ask(&self, stream: StreamId, lease: LeaseId) {
        if let Some(open) = self.streams.get(&stream) {
            let _ = open.asks.try_send(lease);
        }
    }

    fn close(&mut self, stream: StreamId, stalled: bool) {
        let Some(open) = self.streams.remove(&stream) else { return };
        open.task.abort();
        if let (true, Some(member), Some(caller)) = (stalled, &open.member, self.caller.upgrade()) {
            let now = caller.channel().pool().now();
            // Renewals need the leader, as writes do, so a stalled one counts against the member for all
            // quorum calls.
            member.record(Scope::Quorum, CallQuality::Bad, now..now);
            self.compare = Instant::now() + COMPARE_AGAIN;
        }
    }

    fn renewed(&mut self, id: LeaseId, ttl: Duration, deadline: Moment) {
        let now = self.now();
        self.last_error = None;
        // The handle may have seen the lease expire a moment ago. A lease that was reported as lost stays
        // lost.
        if let Some((_, lease, _)) = self.leases.get(&id)
            && !lease.renewed(ttl, deadline)
        {
            self.leases.remove(&id);
            self.schedule.remove(id, now);
        }
    }

    fn lost(&mut self, id: LeaseId, why: Gone) {
        let Some((_, lease, _)) = self.leases.remove(&id) else { return };
        match why {
            Gone::NotFound => lease.lose(LeaseLostReason::NotFound, None),
            // The lease's own clock has already expired it.
            Gone::Expired if lease.check().is_some() => {}
            Gone::Expired => lease.lose(LeaseLostReason::Expired, None),
        }
    }

    /// Moves shared streams to the leader once it is reachable. A follower forwards each renewal to the leader.
    fn prefer_leader(&mut self) {
        let now = Instant::now();
        if now < self.compare {
            return;
        }
        self.compare = now + COMPARE_EVERY;
        let Some(caller) = self.caller.upgrade() else { return };
        let Some(leader) = caller.channel().reachable_leader() else { return };
        let elsewhere = |stream: &StreamId| {
            let member = self.streams.get(stream).and_then(|open| open.member.as_ref());
            // A server id of 0 is not known yet.
            member.is_some_and(|member| member.server() != 0 && member.server() != leader)
        };
        let followers: Vec<StreamId> = self.schedule.shared().filter(elsewhere).collect();
        let moment = self.now();
        for stream in followers {
            self.schedule.replace(stream, moment);
        }
    }
}

impl Drop for Renewals {
    /// Marks all leases as lost, because no task renews them any longer. Runs however the task ends.
    fn drop(&mut self) {
        if !self.retired {
            self.leases.values().for_each(|(_, lease, _)| lease.lose(LeaseLostReason::Closed, None));
            self.hub.abandon();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    #[tokio::test]
    async fn handle_dropped_before_it_is_added_is_not_renewed() {
        let client = Client::builder(["http://127.0.0.1:1"]).build().expect("valid");
        let service = RemoteLease::new(Caller::Pool(client.channel()));
        let hub = Arc::clone(&service.hub);
        // This task reads the hub directly: the task that the hub starts does not run before the first await.
        let mut renewals = Renewals::new(Arc::clone(&hub), &service);
        let id = |number| LeaseId::new(number).expect("not zero");
        let keep = |number| hub.keep(&service, id(number), Duration::from_secs(60), Instant::now());
        drop(keep(1));
        let kept = keep(2);
        drop(keep(3));
        let again = keep(3);
        renewals.take_changes();
        let mut renewed: Vec<i64> = renewals.leases.keys().map(|id| id.get()).collect();
        renewed.sort_unstable();
        assert_eq!(renewed, [2, 3]);
        assert!(!kept.is_lost() && !again.is_lost());
        drop((kept, again));
        renewals.take_changes();
        assert!(renewals.leases.is_empty() && renewals.schedule.is_empty());
    }
}
