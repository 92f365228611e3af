//! Instructions of one get, counted by callgrind: far less noisy than time, blind to what the kernel does.

use std::{env, process::Command};

use anyhow::{Context as _, bail};

use crate::{
    side::{Floor, Name, Ours, Stub},
    unary::load,
};

/// The gets of the two runs of a side; their difference leaves start-up and connecting out.
const GETS: [usize; 2] = [1_280, 6_400];

#[derive(Debug, clap::Args)]
pub(crate) struct CountArgs {
    #[arg(long)]
    side: Name,
    #[arg(long)]
    endpoint: String,
    #[arg(long, default_value_t = 128)]
    in_flight: usize,
    #[arg(long)]
    gets: usize,
}

/// Gets of one side and nothing else.
pub(crate) async fn count(args: &CountArgs) -> anyhow::Result<()> {
    let CountArgs { side, endpoint, in_flight, gets } = args;
    match side {
        Name::Ours => load(&Ours::connect(endpoint).await?, *in_flight, *gets).await,
        Name::Tonic => load(&Stub::connect(endpoint).await?, *in_flight, *gets).await,
        Name::Floor => load(&Floor::connect(endpoint).await?, *in_flight, *gets).await,
    }
}

/// Prints the instructions per get of each side.
pub(crate) fn compare(endpoint: &str, in_flight: usize) -> anyhow::Result<()> {
    println!("\nInstructions per get against a minimal h2 server, {in_flight} in flight");
    let mut counts = [0.0; 3];
    for name in Name::ALL {
        let [few, many] = GETS.map(|gets| instructions(name, endpoint, in_flight, gets));
        counts[name as usize] = (many? - few?) / (GETS[1] - GETS[0]) as f64;
        println!("{:>9}  {:>8.0}", name.text(), counts[name as usize]);
    }
    let ours = counts[Name::Ours as usize];
    for other in [Name::Tonic, Name::Floor] {
        println!("{:>11}ours/{}: {:.3}", "", other.text(), ours / counts[other as usize]);
    }
    Ok(())
}

fn instructions(name: Name, endpoint: &str, in_flight: usize, gets: usize) -> anyhow::Result<f64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(env::current_exe().context("finding this program")?);
    command.args(["count", "--side", name.text(), "--endpoint", endpoint]);
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
