//! A member is stopped by SIGSTOP in the middle of a steady load: its connections stay open, and nothing comes back.

use std::time::Duration;

use anyhow::Result;

use super::trial::Trial;
use crate::demo::stage::Stage;

/// Longer than the deadline of a write that hangs with the member: 5 s.
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
