//! The check of the members' etcd version.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use etcd_errors::{Error, ErrorKind, ErrorTopic};
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
    known: Mutex<Known>,
}

/// The results of earlier checks, for the current endpoints.
#[derive(Debug, Default)]
struct Known {
    /// The endpoints whose members are new enough.
    met: HashSet<Endpoint>,
    /// The endpoints that did not respond. They are checked again once they are connected.
    silent: HashSet<Endpoint>,
}

impl Known {
    fn keep(&mut self, endpoints: &[Endpoint]) {
        self.met.retain(|endpoint| endpoints.contains(endpoint));
        self.silent.retain(|endpoint| endpoints.contains(endpoint));
    }

    /// Returns `true` if the endpoint has to be checked. One that is down is checked only once, because each check waits for it.
    fn lacks(&self, endpoint: &Endpoint, connected: &[Endpoint]) -> bool {
        !self.met.contains(endpoint) && (!self.silent.contains(endpoint) || connected.contains(endpoint))
    }
}

impl LeastVersion {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let least = text.parse().map_err(|_no_version| {
            Error::invalid_config(
                "min_server_version",
                format!("{text:?} is not a version: use a form like 3.5 or 3.5.21"),
            )
        })?;
        Ok(Self { least, known: Mutex::default() })
    }

    /// Checks the version of every endpoint that was not checked yet. Fails if a member is older, or if no member has ever responded.
    pub(crate) async fn check(&self, channel: &Channel, endpoints: Vec<Endpoint>) -> Result<(), Error> {
        let (asked, mut until) = {
            let mut known = self.known();
            known.keep(&endpoints);
            let connected = channel.pool().ready_endpoints();
            let asked = endpoints.into_iter().filter(|endpoint| known.lacks(endpoint, &connected));
            // Without a member that has responded, the first response is waited for.
            (asked.collect::<Vec<_>>(), (!known.met.is_empty()).then(|| Instant::now() + GRACE))
        };
        let mut silent: HashSet<Endpoint> = asked.iter().cloned().collect();
        let mut asked: FuturesUnordered<_> = asked
            .into_iter()
            .map(|endpoint| async move {
                let version = reported_version(channel, endpoint.clone()).await;
                (endpoint, version)
            })
            .collect();
        let mut rejection = None;
        loop {
            let next = match until {
                Some(until) => timeout_at(until, asked.next()).await.unwrap_or(None),
                None => asked.next().await,
            };
            match next {
                Some((endpoint, Ok(version))) => {
                    self.check_version(&endpoint, &version)?;
                    silent.remove(&endpoint);
                    self.known().met.insert(endpoint);
                    until = until.or_else(|| Some(Instant::now() + GRACE));
                }
                Some((_, Err(error))) => rejection = Some(error),
                None if until.is_some() => break,
                None => return Err(rejection.unwrap_or_else(no_version)),
            }
        }
        self.known().silent.extend(silent);
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change under this lock is complete when it can panic, so a poisoned lock holds consistent data.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_version(&self, endpoint: &Endpoint, version: &str) -> Result<(), Error> {
        let least = self.least;
        match version.parse::<ServerVersion>() {
            Ok(found) if found >= least => Ok(()),
            Ok(found) => {
                let text = format!("the member at {endpoint} runs etcd {found}, which is older than {least}");
                Err(Error::new(ErrorKind::Unsupported, text).with_topic(ErrorTopic::ServerVersion))
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
