//! Makes the faults of a plan happen.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use anyhow::Context as _;
use etcd_proto::etcdserverpb::{CompactionRequest, CompactionResponse};
use tokio::time::{Instant, sleep_until};

use super::{Plan, Step, Verb, leadership};
use crate::{
    Cluster, Fault, Proxied, Witnesses,
    history::{Action, Edge, Recorder},
    rpc::Rpc,
};

/// The time limit for the cluster to become healthy after the last fault.
const PATIENCE: Duration = Duration::from_secs(90);

/// The cluster on which faults happen.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The members.
    pub cluster: &'a Cluster,
    /// Their links to clients.
    pub proxied: &'a Proxied,
    /// The witnesses, which limit compaction.
    pub witnesses: &'a Witnesses,
    /// The history in which faults are recorded.
    pub recorder: &'a Recorder,
}

/// An edge of a step: it begins, or is over.
#[derive(Clone, Copy, Debug)]
struct Edges {
    at: Duration,
    step: Step,
    begins: bool,
}

impl Site<'_> {
    /// Makes the faults happen, until the last one or until `stop` is ready, and heals everything.
    ///
    /// The seed goes to stderr. Times are the earliest ones: a member that is started again is waited for. Compacting
    /// and moving leadership may be refused, as when there is no leader; that is written down.
    ///
    /// Dropping the future leaves faults in force: ending the cluster is what heals them then.
    ///
    /// # Errors
    /// When a signal cannot be sent, or the cluster is not well again 90 s after the last fault.
    pub async fn run(&self, plan: &Plan, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        // Ignored: fails only if the output is closed.
        let _ = writeln!(io::stderr(), "faults: seed {}, {} steps", plan.seed(), plan.steps().len());
        let ended = tokio::select! {
            ended = self.steps(plan) => ended,
            () = stop => Ok(()),
        };
        let healed = self.heal().await;
        ended.and(healed)
    }

    /// Ends every fault, and waits until every member is well.
    ///
    /// # Errors
    /// When one is not within 90 s.
    pub async fn heal(&self) -> anyhow::Result<()> {
        self.cluster.heal_peer_links();
        for proxy in self.proxied.proxies() {
            proxy.heal().await;
        }
        for member in self.cluster.members() {
            if member.is_running() {
                member.resume()?;
            } else {
                member.launch().await?;
            }
        }
        self.cluster.wait_healthy(PATIENCE).await.context("healing")
    }

    async fn steps(&self, plan: &Plan) -> anyhow::Result<()> {
        let edges = |step: &Step| {
            let begins = Edges { at: step.at, step: *step, begins: true };
            let ends = Edges { at: step.at + step.lasts, begins: false, ..begins };
            [Some(begins), step.verb.lasts().then_some(ends)]
        };
        let mut edges: Vec<Edges> = plan.steps().iter().flat_map(edges).flatten().collect();
        edges.sort_by_key(|edge| edge.at);
        let began = Instant::now();
        for edge in edges {
            sleep_until(began + edge.at).await;
            let outcome = if edge.begins { self.begin(edge.step).await } else { self.end(edge.step).await };
            outcome.with_context(|| edge.step.to_string())?;
        }
        Ok(())
    }

    async fn begin(&self, Step { verb, member, .. }: Step) -> anyhow::Result<()> {
        let process = self.cluster.member(member);
        self.note(member, verb.to_string());
        match verb {
            // An overlapping fault may have killed the member already.
            Verb::Kill | Verb::Pause if !process.is_running() => {}
            Verb::Kill => {
                process.kill()?;
                process.wait_exit().await?;
            }
            Verb::Pause => process.pause().await?,
            Verb::Blackhole(direction) => self.proxied.proxy(member).fault(direction, Fault::Blackhole),
            Verb::Delay(direction, by) => self.proxied.proxy(member).fault(direction, Fault::delay(by)),
            Verb::Hold(direction) => self.proxied.proxy(member).hold(direction),
            Verb::Reset => self.proxied.proxy(member).reset(),
            Verb::Compact => self.note_refusal(member, self.compact(member).await),
            Verb::MoveLeader => self.note_refusal(member, leadership::hand_to(self.cluster, member).await),
        }
        Ok(())
    }

    async fn end(&self, Step { verb, member, .. }: Step) -> anyhow::Result<()> {
        let process = self.cluster.member(member);
        match verb {
            Verb::Kill if !process.is_running() => process.launch().await?,
            Verb::Pause if process.is_running() => process.resume()?,
            Verb::Blackhole(_) | Verb::Delay(..) | Verb::Hold(_) => self.proxied.proxy(member).heal().await,
            _ => {}
        }
        self.note(member, format!("{verb} is over"));
        Ok(())
    }

    /// Compacts what one of the witnesses saw.
    async fn compact(&self, member: usize) -> anyhow::Result<()> {
        let (op, revision) = (self.recorder.op(), self.witnesses.latest());
        self.recorder.record(Edge::Invoke { op, actions: vec![Action::Compact { revision }] });
        let compacting = async {
            let rpc = Rpc::dial(self.cluster.member(member).tcp_endpoint()).await?;
            let request = CompactionRequest { revision: revision.0, physical: false };
            rpc.unary::<CompactionResponse>("KV/Compact", &request).await
        };
        let outcome = compacting.await;
        self.recorder.record(match &outcome {
            Ok(_) => Edge::Ok { op, revision, changed: None },
            Err(error) => Edge::Unknown { op, reason: format!("{error:#}") },
        });
        outcome.map(drop)
    }

    fn note(&self, member: usize, what: String) {
        self.recorder.record(Edge::Fault { member, what });
    }

    fn note_refusal(&self, member: usize, outcome: anyhow::Result<()>) {
        if let Err(error) = outcome {
            self.note(member, format!("refused: {error:#}"));
        }
    }
}
