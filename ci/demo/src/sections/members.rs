//! Members, their status, alarms, and a move of the leader.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use etcd_client_core::{Error, maintenance::StatusResponse, types::MemberId};
use tokio::time::Instant;

use super::survey::{leader, survey};
use crate::{show, stage::Stage};

type Names = BTreeMap<MemberId, String>;

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let names = list(stage).await?;
    status(stage, &names).await;
    alarms(stage, &names).await?;
    if stage.cluster.is_none() {
        stage.transcript.note("The leader is not moved on your cluster.");
        return Ok(());
    }
    move_leader(stage, &names).await
}

async fn list(stage: &mut Stage) -> Result<Names> {
    stage.transcript.code("client.cluster().member_list().await?");
    let mut members = stage.client.cluster().member_list().await?.members;
    members.sort_by(|one, other| one.name.cmp(&other.name));
    for member in &members {
        let name = if member.is_started() { &member.name } else { "not started" };
        let role = if member.is_learner { "learner" } else { "voter" };
        let urls = member.client_urls.join(", ");
        stage.transcript.result(format!("{name:<4}  member {:<16}  {role}  {urls}", member.id));
    }
    if let Some(cluster) = &stage.cluster {
        let listed: Vec<_> = members.iter().map(|member| member.name.as_str()).collect();
        let started: Vec<_> = cluster.members().iter().map(etcd_testkit::Member::name).collect();
        stage.transcript.check("the list has the members that were started", listed, started);
    }
    Ok(members.into_iter().map(|member| (member.id, member.name)).collect())
}

async fn status(stage: &mut Stage, names: &Names) {
    stage.transcript.code("client.maintenance().status(endpoint).await?   // for each member");
    let mut statuses = Vec::new();
    for endpoint in &stage.endpoints {
        let row = match stage.client.maintenance().status(endpoint.as_str()).await {
            Ok(status) => {
                let row = row(names, &status);
                statuses.push(status);
                row
            }
            Err(error) => format!("{endpoint} does not answer: {error}"),
        };
        stage.transcript.result(row);
    }
    let leaders = statuses.iter().filter(|status| status.is_leader()).count();
    stage.transcript.holds("at most one member is the leader", leaders <= 1);
    let Some(cluster) = &stage.cluster else { return };
    let version = cluster.version().to_string();
    let as_started = statuses.iter().filter(|status| status.version == version).count();
    let check = format!("all three run etcd {version}");
    stage.transcript.check(&check, as_started, cluster.members().len());
    stage.transcript.check("one member is the leader", leaders, 1);
    let troubled = statuses.iter().filter(|status| !status.errors.is_empty()).count();
    stage.transcript.check("no member reports an error", troubled, 0);
}

fn row(names: &Names, status: &StatusResponse) -> String {
    let role = if status.is_leader() { "leader" } else { "follower" };
    format!(
        "{:<4}  etcd {}  {role:<8}  raft term {}, index {}  database {} of {} in use",
        name(names, status.header.member_id),
        status.version,
        status.raft_term,
        show::count(status.raft_index),
        show::bytes(status.db_size_in_use),
        show::bytes(status.db_size),
    )
}

fn name(names: &Names, id: MemberId) -> &str {
    names.get(&id).map_or("?", String::as_str)
}

async fn alarms(stage: &mut Stage, names: &Names) -> Result<(), Error> {
    stage.transcript.code("client.maintenance().alarm_list().await?");
    let alarms = stage.client.maintenance().alarm_list().await?.alarms;
    for alarm in &alarms {
        stage.transcript.result(format!("{:?} at {}", alarm.kind, name(names, alarm.member)));
    }
    if alarms.is_empty() {
        stage.transcript.result("none");
    }
    if stage.cluster.is_some() {
        stage.transcript.check("a new cluster has no alarm", alarms.len(), 0);
    }
    Ok(())
}

async fn move_leader(stage: &mut Stage, names: &Names) -> Result<()> {
    let client = stage.client.clone();
    let before = survey(&client, stage.own_cluster()?).await?;
    let old = leader(&before)?;
    let new = (old + 1) % before.len();
    let id = before[new].header.member_id;
    stage.transcript.code(&format!("client.maintenance().move_leader({id}).await?   // {}", name(names, id)));
    let begun = Instant::now();
    client.maintenance().move_leader(id).await?;
    let took = begun.elapsed();
    let after = survey(&client, stage.own_cluster()?).await?;
    let leads = after[leader(&after)?].header.member_id;
    let led = before[old].header.member_id;
    stage.transcript.result(format!(
        "leader before: {}, after {2}: {1}; raft term {3}",
        name(names, led),
        name(names, leads),
        show::duration(took),
        after.first().context("there are members")?.raft_term
    ));
    stage.transcript.check("the chosen member is the leader", leads, id);
    Ok(())
}
