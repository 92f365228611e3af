//! Deletes one key, a prefix, and a key that does not exist.

use anyhow::Result;

use crate::stage::Stage;

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let client = stage.client.clone();
    let (apple, fruit) = (stage.key("fruit/apple"), stage.key("fruit/"));
    let transcript = &mut stage.transcript;
    transcript.code("client.delete(\"fruit/apple\").await?");
    let deleted = client.delete(&apple).await?.deleted;
    transcript.result(format!("{deleted} deleted"));
    transcript.check("one key was deleted", deleted, 1);
    transcript.code("client.get(\"fruit/apple\").await?");
    let found = client.get(&apple).await?.kvs.len();
    transcript.result(format!("{found} found"));
    transcript.check("the key no longer exists", found, 0);
    transcript.code("client.delete(\"fruit/\").prefix().prev_kv().await?");
    let rest = client.delete(&fruit).prefix().prev_kv().await?;
    let mut values = Vec::new();
    for kv in &rest.prev_kvs {
        values.push(kv.value_str()?);
    }
    transcript.result(format!("{} deleted, their values were {}", rest.deleted, values.join(" and ")));
    transcript.check("the other two keys are deleted by their prefix", rest.deleted, 2);
    transcript.check("and their previous values are returned", values, ["yellow", "dark"]);
    transcript.code("client.delete(\"fruit/apple\").await?");
    let deleted = client.delete(&apple).await?.deleted;
    transcript.result(format!("{deleted} deleted"));
    transcript.check("deleting a missing key succeeds", deleted, 0);
    Ok(())
}
