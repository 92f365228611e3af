//! Runs the same transaction twice: the first one succeeds, and the second one does not.

use anyhow::{Context as _, Result};
use etcd_client_core::{Client, Compare, Error, Get, Put, txn::TxnResponse};

use crate::stage::Stage;

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let (client, key) = (stage.client.clone(), stage.key("owner"));
    let transcript = &mut stage.transcript;
    transcript.code("client.txn().when(Compare::missing(\"owner\"))");
    transcript.code("    .then(Put::new(\"owner\", \"me\")).or_else(Get::new(\"owner\")).await?");
    let first = claim(&client, &key, "me").await?;
    transcript.result(format!("succeeded: {}, revision {}", first.succeeded(), first.header.revision));
    transcript.holds("the first transaction succeeds", first.succeeded());
    transcript.code("... .then(Put::new(\"owner\", \"you\")) ...   // the same for another owner");
    let second = claim(&client, &key, "you").await?;
    let found = second.responses.first().and_then(|response| response.as_get());
    let owner = found.and_then(|got| got.first()).context("the `or_else` branch returned no owner")?;
    let owner = owner.value_str()?;
    transcript.result(format!("succeeded: {}, the owner is {owner:?}", second.succeeded()));
    transcript.holds("the second one does not", !second.succeeded());
    transcript.check("its response names the owner", owner, "me");
    let now = client.get(&key).await?;
    let kv = now.first().context("the key is missing")?;
    transcript.check("the first value is unchanged", (kv.value_str()?, kv.version.get()), ("me", 1));
    Ok(())
}

async fn claim(client: &Client, key: &str, owner: &str) -> Result<TxnResponse, Error> {
    client.txn().when(Compare::missing(key)).then(Put::new(key, owner)).or_else(Get::new(key)).await
}
