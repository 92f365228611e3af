//! A full database: the alarm is raised, reported, and disarmed after space was freed.

use anyhow::{Context as _, Result, bail};
use etcd_client_core::{Client, Error, Outcome, maintenance::AlarmType};
use etcd_testkit::Cluster;

use crate::{show, stage::Stage, transcript::Transcript};

const QUOTA: &str = "4000000";
const VALUE: usize = 100_000;
/// Many more than fit.
const PUTS: usize = 1000;

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let binaries = stage.own_cluster()?.binaries().clone();
    let transcript = &mut stage.transcript;
    transcript.note(&format!("Starting another etcd with --quota-backend-bytes={QUOTA}."));
    let started = Cluster::builder().arg("--quota-backend-bytes", QUOTA).binaries(binaries).start();
    let cluster = transcript.during("waiting until the member is healthy", started).await?;
    let client = Client::builder(cluster.endpoints()).build()?;
    let shown = show_on(&client, cluster.member(0).endpoint(), transcript).await;
    client.close().await;
    transcript.during("stopping the member", cluster.stop()).await?;
    shown
}

async fn show_on(client: &Client, endpoint: &str, transcript: &mut Transcript) -> Result<()> {
    transcript.code("client.put(\"big\", vec![b'x'; 100_000]).await?   // until it fails");
    let (written, error) = fill(client).await?;
    transcript.result(format!("{written} puts succeeded; then:\n{}", error.report()));
    transcript.holds("the error shows that there is no space", error.is_no_space());
    transcript.check(
        "its outcome is unknown: the put may have been applied",
        error.outcome(),
        Outcome::Unknown,
    );
    let version = version(client).await?;
    transcript.code("client.get(\"big\").await?");
    let fate = if version > written { "was applied" } else { "was not applied" };
    transcript.result(format!("version {version}: the failed put {fate}"));
    transcript.holds(
        "each put was applied once, and the failed one at most once",
        version == written || version == written + 1,
    );
    let maintenance = client.maintenance();
    transcript.code("client.maintenance().alarm_list().await?");
    let alarms = maintenance.alarm_list().await?.alarms;
    for alarm in &alarms {
        transcript.result(format!("{:?} at member {}", alarm.kind, alarm.member));
    }
    let kinds: Vec<AlarmType> = alarms.iter().map(|alarm| alarm.kind).collect();
    transcript.check("the alarm is raised", kinds, [AlarmType::NoSpace]);
    make_space(client, endpoint, transcript).await?;
    transcript.code("client.maintenance().alarm_disarm_all().await?");
    let disarmed = maintenance.alarm_disarm_all().await?.into_result()?.disarmed;
    transcript.check("the alarm is disarmed", disarmed, alarms);
    transcript.check("no alarm is left", maintenance.alarm_list().await?.alarms.len(), 0);
    transcript.code("client.put(\"big\", vec![b'x'; 100_000]).await?");
    client.put("big", vec![b'x'; VALUE]).await?;
    let after = self::version(client).await?;
    transcript.result(format!("written, version {after}"));
    transcript.check("puts succeed again", after, version + 1);
    Ok(())
}

/// Returns the number of writes of the key.
async fn version(client: &Client) -> Result<usize> {
    let version = client.get("big").await?.first().context("the key is missing")?.version;
    Ok(usize::try_from(version.get())?)
}

async fn fill(client: &Client) -> Result<(usize, Error)> {
    for written in 0..PUTS {
        if let Err(error) = client.put("big", vec![b'x'; VALUE]).await {
            return Ok((written, error));
        }
    }
    bail!("{PUTS} puts of {VALUE} bytes fit into {QUOTA} bytes")
}

async fn make_space(client: &Client, endpoint: &str, transcript: &mut Transcript) -> Result<()> {
    let maintenance = client.maintenance();
    let before = maintenance.status(endpoint).await?.db_size;
    transcript.code("client.compact(revision).physical().await?   // removes overwritten values");
    let revision = client.get("big").await?.header.revision;
    client.compact(revision).physical().await?;
    transcript.code("client.maintenance().defragment(endpoint).await?");
    maintenance.defragment(endpoint).await?;
    let after = maintenance.status(endpoint).await?.db_size;
    transcript.result(format!(
        "database size before: {}, after: {}",
        show::bytes(before),
        show::bytes(after)
    ));
    transcript.holds("the database is smaller", after < before);
    Ok(())
}
