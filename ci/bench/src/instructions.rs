//! Instructions of one call, counted by callgrind: far less noisy than time, blind to what the kernel does.

use std::{env, process::Command};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use crate::{
    side::{Floor, Name, Ours, Putting, Stub, Transacting},
    unary::load,
};

/// The RPC that is counted. Only this client offers more than gets: its peers are compared by those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Call {
    #[default]
    Get,
    Put,
    Txn,
}

impl Call {
    const ALL: [Self; 3] = [Self::Get, Self::Put, Self::Txn];

    fn text(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::Txn => "txn",
        }
    }
}

/// The gets of the two runs of a side; their difference leaves start-up and connecting out.
const GETS: [usize; 2] = [1_280, 6_400];

#[derive(Debug, clap::Args)]
pub(crate) struct CountArgs {
    #[arg(long)]
    side: Name,
    #[arg(long, value_enum, default_value_t)]
    call: Call,
    #[arg(long)]
    endpoint: String,
    #[arg(long, default_value_t = 128)]
    in_flight: usize,
    #[arg(long)]
    gets: usize,
}

/// Gets of one side and nothing else.
pub(crate) async fn count(args: &CountArgs) -> anyhow::Result<()> {
    let CountArgs { side, call, endpoint, in_flight, gets } = args;
    match (side, call) {
        (Name::Ours, Call::Get) => load(&Ours::connect(endpoint).await?, *in_flight, *gets).await,
        (Name::Ours, Call::Put) => load(&Putting(Ours::connect(endpoint).await?), *in_flight, *gets).await,
        (Name::Ours, Call::Txn) => {
            load(&Transacting(Ours::connect(endpoint).await?), *in_flight, *gets).await
        }
        (Name::Tonic, Call::Get) => load(&Stub::connect(endpoint).await?, *in_flight, *gets).await,
        (Name::Floor, Call::Get) => load(&Floor::connect(endpoint).await?, *in_flight, *gets).await,
        (Name::Tonic | Name::Floor, Call::Put | Call::Txn) => bail!("only `--side ours` offers this call"),
    }
}

/// Prints the instructions per get of each side.
pub(crate) fn compare(endpoint: &str, in_flight: usize) -> anyhow::Result<()> {
    println!("\nInstructions per get against a minimal h2 server, {in_flight} in flight");
    let mut counts = [0.0; 3];
    for name in Name::ALL {
        counts[name as usize] = per_call(name, Call::Get, endpoint, in_flight)?;
        println!("{:>9}  {:>8.0}", name.text(), counts[name as usize]);
    }
    let ours = counts[Name::Ours as usize];
    for other in [Name::Tonic, Name::Floor] {
        println!("{:>11}ours/{}: {:.3}", "", other.text(), ours / counts[other as usize]);
    }
    println!("\nInstructions of this client per call, {in_flight} in flight and one at a time");
    for call in Call::ALL {
        let [many, one] = [in_flight, 1].map(|in_flight| per_call(Name::Ours, call, endpoint, in_flight));
        println!("{:>9}  {:>8.0}  {:>8.0}", call.text(), many?, one?);
    }
    Ok(())
}

/// Instructions per call, without those of start-up and connecting.
fn per_call(name: Name, call: Call, endpoint: &str, in_flight: usize) -> anyhow::Result<f64> {
    let [few, many] = GETS.map(|gets| instructions(name, call, endpoint, in_flight, gets));
    Ok((many? - few?) / (GETS[1] - GETS[0]) as f64)
}

fn instructions(
    name: Name,
    call: Call,
    endpoint: &str,
    in_flight: usize,
    gets: usize,
) -> anyhow::Result<f64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(env::current_exe().context("finding this program")?);
    command.args(["count", "--side", name.text(), "--call", call.text(), "--endpoint", endpoint]);
    command.args(["--in-flight", &in_flight.to_string(), "--gets", &gets.to_string()]);
    let output = command.output().context("running valgrind: is it installed?")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("valgrind failed: {said}");
    }
    collected(&said).with_context(|| format!("valgrind did not say what it collected: {said}"))
}

/// The figure in callgrind's closing line, `==1== Collected : 123`.
fn collected(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_is_read() {
        assert_eq!(collected("==7== Events    : Ir\n==7== Collected : 123456\n==7==\n"), Some(123_456.0));
        assert_eq!(collected("==7== nothing"), None);
    }
}
