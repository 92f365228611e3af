//! Nothing outlives a cluster: not after drop, not after a panic, not after SIGKILL of the process that ran it.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use etcd_testkit::Cluster;
use tokio::time::{sleep, timeout};

/// An etcd without a directory ends by itself after 30 s: that must not pass for a cleanup.
const PATIENCE: Duration = Duration::from_secs(15);

/// The variable that makes the test [`victim`] a child, with the way in which it ends.
const END: &str = "TESTKIT_VICTIM_END";

/// The processes and the directory that a cluster must remove.
#[derive(Debug)]
struct Traces {
    pids: Vec<u32>,
    dir: PathBuf,
}

impl Traces {
    fn of(cluster: &Cluster) -> Self {
        let pids = cluster.members().iter().filter_map(etcd_testkit::Member::pid).collect();
        Self { pids, dir: cluster.dir().to_owned() }
    }

    /// Running processes that still use the directory: a number alone might be a stranger's by now.
    fn alive(&self) -> Vec<u32> {
        let works_here =
            |pid: &u32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(&self.dir));
        self.pids.iter().copied().filter(works_here).collect()
    }

    async fn vanish(&self) {
        let gone = async {
            while self.dir.exists() || !self.alive().is_empty() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let outcome = timeout(PATIENCE, gone).await;
        assert!(
            outcome.is_ok(),
            "left behind: {:?}, {} exists: {}",
            self.alive(),
            self.dir.display(),
            self.dir.exists()
        );
    }
}

#[tokio::test]
async fn drop_takes_everything_along_even_a_paused_member() {
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let traces = Traces::of(&cluster);
    assert_eq!(traces.alive().len(), 3);
    cluster.member(1).pause().await.unwrap();
    drop(cluster);
    traces.vanish().await;
}

#[tokio::test]
async fn stop_returns_when_everything_is_gone() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let traces = Traces::of(&cluster);
    cluster.stop().await.unwrap();
    assert!(traces.alive().is_empty() && !traces.dir.exists());
}

#[tokio::test]
async fn a_panic_leaves_nothing() {
    if etcd_testkit::require().is_none() {
        return;
    }
    let (mut child, traces) = start_victim("panic");
    child.wait().unwrap();
    traces.vanish().await;
}

#[tokio::test]
async fn sigkill_leaves_nothing() {
    if etcd_testkit::require().is_none() {
        return;
    }
    let (mut child, traces) = start_victim("hang");
    assert_eq!(traces.alive().len(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    traces.vanish().await;
}

/// Runs [`victim`] in a separate process until its cluster is up.
fn start_victim(end: &str) -> (Child, Traces) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "leftovers::victim", "--nocapture"]).env(END, end);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let traces = read_traces(child.stdout.take().unwrap());
    (child, traces)
}

fn read_traces(stdout: ChildStdout) -> Traces {
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let line = lines
        .find_map(|line| line.strip_prefix("traces ").map(str::to_owned))
        .expect("the victim has a cluster");
    let (pid, dir) = line.split_once(' ').unwrap();
    Traces { pids: vec![pid.parse().unwrap()], dir: Path::new(dir).to_owned() }
}

/// Not a test by itself: the child that the tests above start.
#[tokio::test]
async fn victim() {
    let Ok(end) = env::var(END) else { return };
    let cluster = Cluster::builder().start().await.unwrap();
    let traces = Traces::of(&cluster);
    writeln!(std::io::stdout(), "\ntraces {} {}", traces.pids[0], traces.dir.display()).unwrap();
    assert_ne!(end, "panic", "as asked");
    std::future::pending::<()>().await;
}
