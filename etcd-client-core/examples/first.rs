//! The first program of the README.

use etcd_client_core::{Client, Compare, Error, Put};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::builder(["http://127.0.0.1:2379"]).build()?;
    client.put("jobs/1", "queued").await?;
    let won = client
        .txn()
        .when(Compare::value("jobs/1").equal("queued"))
        .then(Put::new("jobs/1", "running"))
        .await?
        .succeeded();
    for kv in client.get("jobs/").prefix().await?.kvs {
        println!("{} = {} ({won})", kv.key_str().unwrap_or("?"), kv.value_str().unwrap_or("?"));
    }
    Ok(())
}
