//! Recipes on a store that is restored to an earlier state.

use etcd_client_core::{Client, transport::EndpointPhase};
use etcd_concurrency::{Election, Mutex, Session, election::Observer, session::SessionEnd};
use tokio::time::{Duration, Instant};

use crate::rig::{TTL, cluster, in_time, session};

/// Far below the TTL of the sessions.
const SOON: Duration = Duration::from_secs(5);

async fn refused(client: &Client) {
    let mut states = client.endpoint_states();
    while states.next().await.expect("the client lives")[0].phase != EndpointPhase::Rejected {}
}

async fn leader(observer: &mut Observer) -> Option<String> {
    let leader = in_time("what is observed", observer.next()).await.expect("more").expect("no error");
    leader.value().map(|value| String::from_utf8_lossy(value).into_owned())
}

async fn ends_soon(session: &Session, what: &str) {
    let began = Instant::now();
    let end = in_time(what, session.lost()).await;
    assert!(began.elapsed() < SOON, "{what} ended after {:?}: {end}", began.elapsed());
    assert_eq!(end, SessionEnd::Lost, "{what}");
}

/// In the restored store the lock of the second session is free, and others may acquire it, while most of its TTL remains.
#[tokio::test(flavor = "multi_thread")]
async fn restored_store_ends_sessions_and_relists_observers() {
    let Some(cluster) = cluster(1).await else { return };
    let client = crate::rig::client(&cluster);
    let leading = session(&client).await;
    let leadership = Election::new(&leading, "office").campaign("first").await.expect("free");
    let mut observer = Observer::new(&client, "office");
    assert_eq!(leader(&mut observer).await.as_deref(), Some("first"));
    let backup = cluster.member(0).back_up().await.expect("a backup");
    leadership.proclaim("second").await.expect("leads");
    assert_eq!(leader(&mut observer).await.as_deref(), Some("second"));
    let holding = session(&client).await;
    let held = Mutex::new(&holding, "lock").lock().await.expect("free");

    cluster.member(0).restore(&backup).await.expect("an earlier store");
    in_time("the refusal", refused(&client)).await;
    ends_soon(&leading, "the session that the store knows").await;
    ends_soon(&holding, "the session that the store does not know").await;
    in_time("the guard", held.lost()).await;
    in_time("the leadership", leadership.lost()).await;
    Session::builder(&client).ttl(TTL).await.expect_err("nothing is granted there");

    client.accept_cluster().expect("there is a history to accept");
    assert_eq!(leader(&mut observer).await.as_deref(), Some("first"), "what the store says");
    let next = session(&client).await;
    let guard = Mutex::new(&next, "lock").lock().await.expect("free in this store");
    guard.unlock().await.expect("held");
}
