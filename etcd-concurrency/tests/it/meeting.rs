//! Go's double barrier and this crate's: one participant of each.

use std::{num::NonZeroUsize, process::Stdio};

use etcd_concurrency::{DoubleBarrier, Session, session::Tokens};
use etcd_testkit::{StderrProgress, obtain_contender};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::Command,
};

use crate::rig::{TTL, client, cluster, count, eventually, in_time, session};

const ROUNDS: usize = 12;

/// The first participant to arrive, which is the last to leave, is alternately Go's and this crate's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_and_this_crate_enter_and_leave_together() {
    let Some(cluster) = cluster(3).await else { return };
    let built = tokio::task::spawn_blocking(|| obtain_contender(&mut StderrProgress::new())).await;
    let program = match built.expect("no panic") {
        Ok(program) => program,
        Err(error) => return eprintln!("SKIPPED, no Go: {error:#}"),
    };
    let client = client(&cluster);
    let mut command = Command::new(program);
    command.args(["-endpoints", &cluster.endpoints().join(","), "-meet", "meeting"]).kill_on_drop(true);
    let mut go = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut told = go.stdin.take().expect("piped");
    let mut lines = BufReader::new(go.stdout.take().expect("piped")).lines();
    let mut says = async || in_time("Go", lines.next_line()).await.expect("text").expect("a line");

    let builder = Session::builder(&client).ttl(TTL).tokens(Tokens::lease_per_entry());
    let sessions = [session(&client).await, builder.await.expect("a session")];
    for round in 0..ROUNDS {
        let two = NonZeroUsize::new(2).expect("not zero");
        let barrier = DoubleBarrier::new(&sessions[round / 2 % 2], "meeting", two);
        let came = async |many| {
            eventually("participants", async || count(&client, "meeting/waiters/").await == many).await;
        };
        let enter = async move { barrier.enter().await };
        let inside = if round % 2 == 0 {
            let enter = tokio::spawn(enter);
            came(1).await;
            assert!(!enter.is_finished(), "entered alone");
            told.write_all(b"\n").await.expect("it reads");
            assert_eq!(says().await, "entering");
            in_time("both", enter).await.expect("no panic")
        } else {
            told.write_all(b"\n").await.expect("it reads");
            assert_eq!(says().await, "entering");
            came(1).await;
            in_time("both", enter).await
        };
        assert_eq!(says().await, "entered");
        in_time("both to leave", inside.expect("both came").leave()).await.expect("it was inside");
        assert_eq!(says().await, "left", "round {round}");
        assert_eq!(count(&client, "meeting/").await, 0, "round {round} leaves nothing");
    }
    drop(told);
    assert!(in_time("Go", go.wait()).await.expect("it ends").success());
}
