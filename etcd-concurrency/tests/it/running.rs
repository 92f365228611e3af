//! Work under a lock or as a leader in a process that is stopped for longer than its lease lives.
#![allow(clippy::print_stdout, reason = "that is how the stopped process reports its steps")]

use std::{
    fs::{File, read_to_string},
    path::PathBuf,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use etcd_client_core::Client;
use etcd_concurrency::{Election, Mutex, Session, run_as_leader, run_with_lock};
use futures_util::future::join_all;
use tokio::time::sleep;

use crate::rig::{client, cluster, count, eventually};

const ENDPOINT: &str = "STOPPED_WORK_ENDPOINT";
const NAME: &str = "STOPPED_WORK_NAME";
/// The file that exists as soon as the process is continued.
const GO: &str = "STOPPED_WORK_GO";
const TTL: Duration = Duration::from_secs(2);

/// The number of stopped processes, of which this many run at the same time.
const PROCESSES: usize = 50;
const AT_ONCE: usize = 10;

/// A process that works under a lock or as a leader, and stops itself between two steps. Killed at the end of the test.
struct Process {
    child: Child,
    name: String,
    output: PathBuf,
    go: PathBuf,
}

impl Process {
    fn start(endpoint: &str, number: usize, folder: &tempfile::TempDir) -> Self {
        let kind = if number.is_multiple_of(2) { "lock" } else { "election" };
        let name = format!("{kind}-{number}");
        let output = folder.path().join(&name);
        let go = output.with_extension("go");
        let child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "running::stopped_process", "--ignored", "--nocapture"])
            .env(ENDPOINT, endpoint)
            .env(NAME, &name)
            .env(GO, &go)
            .stdout(File::create(&output).expect("a file"))
            .spawn();
        Self { child: child.expect("it starts"), name, output, go }
    }

    fn text(&self) -> String {
        read_to_string(&self.output).expect("text")
    }

    fn is_stopped(&self) -> bool {
        let id = self.child.id().to_string();
        // Linux has the state after the name, which is in parentheses. Other systems have `ps`.
        let state = match read_to_string(format!("/proc/{id}/stat")) {
            Ok(stat) => stat.rsplit(')').next().unwrap_or_default().trim_start().to_owned(),
            Err(_) => {
                let printed = Command::new("ps").args(["-o", "stat=", "-p", &id]).output().expect("ps runs");
                String::from_utf8_lossy(&printed.stdout).trim_start().to_owned()
            }
        };
        state.starts_with('T')
    }

    /// Continues the process after its lease has expired, and returns what it did from then on.
    async fn continued(&self, client: &Client) -> String {
        eventually("it is stopped", async || self.is_stopped()).await;
        eventually("its lease has expired", async || count(client, &format!("{}/", self.name)).await == 0)
            .await;
        File::create(&self.go).expect("a file");
        let sent = Command::new("kill").args(["-CONT", &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        eventually("the work ends", async || self.text().contains("ended")).await;
        let text = self.text();
        let (before, after) = text.split_once("stopping").expect("it stopped");
        assert!(before.contains("step"), "{text}");
        after.to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn no_step_runs_after_a_stop_that_outlives_the_lease() {
    let Some(cluster) = cluster(1).await else { return };
    let (client, folder) = (client(&cluster), tempfile::tempdir().expect("a folder"));
    let mut stopped = 0;
    for first in (0..PROCESSES).step_by(AT_ONCE) {
        let processes: Vec<_> = (first..first + AT_ONCE)
            .map(|number| Process::start(cluster.member(0).endpoint(), number, &folder))
            .collect();
        for after in join_all(processes.iter().map(|process| process.continued(&client))).await {
            assert!(after.contains("continued"), "{after}");
            assert!(!after.contains("step"), "a step ran after the stop: {after}");
            stopped += 1;
        }
    }
    assert_eq!(stopped, PROCESSES);
}

/// Works in short steps until the lock or the leadership is lost.
#[tokio::test]
#[ignore = "runs in processes of its own, started by the test above"]
async fn stopped_process() {
    let (Ok(endpoint), Ok(name)) = (std::env::var(ENDPOINT), std::env::var(NAME)) else { return };
    let go = PathBuf::from(std::env::var_os(GO).expect("set together with the others"));
    let client = Client::builder([endpoint]).build().expect("the endpoint is valid");
    let session = Session::builder(&client).ttl(TTL).await.expect("a session");
    let steps = Arc::new(AtomicUsize::new(0));
    // The runtime has one thread, so that no step is running when this task stops the process.
    tokio::spawn({
        let steps = Arc::clone(&steps);
        async move {
            while steps.load(Ordering::Relaxed) < 5 {
                sleep(Duration::from_millis(1)).await;
            }
            println!("stopping");
            let sent = Command::new("kill").args(["-STOP", &std::process::id().to_string()]).status();
            assert!(sent.is_ok_and(|status| status.success()));
            // The thread that receives the signal stops the others, which may take a moment. This task keeps the thread of the
            // runtime until the process is continued, so that no step begins in between.
            while !go.exists() {
                std::thread::yield_now();
            }
            println!("continued");
        }
    });
    let work = async move {
        loop {
            println!("step {}", steps.fetch_add(1, Ordering::Relaxed));
            sleep(Duration::from_millis(5)).await;
        }
    };
    let ended: Result<(), _> = if name.starts_with("lock") {
        run_with_lock(&Mutex::new(&session, name), |_| work).await
    } else {
        run_as_leader(&Election::new(&session, name), "me", |_| work).await
    };
    println!("ended: {}", ended.expect_err("the lease expired"));
}
