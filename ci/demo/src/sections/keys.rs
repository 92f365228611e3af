//! Put, get, and get by prefix.

use anyhow::{Context as _, Result};

use crate::stage::Stage;

const FRUIT: [(&str, &str); 3] =
    [("fruit/apple", "red"), ("fruit/banana", "yellow"), ("fruit/cherry", "dark")];

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    one_key(stage).await?;
    overwrite(stage).await?;
    by_prefix(stage).await
}

async fn one_key(stage: &mut Stage) -> Result<()> {
    let (client, key) = (stage.client.clone(), stage.key("greeting"));
    let transcript = &mut stage.transcript;
    transcript.code("client.put(\"greeting\", \"hello\").await?");
    let put = client.put(&key, "hello").await?;
    transcript.result(format!("written at revision {}", put.header.revision));
    transcript.code("client.get(\"greeting\").await?");
    let got = client.get(&key).await?;
    let kv = got.first().context("the key that was just written is missing")?;
    transcript.result(format!(
        "value {:?}, created at revision {}, changed at {}, version {}",
        kv.value_str()?,
        kv.create_revision,
        kv.mod_revision,
        kv.version
    ));
    transcript.check("the value is the one that was put", kv.value_str()?, "hello");
    transcript.check("it was created by that put", kv.create_revision, put.header.revision);
    transcript.check(
        "and has not changed since",
        (kv.mod_revision, kv.version.get()),
        (put.header.revision, 1),
    );
    Ok(())
}

async fn overwrite(stage: &mut Stage) -> Result<()> {
    let (client, key) = (stage.client.clone(), stage.key("greeting"));
    let transcript = &mut stage.transcript;
    transcript.code("client.put(\"greeting\", \"hello again\").prev_kv().await?");
    let put = client.put(&key, "hello again").prev_kv().await?;
    let before = put.prev_kv.context("the server did not return the previous pair")?;
    transcript.result(format!("replaces {:?} at revision {}", before.value_str()?, put.header.revision));
    transcript.check("the previous value comes back", before.value_str()?, "hello");
    transcript.code("client.get(\"greeting\").revision(before).await?");
    let old = client.get(&key).revision(before.mod_revision).await?;
    let old = old.first().context("the key is missing at the earlier revision")?;
    transcript.result(format!("value {:?}, as it was at revision {}", old.value_str()?, before.mod_revision));
    transcript.check("an earlier revision can still be read", old.value_str()?, "hello");
    let now = client.get(&key).await?;
    let now = now.first().context("the key is missing")?;
    transcript.check(
        "the key now has the new value and version 2",
        (now.value_str()?, now.version.get()),
        ("hello again", 2),
    );
    Ok(())
}

async fn by_prefix(stage: &mut Stage) -> Result<()> {
    let client = stage.client.clone();
    for (key, value) in FRUIT {
        stage.transcript.code(&format!("client.put({key:?}, {value:?}).await?"));
        client.put(stage.key(key), value).await?;
    }
    stage.transcript.code("client.get(\"fruit/\").prefix().await?");
    let got = client.get(stage.key("fruit/")).prefix().await?;
    let mut pairs = Vec::new();
    for kv in &got.kvs {
        pairs.push((stage.short(&kv.key), kv.value_str()?.to_owned()));
    }
    for (key, value) in &pairs {
        stage.transcript.result(format!("{key:<14}{value}"));
    }
    let expected = FRUIT.map(|(key, value)| (key.to_owned(), value.to_owned()));
    stage.transcript.check("all three are returned in key order", pairs, expected);
    stage.transcript.code("client.get(\"fruit/\").prefix().count_only().await?");
    let counted = client.get(stage.key("fruit/")).prefix().count_only().await?;
    stage.transcript.result(format!("{} keys, {} returned", counted.count, counted.kvs.len()));
    stage.transcript.check("a count returns no keys", (counted.count, counted.kvs.len()), (3, 0));
    Ok(())
}
