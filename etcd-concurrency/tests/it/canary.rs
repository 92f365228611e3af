//! Debug output and logs contain no stored values and no passwords.

use std::fmt::Debug;

use etcd_client_core::Client;
use etcd_concurrency::{
    Barrier, Election, EphemeralKey, Error, Mutex, PriorityQueue, Queue, Session, Stm, keys::create_key,
    stm::Tx,
};

use crate::rig::{PATIENCE, TTL, cluster, in_time};

/// A password and every value.
const CANARY: &str = "canary-5c1e";

#[track_caller]
fn silent(what: impl Debug) {
    let shown = format!("{what:?} {what:#?}");
    assert!(!shown.contains(CANARY), "{shown}");
    let bytes: Vec<_> = CANARY.bytes().map(|byte| byte.to_string()).collect();
    assert!(!shown.contains(&bytes.join(", ")), "{shown}");
}

#[track_caller]
fn silent_error(error: &Error) {
    silent(error);
    assert!(!error.to_string().contains(CANARY), "{error}");
}

#[tokio::test]
async fn debug_output_contains_no_values_or_passwords() {
    let Some(cluster) = cluster(1).await else { return };
    let builder = Client::builder(cluster.endpoints()).password("nobody", CANARY).allow_plaintext_auth();
    let client = builder.build().expect("valid settings");
    let session = Session::builder(&client).ttl(TTL).await.expect("a session");
    silent(&session);
    silent(&client);

    let election = Election::new(&session, "office");
    let leadership = in_time("office", election.campaign(CANARY)).await.expect("free");
    silent((&election, &leadership, leadership.owned()));
    let mut observer = election.observe();
    let leader = in_time("a leader", observer.next()).await.expect("one").expect("one");
    assert_eq!(leader.value(), Some(CANARY.as_bytes()));
    silent((&leader, &observer, election.leader().await.expect("one")));

    let queue = Queue::new(&client, "queue");
    queue.enqueue(CANARY).await.expect("queued");
    silent((&queue, queue.dequeue().await.expect("queued")));
    let queue = PriorityQueue::new(&client, "priorities");
    queue.enqueue(CANARY, 7).await.expect("queued");
    silent((&queue, queue.dequeue().await.expect("queued")));

    let ephemeral = EphemeralKey::create(&session, "mine", CANARY).await.expect("new");
    silent((&ephemeral, ephemeral.owned()));
    silent_error(&create_key(&client, "mine", CANARY).await.expect_err("it is there"));
    silent((Barrier::new(&client, "barrier"), Mutex::new(&session, "lock")));

    let stm = Stm::new(&client).max_attempts(1);
    let run = stm.run(|tx: Tx| async move {
        tx.put("written", CANARY);
        let read = tx.get("mine").await?;
        silent((&tx, read));
        Err::<(), Error>(Error::NotOwner)
    });
    silent_error(&in_time("a run", run).await.expect_err("it gave up"));
    silent((&stm, PATIENCE));
}
