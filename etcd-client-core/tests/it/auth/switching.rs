//! Auth that is switched on and off, and users that go, under a running client.
#![allow(clippy::print_stdout, reason = "the figures are what these tests are read for")]

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use etcd_client_core::{Client, Code, Outcome};
use etcd_testkit::Cluster;
use futures_util::future::{join_all, try_join_all};
use tokio::time::{Instant, sleep, timeout};

use super::{
    caller::Caller,
    fake::Member,
    root::{self, Root},
};
use crate::servers::PATIENCE;

const SWITCHES: usize = 20;

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_notice_auth_once() {
    let member = Member::default();
    member.state().auth = false;
    let client = member.client();
    let thousand = || try_join_all((0..1_000).map(|_| client.put("k", "v").into_future()));
    for round in 0..10 {
        member.state().auth = false;
        thousand().await.expect("auth is off");
        {
            let mut state = member.state();
            assert_eq!(state.authenticates, 1 + round, "off is remembered, and no reason to ask");
            state.auth = true;
            state.tokens.clear();
        }
        thousand().await.expect("auth is on");
        assert_eq!(member.state().authenticates, 2 + round);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_succeed_while_auth_is_toggled() {
    let Some(cluster) = root::cluster().start_or_skip().await else { return };
    let (root, over, client) = (Root::of(&cluster), AtomicBool::new(false), root::client(&cluster));
    let callers = join_all((0..8).map(|number| {
        let (mut caller, over) = (Caller::new(&client, number), &over);
        async move {
            while !over.load(Ordering::Relaxed) {
                caller.call().await;
            }
            caller.writes()
        }
    }));
    let switching = async {
        for _ in 0..SWITCHES {
            for on in [false, true] {
                root.switch(on).await;
                sleep(Duration::from_millis(fastrand::u64(20..300))).await;
            }
        }
        over.store(true, Ordering::Relaxed);
    };
    let work = async { tokio::join!(callers, switching).0 };
    let writes: i64 = timeout(PATIENCE, work).await.expect("in time").iter().sum();
    let (rejected, empty) =
        (root::refused(&cluster, "Unauthenticated").await, root::refused(&cluster, "InvalidArgument").await);
    println!(
        "{writes} writes over {SWITCHES} switches, none failed; invalid tokens {rejected}, no user or old revision {empty}"
    );
    assert!(rejected + empty >= 20.0, "{rejected} and {empty}: the callers noticed nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_fails_at_once_and_is_not_retried() {
    let builder = Cluster::builder().auth(root::PASSWORD).arg("--bcrypt-cost", "4");
    let Some(cluster) = builder.start_or_skip().await else { return };
    let client = Client::builder(cluster.endpoints()).password("root", "a guess").build().expect("valid");
    client.ready().await.expect("connected");
    let start = Instant::now();
    for result in join_all((0..100).map(|_| client.put("k", "v").into_future())).await {
        let error = result.expect_err("refused");
        assert_eq!((error.code(), error.outcome()), (Some(Code::AuthFailed), Outcome::NotApplied));
    }
    println!("a wrong password was refused after {:?}", start.elapsed());
    // A retry would ask again. How soon the calls end is tested in virtual time, in `refusals`.
    assert_eq!(root::authenticates(&cluster, false).await, 1.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_user_gets_authentication_failed() {
    let Some(cluster) = Cluster::builder().auth(root::PASSWORD).start_or_skip().await else { return };
    let root = Root::of(&cluster);
    root.add_user("app", "x").await;
    let client = Client::builder(cluster.endpoints()).password("app", "x").build().expect("valid");
    client.put("k", "v").await.expect("it may");
    root.remove_user("app").await;
    let error = client.put("k", "v").await.expect_err("it may not");
    assert_eq!(error.code(), Some(Code::AuthFailed), "{}", error.report());
    root.add_user("app", "x").await;
    let again = async {
        // A refusal stands for a second.
        while client.put("k", "v").await.is_err() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, again).await.expect("it may again");
}
