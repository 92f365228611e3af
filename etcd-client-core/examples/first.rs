//! The first program of the README: writes a key, reads it, and updates it with a compare-and-swap. Needs a member on 127.0.0.1:2379.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use etcd_client_core::{Client, Compare, Error, Get, Put};

#[tokio::main]
async fn main() {
    if let Err(error) = greet().await {
        eprintln!("{}", error.report());
    }
}

async fn greet() -> Result<(), Error> {
    let client = Client::builder(["http://127.0.0.1:2379"]).build()?;
    client.put("greeting", "hello").await?;
    let found = client.get("greeting").await?;
    let unchanged = Compare::mod_revision("greeting").equal(found.kvs[0].mod_revision);
    let update = Put::new("greeting", "hello again");
    let txn = client.txn().when(unchanged).then(update).or_else(Get::new("greeting")).await?;
    println!("updated: {}", txn.succeeded());
    Ok(())
}
