//! Locating the leader, and transferring its leadership.

use std::time::Duration;

use etcd_errors::{Code, Error, ErrorKind, Outcome};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::{Instant, sleep};

use crate::{
    maintenance::{MaintenanceService, MoveLeader, MoveLeaderResponse, Status, codec, one_member},
    request::CallOptions,
    transport::{
        backoff::Backoff,
        balance::leader::{Leader, View, is_settled, leader},
        call::{Remaining, channel::Channel, unary::Call},
        grpc::method::{Method, with_operation},
    },
    types::Endpoint,
};

/// The time to search for the leader: two elections with etcd's default election timeout of 1 s, plus a margin.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

/// The timeout of the request to one endpoint.
const LOOK: Duration = Duration::from_secs(1);

/// Transfers leadership. Members that do not lead reject the request before any effect, so one change of leadership
/// in between is followed.
pub(crate) async fn run(
    maintenance: &dyn MaintenanceService,
    channel: &Channel,
    op: MoveLeader,
    options: &CallOptions,
) -> Result<MoveLeaderResponse, Error> {
    let remaining = Remaining::start(channel, options);
    let request = codec::move_leader_request(op);
    let mut followed = false;
    loop {
        let endpoint =
            with_operation(Method::MoveLeader, find(maintenance, channel, options, remaining).await)?;
        let options = remaining.options(options);
        let call = Call::new(Method::MoveLeader, &options);
        let answer =
            one_member::unary(channel, Ok(endpoint), call, &request, codec::move_leader_response).await;
        match answer {
            Err(error) if !followed && error.is_not_leader() && error.outcome() == Outcome::NotApplied => {
                followed = true;
            }
            answer => return answer,
        }
    }
}

/// Returns the endpoint of the leader.
async fn find(
    maintenance: &dyn MaintenanceService,
    channel: &Channel,
    options: &CallOptions,
    remaining: Remaining,
) -> Result<Endpoint, Error> {
    let started = Instant::now();
    let until = started + remaining.at_most(LOOKUP_TIMEOUT);
    let mut looks = 0;
    let mut seen = Seen::default();
    loop {
        let limit = LOOK.min(until.saturating_duration_since(Instant::now()));
        let now = look(maintenance, channel, options, limit).await;
        channel.pool().check_alive()?;
        // A round that was cut short by the limit is less complete than the one before it.
        if seen.views.is_empty() || !now.views.is_empty() {
            seen = now;
        }
        let found = leader(&seen.views);
        if let Leader::At(position) = found {
            return Ok(seen.endpoints.swap_remove(position));
        }
        looks += 1;
        let wait = Backoff::RETRY.wait(looks, fastrand::u64(..));
        if seen.is_rejected() || Instant::now() + wait >= until {
            return Err(seen.into_error(found).with_elapsed(started.elapsed()));
        }
        tokio::select! {
            () = sleep(wait) => {}
            // Ends the wait early. The next round reports the closed client.
            () = channel.pool().shutdown() => {}
        }
    }
}

/// The responses of one round.
#[derive(Debug, Default)]
struct Seen {
    endpoints: Vec<Endpoint>,
    views: Vec<View>,
    errors: Vec<Error>,
}

/// Requests the status of every endpoint at once, until the leader is certain.
async fn look(
    maintenance: &dyn MaintenanceService,
    channel: &Channel,
    options: &CallOptions,
    limit: Duration,
) -> Seen {
    let endpoints = channel.pool().endpoints();
    let ask = |(position, endpoint): (usize, &Endpoint)| {
        let status = Status::new(endpoint);
        async move { (position, maintenance.status(status, options.clone().timeout(limit)).await) }
    };
    let mut asked: FuturesUnordered<_> = endpoints.iter().enumerate().map(ask).collect();
    let (mut views, mut errors) = (Vec::new(), Vec::new());
    while let Some((endpoint, answer)) = asked.next().await {
        match answer {
            Ok(status) => views.push(View {
                endpoint,
                member: status.header.member_id,
                leader: status.leader,
                term: status.raft_term,
            }),
            Err(error) => errors.push(error),
        }
        if is_settled(&views, endpoints.len()) {
            break;
        }
    }
    // Cancels the requests still in flight.
    drop(asked);
    Seen { endpoints, views, errors }
}

impl Seen {
    /// Returns true if another round cannot help: no endpoint responded, and at least one rejected the request.
    fn is_rejected(&self) -> bool {
        self.views.is_empty() && self.errors.iter().any(is_final)
    }

    fn into_error(self, found: Leader) -> Error {
        if let Some(error) = self.errors.iter().find(|error| self.views.is_empty() && is_final(error)) {
            return error.clone();
        }
        let attempts = self.errors.iter().flat_map(|error| error.attempts().iter().cloned()).collect();
        let error = match found {
            Leader::Elsewhere(id) => {
                let text = format!(
                    "member {id} is the leader, but none of the endpoints that responded belongs to it"
                );
                Error::new(ErrorKind::Unavailable, text)
            }
            _ if self.views.is_empty() => {
                Error::new(ErrorKind::Unavailable, "no endpoint responded to the search for the leader")
            }
            _ => Error::new(ErrorKind::Unavailable, "the members that responded have no leader")
                .with_code(Code::NoLeader),
        };
        error.with_attempts(attempts)
    }
}

fn is_final(error: &Error) -> bool {
    error.kind() != ErrorKind::Timeout && !error.is_unavailable()
}
