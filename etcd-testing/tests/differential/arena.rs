//! A real etcd and its opponent, and a campaign of sequences between them.

use etcd_testing::Etcd;
use etcd_testkit::{Cluster, Line};

use crate::{
    endpoint::Endpoint,
    generate,
    operation::Step,
    runner::{Difference, Pair},
    shrink::shrink,
};

/// Both sides.
#[derive(Debug)]
pub(crate) struct Arena {
    line: Line,
    pair: Pair,
    opponent: Opponent,
}

/// The server that is compared with etcd.
#[derive(Debug)]
pub(crate) enum Opponent {
    /// Another etcd, which shows that the comparison has no false alarms.
    Etcd(Box<Cluster>),
    /// The model, of a line.
    Model(Etcd, etcd_testing::Line),
}

/// The extent of a campaign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) operations: usize,
    /// The seed of the first sequence. The next one has the next seed.
    pub(crate) seed: u64,
    /// The number of differences after which the campaign ends.
    pub(crate) differences: usize,
    /// Whether sequences with a difference are made smaller.
    pub(crate) shrink: bool,
}

/// The result of a campaign.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The operations that were answered alike.
    pub(crate) operations: usize,
    pub(crate) sequences: u64,
    pub(crate) differences: Vec<(u64, Difference)>,
}

impl Arena {
    pub(crate) fn new(etcd: &Cluster, opponent: Opponent) -> Self {
        let pair = Pair { expected: Endpoint::new(&etcd.endpoints()[0]), actual: opponent.endpoint() };
        Self { line: etcd.version().line(), pair, opponent }
    }

    /// Runs sequences until enough operations were equal or enough differences were found.
    pub(crate) async fn campaign(&mut self, extent: Extent) -> Outcome {
        let mut outcome = Outcome::default();
        while outcome.operations < extent.operations && outcome.differences.len() < extent.differences {
            let seed = extent.seed.wrapping_add(outcome.sequences);
            outcome.sequences += 1;
            let steps = generate::sequence(seed, self.line);
            match self.pair.run(&steps).await {
                Ok(()) => outcome.operations += steps.len(),
                Err(mut difference) => {
                    outcome.operations += difference.steps.len().saturating_sub(1);
                    if extent.shrink {
                        difference = shrink(self, difference).await;
                    }
                    let kind = difference.kind();
                    if outcome.differences.iter().all(|(_, known)| known.kind() != kind) {
                        eprintln!("seed {seed}\n{difference}\n");
                        outcome.differences.push((seed, difference));
                    }
                    self.renew().await;
                }
            }
            let comparable = outcome.differences.is_empty();
            assert!(!comparable || self.pair.same_origin(), "the revisions differ at the end of seed {seed}");
        }
        outcome
    }

    /// Runs a sequence on an opponent without a past.
    pub(crate) async fn run_afresh(&mut self, steps: &[Step]) -> Result<(), Difference> {
        self.renew().await;
        self.pair.run(steps).await
    }

    async fn renew(&mut self) {
        if let Some(endpoint) = self.opponent.renew().await {
            self.pair.actual = endpoint;
        }
    }
}

impl Opponent {
    /// Starts the model of the line of an etcd.
    pub(crate) async fn model(etcd: &Cluster) -> Self {
        let line = modelled(etcd.version().line());
        Self::Model(start(line).await, line)
    }

    fn endpoint(&self) -> Endpoint {
        match self {
            Self::Etcd(cluster) => Endpoint::new(&cluster.endpoints()[0]),
            Self::Model(model, _) => Endpoint::new(model.endpoint()),
        }
    }

    /// Starts it again with an empty store. A real etcd takes too long for that, and is reset instead.
    async fn renew(&mut self) -> Option<Endpoint> {
        match self {
            Self::Etcd(_) => return None,
            Self::Model(model, line) => *model = start(*line).await,
        }
        Some(self.endpoint())
    }
}

async fn start(line: etcd_testing::Line) -> Etcd {
    Etcd::builder().line(line).start().await.expect("a loopback port is free")
}

fn modelled(line: Line) -> etcd_testing::Line {
    let newest = etcd_testing::Line::default();
    let lines = Line::ALL.into_iter().zip(etcd_testing::Line::ALL);
    lines.into_iter().find(|(real, _)| *real == line).map_or(newest, |(_, modelled)| modelled)
}

/// A real etcd with passwords that are cheap to check.
pub(crate) async fn etcd(line: Option<Line>) -> Option<Cluster> {
    let mut builder = Cluster::builder().arg("--bcrypt-cost", "4");
    if let Some(line) = line {
        builder = builder.line(line);
    }
    builder.start_or_skip().await
}
