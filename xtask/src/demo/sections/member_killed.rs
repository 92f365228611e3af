//! A member dies by SIGKILL in the middle of a steady load, and comes back.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, Result};
use etcd_client_core::{Client, Outcome};
use etcd_testkit::Cluster;
use tokio::time::{Instant, sleep_until};

use super::load::{Load, Tally};
use crate::demo::{show, stage::Stage, transcript::Transcript};

const WORKERS: usize = 32;
const BEFORE: Duration = Duration::from_secs(1);
const AFTER: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(250);

/// What a member says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Status {
    member: u64,
    leader: u64,
}

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let client = stage.client.clone();
    let prefix = stage.key("load/");
    let cluster = stage.cluster.as_ref().context("this needs a cluster of the demo's own")?;
    let transcript = &mut stage.transcript;
    transcript.note(&format!(
        "{WORKERS} workers each put a new key and get it, again and again, over all members."
    ));
    let statuses = statuses(cluster).await?;
    let follower = statuses.iter().position(|status| status.member != status.leader);
    let follower = follower.context("every member says that it leads")?;
    let name = cluster.member(follower).name().to_owned();

    let load = Load::start(&client, &prefix, WORKERS);
    steady(&load, BEFORE, transcript).await;
    let before = load.calls();
    transcript.code(&format!("kill -9 {name}   // a follower, after {} calls", show::count(before)));
    cluster.member(follower).kill()?;
    steady(&load, AFTER, transcript).await;
    let after = load.calls() - before;
    let tally = transcript.during("waiting for the last calls", load.stop()).await?;
    transcript.result(format!("{} more calls in the {} s after it", show::count(after), AFTER.as_secs()));
    show_tally(transcript, cluster, &statuses, &tally);
    check_calls(transcript, &tally, &statuses, after);
    check_writes(transcript, &client, &prefix, &tally).await?;
    restart(stage, follower).await
}

/// Lets the load run for a while.
async fn steady(load: &Load, span: Duration, transcript: &mut Transcript) {
    let end = Instant::now() + span;
    while Instant::now() < end {
        sleep_until(end.min(Instant::now() + TICK)).await;
        transcript.alive(&format!("{} calls", show::count(load.calls())));
    }
}

fn show_tally(transcript: &mut Transcript, cluster: &Cluster, statuses: &[Status], tally: &Tally) {
    let row = |what: &str, all: usize, failed: usize, slowest| {
        let (all, slowest) = (show::count(all as u64), show::duration(slowest));
        format!("{what:<8}{all:>8}   failed {failed:>3}   longest pause {slowest}")
    };
    let reads = usize::try_from(tally.reads).unwrap_or(usize::MAX);
    transcript.result(row("reads", reads, tally.failed_reads.len(), tally.slowest_read));
    transcript.result(row("writes", tally.writes(), tally.failed_writes.len(), tally.slowest_write));
    let by_member = cluster.members().iter().zip(statuses).map(|(member, status)| {
        let calls = answered_by(tally, *status);
        let role = if status.member == status.leader { " (leader)" } else { "" };
        format!("{}{role} {}", member.name(), show::count(calls))
    });
    transcript.result(format!("answered by {}", by_member.collect::<Vec<_>>().join(", ")));
    let failed_writes = tally.failed_writes.iter().map(|(_, error)| error);
    // One error says enough; the others are counted above.
    if let Some(error) = tally.failed_reads.iter().chain(failed_writes).next() {
        transcript.result(format!(
            "one of the failed:
{}",
            error.report()
        ));
    }
}

fn answered_by(tally: &Tally, status: Status) -> u64 {
    let answered = tally.answered.iter().filter(|(member, _)| member.get() == status.member);
    answered.map(|(_, calls)| calls).sum()
}

fn check_calls(transcript: &mut Transcript, tally: &Tally, statuses: &[Status], after: u64) {
    let all_answered = statuses.iter().all(|status| answered_by(tally, *status) > 0);
    transcript.holds("every member answered, the killed one too while it lived", all_answered);
    transcript.holds("the load went on after the kill", after > 0);
    transcript.check("no read failed", tally.failed_reads.len(), 0);
    transcript.check("every read saw the write before it", tally.wrong_reads, 0);
    let unknown = tally.failed_writes.iter().filter(|(_, error)| error.outcome() == Outcome::Unknown).count();
    transcript.check(
        "every failed write says that its outcome is unknown",
        unknown,
        tally.failed_writes.len(),
    );
}

/// Reads every key back.
async fn check_writes(
    transcript: &mut Transcript,
    client: &Client,
    prefix: &str,
    tally: &Tally,
) -> Result<()> {
    transcript.code("client.get(\"load/\").prefix().keys_only().pages()   // what became of the writes");
    let mut stored = HashMap::new();
    let mut pages = client.get(prefix).prefix().keys_only().pages();
    while let Some(page) = pages.next().await {
        for kv in page?.kvs {
            stored.insert(String::from_utf8(kv.key.to_vec())?, kv.version.get());
        }
    }
    let verdict = tally.judge(&stored);
    transcript.result(format!(
        "{} keys; of {} writes with an unknown outcome {} were applied",
        show::count(stored.len() as u64),
        tally.failed_writes.len(),
        verdict.applied
    ));
    transcript.check("every acknowledged write is there", verdict.lost, 0);
    transcript.check("none was applied twice", verdict.twice, 0);
    transcript.check("none is there that was reported as not applied", verdict.denied, 0);
    transcript.check("none is there that nobody wrote", verdict.strange, 0);
    Ok(())
}

async fn restart(stage: &mut Stage, follower: usize) -> Result<()> {
    let key = stage.key("greeting");
    let cluster = stage.cluster.as_ref().context("this needs a cluster of the demo's own")?;
    let transcript = &mut stage.transcript;
    let member = cluster.member(follower);
    transcript.code(&format!("{}.restart().await?", member.name()));
    let begun = Instant::now();
    transcript.during("waiting until it is healthy", member.restart()).await?;
    transcript.result(format!("healthy after {}", show::duration(begun.elapsed())));
    let client = Client::builder([member.endpoint()]).build()?;
    let found = client.get(&key).await?.kvs.len();
    client.close().await;
    transcript.check("it answers again", found, 1);
    Ok(())
}

async fn statuses(cluster: &Cluster) -> Result<Vec<Status>> {
    let mut statuses = Vec::new();
    for member in cluster.members() {
        let text = member.etcdctl(["endpoint", "status", "--write-out=fields"]).await?;
        let status = parse(&text).with_context(|| format!("etcdctl endpoint status says {text:?}"))?;
        statuses.push(status);
    }
    Ok(statuses)
}

/// Reads lines such as `"MemberID" : 123`.
fn parse(fields: &str) -> Option<Status> {
    let field = |name: &str| {
        fields.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim().trim_matches('"') == name).then(|| value.trim().parse().ok())?
        })
    };
    Some(Status { member: field("MemberID")?, leader: field("Leader")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read_from_fields() {
        let text = "\"ClusterID\" : 1\n\"MemberID\" : 9372538179322589801\n\"Revision\" : 3\n\"Version\" : \"3.7.3\"\n\
                    \"Leader\" : 10501334649042878790\n\"Endpoint\" : \"http://127.0.0.1:2379\"\n";
        let status = Status { member: 9_372_538_179_322_589_801, leader: 10_501_334_649_042_878_790 };
        assert_eq!(parse(text), Some(status));
        assert_eq!(parse("\"MemberID\" : 1\n"), None);
        assert_eq!(parse(""), None);
    }
}
