//! Connects with `ready` and reads from each endpoint.

use std::time::Duration;

use anyhow::Result;
use etcd_client_core::{Client, Error, types::ResponseHeader};
use tokio::time::Instant;

use crate::{show, stage::Stage};

/// The deadline of a read from one endpoint.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let endpoints = stage.endpoints.iter().map(|endpoint| format!("{endpoint:?}"));
    let endpoints = endpoints.collect::<Vec<_>>().join(", ");
    stage.transcript.code(&format!("let client = Client::builder([{endpoints}]).build()?;"));
    stage.transcript.code("client.ready().await?");
    let begun = Instant::now();
    let ready = stage.client.ready();
    stage.transcript.during("connecting", ready).await?;
    stage.reached();
    stage.transcript.result(format!("ready after {}", show::duration(begun.elapsed())));

    stage
        .transcript
        .code("client.get(\"any\").serializable().await?.header   // on a client of each endpoint");
    let key = stage.key("any");
    let mut headers = Vec::new();
    let width = stage.endpoints.iter().map(String::len).max().unwrap_or_default();
    for endpoint in stage.endpoints.clone() {
        match header(&endpoint, &key).await {
            Ok(header) => {
                let (member, term) = (header.member_id, header.raft_term);
                stage.transcript.result(format!("{endpoint:width$}  member {member}  raft term {term}"));
                headers.push(header);
            }
            Err(error) => {
                let reason = error
                    .attempts()
                    .last()
                    .map_or_else(|| error.to_string(), |last| last.reason().to_owned());
                stage.transcript.result(format!("{endpoint:width$}  does not answer: {reason}"));
            }
        }
    }
    stage.transcript.holds("a member answers", !headers.is_empty());
    let one_cluster = headers.windows(2).all(|two| two[0].cluster_id == two[1].cluster_id);
    stage.transcript.holds("all members that answer belong to one cluster", one_cluster);
    if let Some(cluster) = &stage.cluster {
        let mut members: Vec<_> = headers.iter().map(|header| header.member_id.get()).collect();
        members.sort_unstable();
        members.dedup();
        stage.transcript.check("every member answers", members.len(), cluster.members().len());
    }
    Ok(())
}

async fn header(endpoint: &str, key: &str) -> Result<ResponseHeader, Error> {
    let client = Client::builder([endpoint]).timeout(PATIENCE).build()?;
    let answer = client.get(key).serializable().await;
    client.close().await;
    Ok(answer?.header)
}
