//! CPU time of one get: this client, tonic's `Channel` and the floor, in interleaved rounds in one process.
//!
//! The server is another process, so its CPU time is not counted. Each ratio is taken between neighbours of one round,
//! so that what the machine does meanwhile meets all sides alike.

use anyhow::{bail, ensure};
use cpu_time::ProcessTime;
use tokio::task::JoinSet;

use crate::{
    instructions,
    server::{Server, VALUE_LENGTH},
    side::{Floor, Name, Ours, Side, Stub},
    statistics::Summary,
};

/// Gets in flight, and the gets of one block: about as long for each.
const LOADS: [(usize, usize); 3] = [(1, 4_000), (16, 16_000), (128, 25_600)];

/// The load that the limit is about.
const JUDGED: usize = 128;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The greatest median ratio to tonic's Channel with 128 gets in flight.
    #[arg(long, default_value_t = 0.65)]
    limit: f64,
    /// Rounds that count; one more is run before them.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measure against this etcd as well, which holds the key; nothing is judged by it.
    #[arg(long, value_name = "ENDPOINT")]
    etcd: Option<String>,
    /// Count instructions as well: needs valgrind, takes a minute.
    #[arg(long)]
    instructions: bool,
}

/// One client of each side on one server.
#[derive(Debug)]
pub(crate) struct Sides {
    ours: Ours,
    tonic: Stub,
    floor: Floor,
}

/// Microseconds of CPU time per get, one entry a round.
#[derive(Debug, Default)]
struct Costs([Vec<f64>; 3]);

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let server = Server::start().await?;
    let judged = compare("a minimal h2 server", &server.endpoint, args.rounds).await?;
    if let Some(etcd) = &args.etcd {
        compare("etcd", etcd, args.rounds).await?;
    }
    if args.instructions {
        instructions::compare(&server.endpoint, JUDGED)?;
    }
    if judged > args.limit {
        bail!("the median ratio to tonic at {JUDGED} in flight is {judged:.3}, above {}", args.limit);
    }
    println!("\nours/tonic at {JUDGED} in flight: {judged:.3}, within the limit of {}", args.limit);
    Ok(())
}

/// Prints a table and returns the median ratio to tonic of the judged load.
async fn compare(server: &str, endpoint: &str, rounds: u32) -> anyhow::Result<f64> {
    let sides = Sides::connect(endpoint).await?;
    println!("\nCPU time per get in us against {server}, {rounds} rounds: least / median / greatest");
    println!("{:>9}  {:>22}  {:>22}  {:>22}", "in flight", "ours", "tonic", "floor");
    let mut judged = f64::NAN;
    for (in_flight, gets) in LOADS {
        let costs = sides.rounds(in_flight, gets, rounds).await?;
        costs.print(in_flight);
        if in_flight == JUDGED {
            judged = costs.ratio(Name::Tonic).median;
        }
    }
    Ok(judged)
}

impl Sides {
    pub(crate) async fn connect(endpoint: &str) -> anyhow::Result<Self> {
        Ok(Self {
            ours: Ours::connect(endpoint).await?,
            tonic: Stub::connect(endpoint).await?,
            floor: Floor::connect(endpoint).await?,
        })
    }

    /// The first round warms up and is forgotten; each later one starts with another side.
    async fn rounds(&self, in_flight: usize, gets: usize, rounds: u32) -> anyhow::Result<Costs> {
        let mut costs = Costs::default();
        for round in 0..=rounds as usize {
            for turn in 0..Name::ALL.len() {
                let name = Name::ALL[(round + turn) % Name::ALL.len()];
                let cost = self.block(name, in_flight, gets).await?;
                if round > 0 {
                    costs.0[name as usize].push(cost);
                }
            }
        }
        Ok(costs)
    }

    async fn block(&self, name: Name, in_flight: usize, gets: usize) -> anyhow::Result<f64> {
        let started = ProcessTime::now();
        match name {
            Name::Ours => load(&self.ours, in_flight, gets).await?,
            Name::Tonic => load(&self.tonic, in_flight, gets).await?,
            Name::Floor => load(&self.floor, in_flight, gets).await?,
        }
        Ok(started.elapsed().as_secs_f64() * 1e6 / gets as f64)
    }
}

/// Keeps `in_flight` gets under way until `gets` have been answered.
pub(crate) async fn load<S: Side>(side: &S, in_flight: usize, gets: usize) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        let mut side = side.clone();
        tasks.spawn(async move {
            for _ in 0..gets / in_flight {
                ensure!(side.call().await? == VALUE_LENGTH, "another value came back");
            }
            Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}

impl Costs {
    fn of(&self, name: Name) -> &[f64] {
        &self.0[name as usize]
    }

    /// Ours to another side, round by round.
    fn ratios(&self, other: Name) -> Vec<f64> {
        self.of(Name::Ours).iter().zip(self.of(other)).map(|(ours, other)| ours / other).collect()
    }

    fn ratio(&self, other: Name) -> Summary {
        Summary::of(&self.ratios(other))
    }

    fn print(&self, in_flight: usize) {
        let cells = Name::ALL.map(|name| {
            let Summary { least, median, greatest } = Summary::of(self.of(name));
            format!("{least:.2} / {median:.2} / {greatest:.2}")
        });
        println!("{in_flight:>9}  {:>22}  {:>22}  {:>22}", cells[0], cells[1], cells[2]);
        for other in [Name::Tonic, Name::Floor] {
            let rounds: Vec<_> = self.ratios(other).iter().map(|ratio| format!("{ratio:.2}")).collect();
            let median = self.ratio(other).median;
            println!("{:>11}ours/{}: median {median:.3}, rounds {}", "", other.text(), rounds.join(" "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_a_round() {
        let costs = Costs([vec![5.0, 12.0, 3.0], vec![10.0, 20.0, 5.0], vec![5.0, 10.0, 3.0]]);
        assert_eq!(costs.ratios(Name::Tonic), [0.5, 0.6, 0.6]);
        assert_eq!(costs.ratio(Name::Tonic).median, 0.6);
        assert_eq!(costs.ratio(Name::Floor).greatest, 1.2);
    }

    #[test]
    fn every_load_is_divided_evenly_and_one_is_judged() {
        assert!(LOADS.iter().all(|(in_flight, gets)| gets % in_flight == 0));
        assert!(LOADS.iter().any(|&(in_flight, _)| in_flight == JUDGED));
    }
}
