//! How each policy shares calls among members.

use std::{sync::Arc, time::Duration};

use etcd_client_core::{CallOptions, Client, ErrorKind, transport::Balance, types::Endpoint};
use tokio::time::sleep;

use crate::{
    model::Ledger,
    world::{CLIENT, NAMES, builder, id, network},
};

const SECOND: Duration = Duration::from_secs(1);
const CALLS: u64 = 3_000;

type Scenario = Result<(), Box<dyn std::error::Error>>;

/// Runs `scenario` with a connected client of three members.
fn run<F>(balance: Balance, scenario: impl FnOnce(Client, Vec<Arc<Ledger>>) -> F + 'static)
where
    F: Future<Output = Scenario> + 'static,
{
    let (mut sim, ledgers) = network(3, 600 * SECOND);
    for ledger in &ledgers {
        ledger.set_leader(id(1));
    }
    sim.client(CLIENT, async move {
        let client = builder(3).balance(balance).build()?;
        client.ready().await?;
        sleep(SECOND).await;
        scenario(client, ledgers).await
    });
    sim.run().expect("the scenario holds");
}

/// What each member got of what `calls` does.
async fn shares<F: Future<Output = Scenario>>(
    ledgers: &[Arc<Ledger>],
    calls: F,
) -> Result<Vec<u64>, Box<dyn std::error::Error>> {
    let before: Vec<u64> = ledgers.iter().map(|ledger| ledger.requests()).collect();
    calls.await?;
    Ok(ledgers.iter().zip(before).map(|(ledger, before)| ledger.requests() - before).collect())
}

async fn gets(client: &Client) -> Scenario {
    for _ in 0..CALLS {
        client.get("k").await?;
    }
    Ok(())
}

async fn stale_gets(client: &Client) -> Scenario {
    for _ in 0..CALLS {
        client.get("k").serializable().await?;
    }
    Ok(())
}

async fn puts(client: &Client) -> Scenario {
    for _ in 0..CALLS {
        client.put("k", "v").await?;
    }
    Ok(())
}

#[test]
fn balanced_members_get_equal_shares() {
    run(Balance::Balanced, |client, ledgers| async move {
        let shares = shares(&ledgers, gets(&client)).await?;
        assert!(shares.iter().all(|share| (900..=1_100).contains(share)), "{shares:?}");
        Ok(())
    });
}

#[test]
fn balanced_calls_mostly_leave_a_far_member_to_others() {
    run(Balance::Balanced, |client, ledgers| async move {
        ledgers[2].set_latency(Duration::from_millis(40));
        gets(&client).await?;
        let shares = shares(&ledgers, gets(&client)).await?;
        assert!(shares[2] < CALLS / 10, "{shares:?}");
        assert!(shares[0].abs_diff(shares[1]) < CALLS / 5, "{shares:?}");
        ledgers[2].set_latency(Duration::ZERO);
        sleep(20 * SECOND).await;
        let shares = self::shares(&ledgers, gets(&client)).await?;
        assert!(shares[2] > CALLS / 5, "near again, and still left out: {shares:?}");
        Ok(())
    });
}

#[test]
fn round_robin_is_exact() {
    run(Balance::RoundRobin, |client, ledgers| async move {
        let shares = shares(&ledgers, gets(&client)).await?;
        assert_eq!(shares, [CALLS / 3; 3]);
        Ok(())
    });
}

#[test]
fn writes_prefer_the_leader_and_reads_do_not() {
    run(Balance::PreferLeader, |client, ledgers| async move {
        let writes = shares(&ledgers, puts(&client)).await?;
        assert_eq!(writes, [0, CALLS, 0]);
        let reads = shares(&ledgers, gets(&client)).await?;
        assert!(reads.iter().all(|share| (900..=1_100).contains(share)), "{reads:?}");
        Ok(())
    });
}

#[test]
fn writes_follow_the_leader_to_its_successor() {
    run(Balance::PreferLeader, |client, ledgers| async move {
        assert_eq!(shares(&ledgers, puts(&client)).await?, [0, CALLS, 0]);
        for ledger in &ledgers {
            ledger.set_leader(id(2));
        }
        // The header of an answer shows that there was an election.
        client.put("k", "v").await?;
        sleep(SECOND).await;
        assert_eq!(shares(&ledgers, puts(&client)).await?, [0, 0, CALLS]);
        Ok(())
    });
}

#[test]
fn lost_leader_does_not_block_calls() {
    run(Balance::PreferLeader, |client, ledgers| async move {
        turmoil::partition(CLIENT, NAMES[1]);
        // Found out by the first that waits.
        let _ = client.put("k", "v").await;
        sleep(5 * SECOND).await;
        let writes = shares(&ledgers, puts(&client)).await?;
        assert!(writes[1] == 0 && writes[0].abs_diff(writes[2]) < CALLS / 5, "{writes:?}");
        Ok(())
    });
}

#[test]
fn serializable_reads_prefer_the_nearest() {
    run(Balance::PreferNearest, |client, ledgers| async move {
        ledgers[0].set_latency(Duration::from_millis(20));
        ledgers[1].set_latency(Duration::from_millis(10));
        for ledger in &ledgers {
            while ledger.requests() < 20 {
                client.get("k").await?;
            }
        }
        let stale = shares(&ledgers, stale_gets(&client)).await?;
        assert!(stale[2] > CALLS * 9 / 10, "{stale:?}");
        Ok(())
    });
}

#[test]
fn pinned_call_uses_only_its_endpoint() {
    run(Balance::Balanced, |client, ledgers| async move {
        let pinned: Endpoint = "http://two:2379".parse()?;
        let to_two = async {
            for _ in 0..100 {
                client.get("k").options(CallOptions::default().endpoint(pinned.clone())).await?;
            }
            Ok(())
        };
        assert_eq!(shares(&ledgers, to_two).await?, [0, 100, 0]);
        let stranger: Endpoint = "http://four:2379".parse()?;
        let error =
            client.get("k").options(CallOptions::default().endpoint(stranger)).await.expect_err("unknown");
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("endpoint")));
        turmoil::partition(CLIENT, NAMES[1]);
        let options = CallOptions::default().endpoint(pinned).timeout(8 * SECOND);
        let error = client.get("k").options(options).await.expect_err("it is cut off");
        assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unavailable), "{}", error.report());
        Ok(())
    });
}
