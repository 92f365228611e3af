//! Kills a member under load and restarts it.

use std::time::Duration;

use anyhow::Result;

use super::trial::Trial;
use crate::stage::Stage;

const DEAD: Duration = Duration::from_secs(2);

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let mut trial = Trial::begin(stage, "killed").await?;
    trial.fault("kill -9")?;
    trial.victim()?.kill()?;
    trial.until_ready(false).await?;
    trial.run(DEAD).await;
    trial.heal("restart")?;
    trial.victim()?.launch().await?;
    trial.until_ready(true).await?;
    trial.end().await
}
