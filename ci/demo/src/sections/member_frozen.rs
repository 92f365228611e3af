//! Stops a member with SIGSTOP under load. Its connections stay open, but it does not answer.

use std::time::Duration;

use anyhow::Result;

use super::trial::Trial;
use crate::stage::Stage;

/// Longer than 5 s, the deadline of a write that waits for the member.
const FROZEN: Duration = Duration::from_millis(5_500);

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let mut trial = Trial::begin(stage, "frozen").await?;
    trial.fault("kill -STOP")?;
    trial.victim()?.pause().await?;
    trial.run(FROZEN).await;
    trial.until_ready(false).await?;
    trial.heal("kill -CONT")?;
    trial.victim()?.resume()?;
    trial.until_ready(true).await?;
    trial.end().await
}
