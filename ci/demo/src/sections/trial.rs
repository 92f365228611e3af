//! A follower that fails under load and recovers: shows the endpoint states of the client and checks every call.

use std::{collections::HashMap, time::Duration};

use anyhow::Result;
use etcd_client_core::{
    Client, Outcome,
    maintenance::StatusResponse,
    transport::{EndpointPhase, EndpointState, EndpointStates},
    types::MemberId,
};
use etcd_testkit::Member;
use tokio::time::{Instant, sleep_until};

use super::{
    load::{Load, Tally},
    survey::{leader, survey},
};
use crate::{show, stage::Stage};

const WORKERS: usize = 32;
const BEFORE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(250);
/// Reads move away from a hung member well before their deadline of 5 s, even on a busy machine.
const SLOW_READ: Duration = Duration::from_secs(4);
/// The time limit until a recovered member is used.
const PATIENCE: Duration = Duration::from_secs(20);
const ROUND: Duration = Duration::from_millis(500);

/// A load on three members, one of which fails.
pub(super) struct Trial<'a> {
    stage: &'a mut Stage,
    client: Client,
    prefix: String,
    statuses: Vec<StatusResponse>,
    victim: usize,
    states: EndpointStates,
    phases: HashMap<String, EndpointPhase>,
    load: Load,
    /// The number of calls that had ended at the start of the fault, and its time.
    fault: (u64, Instant),
}

impl<'a> Trial<'a> {
    /// Starts the load and runs it for a while. Its keys start with `load/` and `name`.
    pub(super) async fn begin(stage: &'a mut Stage, name: &str) -> Result<Self> {
        stage.transcript.note(&format!("{WORKERS} workers put new keys and get them, over all members."));
        let client = stage.client.clone();
        let statuses = survey(&client, stage.own_cluster()?).await?;
        let victim = (leader(&statuses)? + 1) % statuses.len();
        let prefix = stage.key(&format!("load/{name}/"));
        let load = Load::start(&client, &prefix, WORKERS);
        let states = client.endpoint_states();
        let fault = (0, Instant::now());
        let mut trial =
            Self { stage, client, prefix, statuses, victim, states, phases: HashMap::new(), load, fault };
        trial.run(BEFORE).await;
        Ok(trial)
    }

    /// Returns the follower that fails.
    pub(super) fn victim(&self) -> Result<&Member> {
        Ok(self.stage.own_cluster()?.member(self.victim))
    }

    /// Prints the fault and records its time.
    pub(super) fn fault(&mut self, what: &str) -> Result<()> {
        self.fault = (self.load.calls(), Instant::now());
        let calls = show::count(self.load.calls());
        let line = format!("{what} {}   // a follower, after {calls} calls", self.victim()?.name());
        self.stage.transcript.code(&line);
        self.stage.transcript.code("client.endpoint_states().next().await   // changes from now on");
        Ok(())
    }

    /// Prints the action that recovers the member.
    pub(super) fn heal(&mut self, what: &str) -> Result<()> {
        let line = format!("{what} {}", self.victim()?.name());
        self.stage.transcript.code(&line);
        Ok(())
    }

    /// Runs the load for a while and shows the changes of endpoint states.
    pub(super) async fn run(&mut self, span: Duration) {
        let end = Instant::now() + span;
        while Instant::now() < end {
            self.step(end).await;
        }
    }

    /// Runs the load until the state of the failing member is ready, or is not ready.
    pub(super) async fn until_ready(&mut self, ready: bool) -> Result<()> {
        let endpoint = self.victim()?.endpoint().to_owned();
        let end = Instant::now() + PATIENCE;
        let is_ready =
            |trial: &Self| trial.phases.get(&endpoint).is_some_and(|&phase| phase == EndpointPhase::Ready);
        while Instant::now() < end && is_ready(self) != ready {
            self.step(end).await;
        }
        let name = self.victim()?.name();
        let (check, holds) = match ready {
            true => (format!("the client uses {name} again"), is_ready(self)),
            false => (format!("the client reports that {name} is not ready"), !is_ready(self)),
        };
        self.stage.transcript.holds(&check, holds);
        Ok(())
    }

    /// Waits for the next change or for the next tick.
    async fn step(&mut self, end: Instant) {
        tokio::select! {
            states = self.states.next() => self.changed(states.unwrap_or_default()),
            () = sleep_until(end.min(Instant::now() + TICK)) => {}
        }
        self.stage.transcript.alive(&format!("{} calls", show::count(self.load.calls())));
    }

    /// Shows new phases, except for the repeated attempts to connect to a dead member.
    fn changed(&mut self, states: Vec<EndpointState>) {
        for state in states.into_iter().filter(|state| state.phase != EndpointPhase::Connecting) {
            let endpoint = state.endpoint.to_string();
            let before = self.phases.insert(endpoint.clone(), state.phase);
            // The first state is not a change.
            if before.is_some_and(|before| before != state.phase) {
                let reason = state.reason.map_or_else(String::new, |reason| format!("  {reason}"));
                let (name, phase) = (self.name(&endpoint), format!("{:?}", state.phase));
                let after = show::duration(self.fault.1.elapsed());
                let line = format!("{after:>7} later  {name}  {phase:<7}{reason}");
                self.stage.transcript.result(line.trim_end());
            }
        }
    }

    fn name(&self, endpoint: &str) -> String {
        let members = self.stage.cluster.iter().flat_map(|cluster| cluster.members());
        let found = members.into_iter().find(|member| member.endpoint() == endpoint);
        found.map_or(endpoint, Member::name).to_owned()
    }

    /// Ends the load, checks every call and every key, and checks that the member answers again.
    pub(super) async fn end(mut self) -> Result<()> {
        let (calls, since) = self.fault;
        let (after, took) = (self.load.calls() - calls, show::duration(since.elapsed()));
        let load = std::mem::replace(&mut self.load, Load::start(&self.client, &self.prefix, 0));
        let tally = self.stage.transcript.during("waiting for the last calls", load.stop()).await?;
        self.stage
            .transcript
            .result(format!("{} more calls in the {took} since the fault", show::count(after)));
        self.show_tally(&tally);
        self.check_calls(&tally, after);
        self.check_writes(&tally).await?;
        self.used_again().await
    }

    fn show_tally(&mut self, tally: &Tally) {
        let row = |what: &str, all: usize, failed: usize, slowest| {
            let (all, slowest) = (show::count(all as u64), show::duration(slowest));
            format!("{what:<8}{all:>8}   failed {failed:>3}   slowest {slowest}")
        };
        let reads = usize::try_from(tally.reads).unwrap_or(usize::MAX);
        let (failed_reads, failed_writes) = (tally.failed_reads.len(), tally.failed_writes.len());
        let shares: Vec<String> =
            self.statuses.iter().enumerate().map(|(at, _)| self.share(tally, at)).collect();
        let transcript = &mut self.stage.transcript;
        transcript.result(row("reads", reads, failed_reads, tally.slowest_read));
        transcript.result(row("writes", tally.writes(), failed_writes, tally.slowest_write));
        transcript.result(format!("answered by {}", shares.join(", ")));
        // One error is enough. The line above has the count.
        let failed_writes = tally.failed_writes.iter().map(|(_, error)| error);
        if let Some(error) = tally.failed_reads.iter().chain(failed_writes).next() {
            transcript.result(format!("one of the errors:\n{}", error.report()));
        }
    }

    fn share(&self, tally: &Tally, member: usize) -> String {
        let status = &self.statuses[member];
        let role = if status.is_leader() { " (leader)" } else { "" };
        let name = self.stage.cluster.as_ref().map_or("?", |cluster| cluster.member(member).name());
        format!("{name}{role} {}", show::count(answered_by(tally, status.header.member_id)))
    }

    fn check_calls(&mut self, tally: &Tally, after: u64) {
        let all_answered = self.statuses.iter().all(|status| answered_by(tally, status.header.member_id) > 0);
        let transcript = &mut self.stage.transcript;
        transcript.holds("every member answered calls, the failing one before the fault", all_answered);
        transcript.holds("the load continued after the fault", after > 0);
        transcript.check("no read failed", tally.failed_reads.len(), 0);
        transcript.check("every read returned the preceding write", tally.wrong_reads, 0);
        let check = format!("no read took {} or more", show::duration(SLOW_READ));
        transcript.holds(&check, tally.slowest_read < SLOW_READ);
        let check = "every failed write has an unknown outcome";
        transcript.check(check, unknown(tally), tally.failed_writes.len());
    }

    /// Reads every key back.
    async fn check_writes(&mut self, tally: &Tally) -> Result<()> {
        let transcript = &mut self.stage.transcript;
        transcript.code("client.get(\"load/\").prefix().keys_only().pages()   // to check the writes");
        let mut stored = HashMap::new();
        let mut pages = self.client.get(&self.prefix).prefix().keys_only().pages();
        while let Some(page) = pages.next().await {
            for kv in page?.kvs {
                stored.insert(String::from_utf8(kv.key.to_vec())?, kv.version.get());
            }
        }
        let verdict = tally.judge(&stored);
        let highest = stored.values().max().copied().unwrap_or_default();
        transcript.result(format!(
            "{} keys, highest version {highest}; {} of the {} writes with an unknown outcome were applied",
            show::count(stored.len() as u64),
            verdict.applied,
            unknown(tally),
        ));
        transcript.check("every acknowledged write is stored", verdict.lost, 0);
        transcript.check(
            "every key has version 1: no write was applied twice",
            (verdict.twice, highest),
            (0, 1),
        );
        transcript.check("no write that was reported as not applied is stored", verdict.denied, 0);
        transcript.check("every stored key was written by the load", verdict.strange, 0);
        Ok(())
    }

    /// Repeats a short load until the recovered member answers calls.
    async fn used_again(&mut self) -> Result<()> {
        let id = self.statuses[self.victim].header.member_id;
        let end = Instant::now() + PATIENCE;
        let mut total = Tally::default();
        for round in 0.. {
            let prefix = format!("{}again/{round}/", self.prefix);
            self.load = Load::start(&self.client, &prefix, WORKERS);
            self.run(ROUND).await;
            let load = std::mem::replace(&mut self.load, Load::start(&self.client, &prefix, 0));
            total.add(load.stop().await?);
            if answered_by(&total, id) > 0 || Instant::now() > end {
                break;
            }
        }
        let shares: Vec<String> =
            self.statuses.iter().enumerate().map(|(at, _)| self.share(&total, at)).collect();
        let name = self.victim()?.name().to_owned();
        let transcript = &mut self.stage.transcript;
        transcript.result(format!("another load, answered by {}", shares.join(", ")));
        transcript.holds(&format!("{name} answers again"), answered_by(&total, id) > 0);
        let failed = total.failed_reads.len() + total.failed_writes.len();
        transcript.check("no call fails", failed, 0);
        Ok(())
    }
}

fn unknown(tally: &Tally) -> usize {
    tally.failed_writes.iter().filter(|(_, error)| error.outcome() == Outcome::Unknown).count()
}

fn answered_by(tally: &Tally, member: MemberId) -> u64 {
    tally.answered.get(&member).copied().unwrap_or_default()
}
