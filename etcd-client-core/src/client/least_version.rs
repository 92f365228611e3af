//! The check of the members' etcd version.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use etcd_errors::{Error, ErrorKind};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::{Instant, timeout_at};

use crate::{
    transport::call::{channel::Channel, unary::reported_version},
    types::{Endpoint, version::ServerVersion},
};

/// The time for the other members to respond after the first one has. `ready` must not wait for a member that is down.
const GRACE: Duration = Duration::from_secs(1);

/// The minimum version of each member.
#[derive(Debug)]
pub(crate) struct LeastVersion {
    least: ServerVersion,
    met: AtomicBool,
}

impl LeastVersion {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let least = text.parse().map_err(|_no_version| {
            Error::invalid_config(
                "min_server_version",
                format!("{text:?} is not a version: use a form like 3.5 or 3.5.21"),
            )
        })?;
        Ok(Self { least, met: AtomicBool::new(false) })
    }

    /// Checks the version of every endpoint, until one check has succeeded. Fails if a member is older or no member responds.
    pub(crate) async fn check(&self, channel: &Channel, endpoints: Vec<Endpoint>) -> Result<(), Error> {
        if self.met.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut asked: FuturesUnordered<_> = endpoints
            .into_iter()
            .map(|endpoint| async move {
                let version = reported_version(channel, endpoint.clone()).await;
                (endpoint, version)
            })
            .collect();
        let (mut refusal, mut until) = (None, None::<Instant>);
        loop {
            let next = match until {
                Some(until) => timeout_at(until, asked.next()).await.unwrap_or(None),
                None => asked.next().await,
            };
            match next {
                Some((endpoint, Ok(version))) => {
                    self.judge(&endpoint, &version)?;
                    until = until.or_else(|| Some(Instant::now() + GRACE));
                }
                Some((_, Err(error))) => refusal = Some(error),
                None if until.is_some() => break,
                None => return Err(refusal.unwrap_or_else(no_version)),
            }
        }
        self.met.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn judge(&self, endpoint: &Endpoint, version: &str) -> Result<(), Error> {
        let least = self.least;
        match version.parse::<ServerVersion>() {
            Ok(found) if found >= least => Ok(()),
            Ok(found) => {
                let text = format!("the member at {endpoint} runs etcd {found}, which is older than {least}");
                Err(Error::new(ErrorKind::Unsupported, text))
            }
            Err(_no_version) => {
                // The text comes from the server and may be of any length.
                let shown: String = version.chars().take(32).collect();
                let text =
                    format!("the member at {endpoint} reports {shown:?}, which is not an etcd version");
                Err(Error::new(ErrorKind::Protocol, text))
            }
        }
    }
}

fn no_version() -> Error {
    Error::new(ErrorKind::Unavailable, "no member reported its version")
}
