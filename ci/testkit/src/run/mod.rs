//! A run under faults: a cluster whose every part is recorded, and the judgement at the end.
//!
//! ```no_run
//! # async fn demo() -> anyhow::Result<()> {
//! use etcd_testkit::run::Run;
//!
//! let Some(run) = Run::start("puts").await else { return Ok(()) };
//! // A client of `run.endpoints()` does what it does, and writes it down in `run.recorder()`.
//! run.faults(Vec::new()).await;
//! // The revision of the last write of all.
//! run.judge(etcd_testkit::history::Rev(2)).await;
//! # Ok(())
//! # }
//! ```

mod settings;

use std::{fs, path::PathBuf, time::Duration};

pub use settings::{Settings, say};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    Cluster, Line, Proxied, Version, Witnesses,
    check::{self, Limits, Verdict},
    history::{History, Recorder, Rev},
    require,
    schedule::{Plan, Site, Step, leadership},
};

/// The time limit for the witnesses to see the last revision.
const PATIENCE: Duration = Duration::from_secs(60);

/// One run on three members behind fault proxies.
#[derive(Debug)]
pub struct Run {
    settings: Settings,
    recorder: Recorder,
    cluster: Cluster,
    proxied: Proxied,
    witnesses: Witnesses,
    /// Leases are about time: runs of a process take turns.
    _turn: MutexGuard<'static, ()>,
}

impl Run {
    /// The number of members.
    pub const MEMBERS: usize = 3;

    /// Starts members, witnesses and a history; nothing where the test has to be skipped.
    ///
    /// # Panics
    /// When something cannot be started.
    pub async fn start(scenario: &str) -> Option<Self> {
        static TURN: Mutex<()> = Mutex::const_new(());
        let binaries = require()?;
        let (settings, turn) = (Settings::from_env(), TURN.lock().await);
        let version = binaries.version;
        let cluster = Cluster::builder().members(Self::MEMBERS).binaries(binaries);
        let cluster = cluster.arg(progress_flag(version), "1s").start().await.expect("etcd starts");
        let file = settings.file(scenario, version);
        let recorder = Recorder::create(file, &version.to_string(), settings.seed).expect("a history begins");
        say(format_args!(
            "{scenario} on etcd {version}: seed {}, {:?}, {}",
            settings.seed,
            settings.length,
            recorder.path().display()
        ));
        let witnesses = Witnesses::start(&cluster, &recorder).expect("witnesses start");
        let proxied = cluster.proxied().expect("proxies start");
        Some(Self { settings, recorder, cluster, proxied, witnesses, _turn: turn })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The history of the run.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The endpoints for clients.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        self.proxied.endpoints()
    }

    /// Has the faults of the seed happen and then `more`, whose times count from the end of the others, and heals them
    /// all.
    ///
    /// # Panics
    /// When a fault does not happen, or is not healed.
    pub async fn faults(&self, more: Vec<Step>) {
        self.happen(self.plan(), more).await;
    }

    /// As [`faults`](Self::faults), with as many faults again that deliver requests late: members paused, links delayed
    /// and held.
    ///
    /// # Panics
    /// When a fault does not happen, or is not healed.
    pub async fn late_faults(&self, more: Vec<Step>) {
        self.happen(Plan::late(self.settings.seed, Self::MEMBERS, self.settings.length), more).await;
    }

    /// Has exactly these faults happen, and heals them all.
    ///
    /// # Panics
    /// When a fault does not happen, or is not healed.
    pub async fn cause(&self, steps: Vec<Step>) {
        self.happen(Plan::of(Vec::new()), steps).await;
    }

    /// The links between clients and members.
    #[must_use]
    pub fn proxied(&self) -> &Proxied {
        &self.proxied
    }

    /// The member that leads, by its place in the cluster.
    ///
    /// # Panics
    /// When none does.
    pub async fn leader(&self) -> usize {
        leadership::leader(&self.cluster).await.expect("a leader")
    }

    /// The members, past the proxies.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn plan(&self) -> Plan {
        Plan::random(self.settings.seed, Self::MEMBERS, self.settings.length)
    }

    async fn happen(&self, plan: Plan, more: Vec<Step>) {
        let Self { cluster, proxied, witnesses, recorder, settings, .. } = self;
        let site = Site { cluster, proxied, witnesses, recorder };
        let after = if plan.steps().is_empty() { Duration::ZERO } else { settings.length };
        let plan = plan.followed_by(after, more);
        site.run(&plan, std::future::pending()).await.expect("faults happen and are healed");
    }

    /// Ends the run and judges its history, which stays where something is broken: `last` is the last revision of all.
    ///
    /// # Panics
    /// When something is broken, or a witness does not see the last revision.
    pub async fn judge(self, last: Rev) {
        let keep = self.settings.keep;
        let (verdict, history, path) = self.verdict(last).await;
        assert!(verdict.is_clean(), "{}: {}", path.display(), verdict.report(&history));
        if !keep {
            fs::remove_file(path).expect("the history is removed");
        }
    }

    /// Ends the run and gives what [`judge`](Self::judge) would assert, with the history and its file.
    ///
    /// # Panics
    /// When a witness does not see the last revision.
    pub async fn verdict(self, last: Rev) -> (Verdict, History, PathBuf) {
        let path = self.recorder.path().to_owned();
        let seen = self.witnesses.wait_for(last, PATIENCE).await;
        seen.unwrap_or_else(|error| panic!("{error:#}; {}", path.display()));
        drop(self.witnesses);
        self.recorder.finish().expect("the history is written");
        self.cluster.stop().await.expect("stopped");
        let history = History::read(&path).expect("the history is read");
        let verdict = check::all(&history, &Limits::default());
        say(verdict.figures());
        if let Some(latest) = verdict.lags().first() {
            let late = latest.nanos.millis();
            say(format_args!("watch {} was {late:.0} ms late, which was the latest", latest.watch));
        }
        (verdict, history, path)
    }

    /// Ends a run that failed; its history stays.
    ///
    /// # Panics
    /// Always.
    pub fn fail(self, what: &str) -> ! {
        let (written, path) = (self.recorder.finish(), self.recorder.path().display());
        panic!("{what}\nseed {}, history in {path} ({written:?})", self.settings.seed);
    }
}

/// Renamed in 3.6, and gone under its old name in 3.7 (etcd's `server/embed/config.go`).
fn progress_flag(version: Version) -> &'static str {
    if version.line() < Line::V3_6 {
        "--experimental-watch-progress-notify-interval"
    } else {
        "--watch-progress-notify-interval"
    }
}
