//! Transactional memory on real members.

use etcd_client_core::Key;
use etcd_concurrency::{
    Error, Stm,
    stm::{Isolation, Tx},
};

use crate::rig::{PATIENCE, client, cluster, in_time};

const ACCOUNTS: usize = 100;

async fn number(tx: &Tx, key: impl Into<Key>) -> Result<i64, Error> {
    Ok(tx.get(key).await?.map_or(0, |value| value.to_str().expect("text").parse().expect("a number")))
}

/// 32 writers transfer between 100 accounts, while readers add up all balances and a member is killed.
#[tokio::test]
async fn transfers_keep_the_sum() {
    let Some(cluster) = cluster(3).await else { return };
    let client = client(&cluster);
    for isolation in [Isolation::SerializableSnapshot, Isolation::Serializable, Isolation::RepeatableReads] {
        for account in 0..ACCOUNTS {
            client.put(format!("accounts/{account:03}"), "100").await.expect("put");
        }
        let stm = Stm::new(&client).isolation(isolation);
        let mut writers = Vec::new();
        for seed in 0..32 {
            let stm = stm.clone();
            writers.push(tokio::spawn(async move {
                let mut random = fastrand::Rng::with_seed(seed);
                for _ in 0..4 {
                    let account = |number: usize| format!("accounts/{number:03}");
                    let (from, to) = (account(random.usize(..ACCOUNTS)), account(random.usize(..ACCOUNTS)));
                    let transfer = |tx: Tx| {
                        let (from, to) = (from.clone(), to.clone());
                        async move {
                            let left = number(&tx, &from).await? - 1;
                            tx.put(&from, left.to_string());
                            let there = number(&tx, &to).await? + 1;
                            tx.put(&to, there.to_string());
                            Ok::<_, Error>(())
                        }
                    };
                    // A commit with an unknown outcome, after a member died, was applied completely or not at all.
                    if let Err(error) = stm.run(transfer).await {
                        assert!(error.client().is_some(), "{error}");
                    }
                }
            }));
        }
        let sum = async || {
            let total = |tx: Tx| async move {
                let pairs = tx.get_prefix("accounts/").await?;
                let parse = |value: &[u8]| String::from_utf8_lossy(value).parse::<i64>().expect("a number");
                Ok::<_, Error>(pairs.iter().map(|(_, value)| parse(value.as_bytes())).sum::<i64>())
            };
            Stm::new(&client).run(total).await.map(|committed| committed.value)
        };
        cluster.member(2).kill().expect("killed");
        cluster.member(2).wait_exit().await.expect("dead");
        cluster.member(2).restart().await.expect("back");
        while writers.iter().any(|writer| !writer.is_finished()) {
            if let Ok(sum) = sum().await {
                assert_eq!(sum, 100 * ACCOUNTS as i64, "{isolation:?}, in between");
            }
        }
        for writer in writers {
            in_time("a writer", writer).await.expect("no panic");
        }
        cluster.wait_healthy(PATIENCE).await.expect("healthy");
        assert_eq!(sum().await.expect("read"), 100 * ACCOUNTS as i64, "{isolation:?}");
    }
}

#[tokio::test]
async fn range_reads_detect_changes() {
    let Some(cluster) = cluster(1).await else { return };
    let client = client(&cluster);
    client.put("d/1", "").await.expect("put");
    client.put("d/2", "").await.expect("put");
    for change in ["create", "delete", "change"] {
        let mut runs = 0;
        let done = Stm::new(&client)
            .run(|tx| {
                runs += 1;
                let meddler = (runs == 1).then(|| client.clone());
                async move {
                    let found = tx.get_prefix("d/").await?.len();
                    match (meddler, change) {
                        (Some(client), "create") => drop(client.put("d/3", "").await?),
                        (Some(client), "delete") => drop(client.delete("d/1").await?),
                        (Some(client), _) => drop(client.put("d/2", "x").await?),
                        (None, _) => {}
                    }
                    tx.put("found", found.to_string());
                    Ok::<_, Error>(found)
                }
            })
            .await
            .expect("committed");
        let expected = if change == "create" { 3 } else { 2 };
        assert_eq!((done.attempts, done.value), (2, expected), "{change}");
    }
}
