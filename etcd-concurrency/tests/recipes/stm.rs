//! Transactions: preserved sums, bounded conflicts, consistent snapshots.

use std::time::Duration;

use etcd_client_core::{Key, Outcome, Value, types::KeyRange};
use etcd_concurrency::{
    Error, Stm,
    stm::{Committed, Isolation, Tx},
};
use tokio::time::Instant;

use crate::model::{Counts, Fault, Model};

async fn number(tx: &Tx, key: impl Into<Key>) -> Result<i64, Error> {
    Ok(tx.get(key).await?.map_or(0, |value| value.to_str().expect("text").parse().expect("a number")))
}

fn account(number: usize) -> String {
    format!("accounts/{number:03}")
}

fn sum(model: &Model) -> i64 {
    let parse =
        |kv: etcd_client_core::KeyValue| kv.value_str().expect("text").parse::<i64>().expect("a number");
    model.queue("accounts/").into_iter().map(parse).sum()
}

#[tokio::test(start_paused = true)]
async fn transfers_keep_the_sum() {
    for isolation in [Isolation::SerializableSnapshot, Isolation::Serializable, Isolation::RepeatableReads] {
        let model = Model::default();
        for number in 0..100 {
            model.put(account(number), "100");
        }
        let mut writers = Vec::new();
        for seed in 0..32 {
            let stm = Stm::new(model.store()).isolation(isolation);
            writers.push(tokio::spawn(async move {
                let mut random = fastrand::Rng::with_seed(seed);
                for _ in 0..20 {
                    let (from, to) = (account(random.usize(..100)), account(random.usize(..100)));
                    let amount = random.i64(1..50);
                    let transfer = |tx: Tx| {
                        let (from, to) = (from.clone(), to.clone());
                        async move {
                            let left = number(&tx, &from).await? - amount;
                            tx.put(&from, left.to_string());
                            let there = number(&tx, &to).await? + amount;
                            tx.put(&to, there.to_string());
                            Ok::<_, Error>(())
                        }
                    };
                    stm.run(transfer).await.expect("committed");
                }
            }));
        }
        for writer in writers {
            writer.await.expect("no panic");
        }
        assert_eq!(sum(&model), 100 * 100, "{isolation:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn conflicts_end_after_max_attempts_with_backoff() {
    let model = Model::default();
    model.put("k", "0");
    let meddler = model.clone();
    let mut runs = 0;
    let began = Instant::now();
    let stm = Stm::new(model.store()).max_attempts(12);
    let result: Result<Committed<()>, Error> = stm
        .run(|tx| {
            runs += 1;
            let meddler = meddler.clone();
            async move {
                let seen = number(&tx, "k").await?;
                meddler.put("k", &(seen + 1).to_string());
                tx.put("k", "mine");
                Ok(())
            }
        })
        .await;
    assert!(matches!(result, Err(Error::Conflict { attempts: 12 })), "{result:?}");
    assert_eq!(runs, 12);
    let round_trips = Duration::from_millis(12 + 1);
    assert!(began.elapsed() > round_trips + Duration::from_millis(50), "no pauses: {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(model.queue("k")[0].value, "12");
    // The response to a rejected commit contains the current values: one read for twelve attempts.
    assert_eq!(model.counts(), Counts { reads: 1, writes: 12, ..Counts::default() });
}

#[tokio::test(start_paused = true)]
async fn commit_with_unknown_outcome_is_not_retried() {
    let model = Model::default();
    for fault in [Fault::AnswerLost, Fault::RequestLost] {
        model.next_writes([fault]);
        let mut runs = 0;
        let result: Result<Committed<()>, Error> = Stm::new(model.store())
            .run(|tx| {
                runs += 1;
                async move {
                    let seen = number(&tx, "k").await?;
                    tx.put("k", (seen + 1).to_string());
                    Ok(())
                }
            })
            .await;
        assert_eq!(result.expect_err("unknown outcome").outcome(), Outcome::Unknown);
        assert_eq!(runs, 1);
    }
    assert_eq!(model.queue("k")[0].value, "1");
}

#[tokio::test(start_paused = true)]
async fn function_errors_abandon_the_transaction() {
    #[derive(Debug)]
    enum Mine {
        TooPoor,
        #[expect(dead_code, reason = "shown by Debug when the test fails")]
        Etcd(Error),
    }
    impl From<Error> for Mine {
        fn from(error: Error) -> Self {
            Self::Etcd(error)
        }
    }
    let model = Model::default();
    let result: Result<Committed<()>, Mine> = Stm::new(model.store())
        .run(|tx| async move {
            tx.put("k", "x");
            if number(&tx, "balance").await? < 1 { Err(Mine::TooPoor) } else { Ok(()) }
        })
        .await;
    assert!(matches!(result, Err(Mine::TooPoor)), "{result:?}");
    assert!(model.keys("").is_empty());
}

#[tokio::test(start_paused = true)]
async fn reads_use_one_revision() {
    for isolation in [Isolation::SerializableSnapshot, Isolation::Serializable] {
        let model = Model::default();
        model.put("a", "1");
        model.put("b", "1");
        let meddler = model.clone();
        let read = Stm::new(model.store())
            .isolation(isolation)
            .run(|tx| {
                let meddler = meddler.clone();
                async move {
                    let a = number(&tx, "a").await?;
                    meddler.put("a", "2");
                    meddler.put("b", "2");
                    let b = number(&tx, "b").await?;
                    Ok::<_, Error>((a, b))
                }
            })
            .await
            .expect("what only reads needs no commit");
        assert_eq!((read.value, read.attempts), ((1, 1), 1));
        assert_eq!(model.counts(), Counts { reads: 2, ..Counts::default() });
    }
}

#[tokio::test(start_paused = true)]
async fn isolation_levels_detect_the_documented_conflicts() {
    // Changes a key between the read and the commit: one that was read, or one that is written without being read.
    for (isolation, read_minded, written_minded) in [
        (Isolation::SerializableSnapshot, true, true),
        (Isolation::Serializable, true, false),
        (Isolation::RepeatableReads, true, false),
        (Isolation::ReadCommitted, false, false),
    ] {
        for (changed, minded) in [("read", read_minded), ("written", written_minded)] {
            let model = Model::default();
            model.put("read", "0");
            model.put("written", "0");
            let (meddler, mut runs) = (model.clone(), 0);
            let done = Stm::new(model.store())
                .isolation(isolation)
                .run(|tx| {
                    runs += 1;
                    let meddler = (runs == 1).then(|| meddler.clone());
                    async move {
                        number(&tx, "read").await?;
                        if let Some(meddler) = meddler {
                            meddler.put(changed, "1");
                        }
                        tx.put("written", "2");
                        Ok::<_, Error>(())
                    }
                })
                .await
                .expect("committed");
            assert_eq!(done.attempts, if minded { 2 } else { 1 }, "{isolation:?} {changed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn range_reads_detect_all_changes() {
    for change in ["changed", "created", "deleted"] {
        let model = Model::default();
        model.put("d/1", "1");
        model.put("d/2", "2");
        let (meddler, mut runs) = (model.clone(), 0);
        let done = Stm::new(model.store())
            .run(|tx| {
                runs += 1;
                let meddler = (runs == 1).then(|| meddler.clone());
                async move {
                    tx.put("d/3", "own");
                    let pairs = tx.get_prefix("d/").await?;
                    assert_eq!(pairs.last(), Some(&("d/3".into(), "own".into())), "own writes are seen");
                    match (meddler, change) {
                        (Some(meddler), "changed") => meddler.put("d/1", "x"),
                        (Some(meddler), "created") => meddler.put("d/0", "x"),
                        (Some(meddler), _) => meddler.delete("d/2"),
                        (None, _) => {}
                    }
                    tx.put("total", pairs.len().to_string());
                    Ok::<_, Error>(pairs.len())
                }
            })
            .await
            .expect("committed");
        let expected = if change == "created" {
            4
        } else if change == "deleted" {
            2
        } else {
            3
        };
        assert_eq!((done.attempts, done.value), (2, expected), "{change}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_include_own_writes_and_deletions() {
    let model = Model::default();
    model.put("a", "1");
    let revision = model.revision();
    let done = Stm::new(model.store())
        .run(|tx| async move {
            let again = tx.clone();
            again.put("a", "2");
            assert_eq!(tx.get("a").await?, Some(Value::from("2")));
            assert_eq!(tx.revision("a").await?, revision);
            tx.delete("a");
            assert_eq!(tx.get_all(["a", "missing"]).await?, [None, None]);
            assert_eq!(tx.revision("missing").await?, 0);
            assert_eq!(tx.get_range(KeyRange::all()).await?, []);
            Ok::<_, Error>(again)
        })
        .await
        .expect("committed");
    assert_eq!(done.revision, model.revision());
    assert!(model.keys("").is_empty());
    assert!(matches!(done.value.get("a").await, Err(Error::TxnFinished)), "the attempt is over");
}

#[tokio::test(start_paused = true)]
async fn prefetch_takes_one_request() {
    let model = Model::default();
    let keys = ["a", "b", "c"];
    Stm::new(model.store())
        .prefetch(keys)
        .run(|tx| async move {
            for key in keys {
                assert_eq!(tx.get(key).await?, None);
            }
            tx.put("d", "1");
            Ok::<_, Error>(())
        })
        .await
        .expect("committed");
    assert_eq!(model.counts(), Counts { reads: 1, writes: 1, ..Counts::default() });
}

#[tokio::test(start_paused = true)]
async fn compaction_during_an_attempt_is_a_conflict() {
    let model = Model::default();
    model.put("a", "1");
    let (meddler, mut runs) = (model.clone(), 0);
    let done = Stm::new(model.store())
        .run(|tx| {
            runs += 1;
            let meddler = (runs == 1).then(|| meddler.clone());
            async move {
                number(&tx, "a").await?;
                if let Some(meddler) = meddler {
                    meddler.put("a", "2");
                    meddler.put("a", "3");
                    meddler.compact();
                }
                number(&tx, "b").await
            }
        })
        .await
        .expect("committed");
    assert_eq!(done.attempts, 2);
}

/// A transaction is spawned with its captures, from a function that does not know the types.
#[tokio::test(start_paused = true)]
async fn transaction_future_can_be_spawned() {
    fn add_in_background<K>(stm: Stm, key: K) -> tokio::task::JoinHandle<Result<Committed<i64>, Error>>
    where
        K: Into<Key> + Clone + Send + 'static,
    {
        tokio::spawn(async move {
            stm.run(move |tx| {
                let key: Key = key.clone().into();
                async move {
                    let sum = number(&tx, &key).await? + 1;
                    tx.put(&key, sum.to_string());
                    Ok(sum)
                }
            })
            .await
        })
    }

    let model = Model::default();
    let name = String::from("counter");
    let captured = name.clone();
    let stm = Stm::new(model.store());
    let direct = stm.clone();
    let spawned = tokio::spawn(async move {
        let key = &captured;
        direct.run(|tx| async move { number(&tx, key).await }).await
    });
    assert_eq!(spawned.await.expect("no panic").expect("committed").value, 0);
    assert_eq!(
        add_in_background(stm.clone(), "counter").await.expect("no panic").expect("committed").value,
        1
    );
    assert_eq!(add_in_background(stm, name).await.expect("no panic").expect("committed").value, 2);
}

#[tokio::test(start_paused = true)]
async fn single_repeatable_read_is_verified() {
    let model = Model::default();
    model.put("key", "old");
    for isolation in [Isolation::SerializableSnapshot, Isolation::Serializable, Isolation::RepeatableReads] {
        model.put("key", "old");
        let mut runs = 0;
        let committed = Stm::new(model.store())
            .isolation(isolation)
            .run_async(async |tx: Tx| {
                runs += 1;
                let read = tx.get("key").await?;
                if runs == 1 {
                    model.put("key", "new");
                }
                Ok::<_, Error>(read)
            })
            .await
            .expect("committed");
        // A snapshot has the revision at which it was read, a repeatable read that of the commit.
        let (value, attempts) = if isolation == Isolation::RepeatableReads { ("new", 2) } else { ("old", 1) };
        assert_eq!(
            (committed.value, committed.attempts),
            (Some(Value::from(value)), attempts),
            "{isolation:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn single_repeatable_read_fails_without_verification() {
    let model = Model::default();
    model.put("key", "old");
    let stm = Stm::new(model.store()).isolation(Isolation::RepeatableReads);
    let read = stm.run_async(async |tx: Tx| {
        let read = tx.get("key").await?;
        // From here on there is no quorum.
        model.set_outage(true);
        Ok::<_, Error>(read)
    });
    assert!(read.await.is_err(), "an old value may not be returned");
}

#[tokio::test(start_paused = true)]
async fn async_closures_may_change_their_captures() {
    let model = Model::default();
    let mut seen = Vec::new();
    let committed = Stm::new(model.store())
        .run_async(async |tx: Tx| {
            seen.push(tx.get("key").await?);
            if seen.len() == 1 {
                model.put("key", "0");
            }
            tx.put("key", "1");
            Ok::<_, Error>(seen.len())
        })
        .await
        .expect("committed");
    assert_eq!((committed.value, committed.attempts), (2, 2));
    assert_eq!(seen, [None, Some(Value::from("0"))]);
}
