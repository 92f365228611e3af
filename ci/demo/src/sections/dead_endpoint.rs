//! An endpoint without a server: an error if it is the only one, and no failed calls among healthy ones.

use std::{net::TcpListener, time::Duration};

use anyhow::{Context as _, Result};
use etcd_client_core::{Client, ErrorKind, Outcome};
use tokio::time::Instant;

use crate::{show, stage::Stage};

const DEADLINE: Duration = Duration::from_secs(1);
/// A call may end a little after its deadline on a busy machine.
const LATE: Duration = Duration::from_secs(2);
const GETS: usize = 200;

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let dead = dead_endpoint()?;
    alone(stage, &dead).await?;
    among_others(stage, &dead).await
}

/// Returns an endpoint with a port that was just free.
fn dead_endpoint() -> Result<String> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(format!("http://{}", address.context("looking for a free port")?))
}

async fn alone(stage: &mut Stage, dead: &str) -> Result<()> {
    let key = stage.key("greeting");
    let transcript = &mut stage.transcript;
    transcript.code(&format!("let lost = Client::builder([{dead:?}])"));
    transcript.code("    .timeout(Duration::from_secs(1)).build()?;");
    let lost = Client::builder([dead]).timeout(DEADLINE).build()?;
    transcript.code("lost.put(\"greeting\", \"lost\").await");
    let begun = Instant::now();
    let error = lost.put(&key, "lost").await.err().context("a put on a dead endpoint succeeded")?;
    let took = begun.elapsed();
    lost.close().await;
    transcript.result(error.report());
    transcript.result(format!("after {}", show::duration(took)));
    transcript.check("the kind shows that no member could be reached", error.kind(), ErrorKind::Unavailable);
    transcript.check("nothing was written", error.outcome(), Outcome::NotApplied);
    let named =
        error.attempts().iter().any(|attempt| attempt.endpoint() == dead && !attempt.reason().is_empty());
    transcript.holds("the error names the endpoint and the reason", named);
    transcript.holds("the call ended at its deadline", took < LATE);
    Ok(())
}

async fn among_others(stage: &mut Stage, dead: &str) -> Result<()> {
    let key = stage.key("greeting");
    let transcript = &mut stage.transcript;
    transcript
        .code(&format!("let client = Client::builder([{dead:?}, /* and the healthy ones */]).build()?;"));
    let endpoints = std::iter::once(dead).chain(stage.endpoints.iter().map(String::as_str));
    let client = Client::builder(endpoints).build()?;
    transcript.code(&format!("client.get(\"greeting\").await?   // {GETS} times"));
    let (mut failed, mut slowest) = (0, Duration::ZERO);
    for _ in 0..GETS {
        let begun = Instant::now();
        match client.get(&key).await {
            Ok(_) => slowest = slowest.max(begun.elapsed()),
            Err(error) => {
                failed += 1;
                transcript.result(error.report());
            }
        }
    }
    client.close().await;
    transcript.result(format!("{failed} failed, the slowest took {}", show::duration(slowest)));
    transcript.check("a dead endpoint fails no calls while another is healthy", failed, 0);
    Ok(())
}
