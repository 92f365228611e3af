//! A cluster whose every part is recorded, and the judgement at the end.

use std::{fs, path::PathBuf, time::Duration};

use etcd_client_core::Client;
use etcd_testkit::{
    Cluster, Line, Proxied, Witnesses,
    check::{self, Limits},
    history::{History, Recorder, Rev},
    schedule::{Plan, Site},
};

use crate::settings::{Settings, print};

/// What no wait of a run exceeds.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

const MEMBERS: usize = 3;

/// One run.
#[derive(Debug)]
pub(super) struct Rig {
    pub(super) settings: Settings,
    pub(super) recorder: Recorder,
    cluster: Cluster,
    proxied: Proxied,
    witnesses: Witnesses,
}

impl Rig {
    /// Three members behind proxies, or nothing where the test has to be skipped.
    pub(super) async fn start(scenario: &str) -> Option<Self> {
        let settings = Settings::from_env();
        let binaries = etcd_testkit::require()?;
        let version = binaries.version;
        // Renamed in 3.6, and gone under its old name in 3.7 (etcd's `server/embed/config.go`).
        let old = version.line() < Line::V3_6;
        let interval = if old {
            "--experimental-watch-progress-notify-interval"
        } else {
            "--watch-progress-notify-interval"
        };
        let cluster =
            Cluster::builder().members(MEMBERS).binaries(binaries).arg(interval, "1s").start().await;
        let cluster = cluster.expect("etcd starts");
        let file = settings.file(scenario, version);
        let recorder = Recorder::create(file, &version.to_string(), settings.seed).expect("a history begins");
        print(format_args!(
            "{scenario} on etcd {version}: seed {}, {:?}, {}",
            settings.seed,
            settings.length,
            recorder.path().display()
        ));
        let witnesses = Witnesses::start(&cluster, &recorder).expect("witnesses start");
        let proxied = cluster.proxied().expect("proxies start");
        Some(Self { settings, recorder, cluster, proxied, witnesses })
    }

    /// A client of all members, with default settings.
    pub(super) fn client(&self) -> Client {
        Client::builder(self.proxied.endpoints()).build().expect("the endpoints are valid")
    }

    /// Has the faults of the seed happen, and heals them.
    pub(super) async fn faults(&self) {
        let Self { cluster, proxied, witnesses, recorder, settings, .. } = self;
        let site = Site { cluster, proxied, witnesses, recorder };
        let plan = Plan::random(settings.seed, MEMBERS, settings.length);
        site.run(&plan, std::future::pending()).await.expect("faults happen and are healed");
    }

    /// Ends the run and judges its history: `last` is its last revision.
    pub(super) async fn judge(self, last: Rev) {
        let seen = self.witnesses.wait_for(last, PATIENCE).await;
        seen.unwrap_or_else(|error| panic!("{error:#}; {}", self.recorder.path().display()));
        drop(self.witnesses);
        self.recorder.finish().expect("the history is written");
        self.cluster.stop().await.expect("stopped");
        let path: PathBuf = self.recorder.path().to_owned();
        let history = History::read(&path).expect("the history is read");
        let verdict = check::all(&history, &Limits::default());
        print(verdict.figures());
        if let Some(latest) = verdict.lags().first() {
            print(format_args!(
                "watch {} was {:.0} ms late, which was the latest",
                latest.watch,
                latest.nanos.millis()
            ));
        }
        assert!(verdict.is_clean(), "{}: {}", path.display(), verdict.report(&history));
        if !self.settings.keep {
            fs::remove_file(&path).expect("the history is removed");
        }
    }

    /// Ends a run that failed, its history with it.
    pub(super) fn fail(self, what: &str) -> ! {
        let written = self.recorder.finish();
        panic!(
            "{what}\nseed {}, history in {} ({written:?})",
            self.settings.seed,
            self.recorder.path().display()
        );
    }
}
