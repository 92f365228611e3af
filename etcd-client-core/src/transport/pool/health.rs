//! Follows the health service of a member. etcd reports NOT_SERVING while it defragments, if it is configured to.
//!
//! The status says nothing about a quorum: etcd reports SERVING for a member without one.

use std::{convert::Infallible, sync::Arc, time::Duration};

use etcd_errors::{Code, GrpcCode};
use etcd_proto::grpc_health_v1::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
};
use tokio::time::{Instant, sleep};

use crate::transport::{
    backoff::Backoff,
    balance::{Preference, member_health::Scope},
    connection::{
        member::Member,
        message_stream::{self, MessageStream},
    },
    grpc::{failure::Failure, frame, method::Method, observation::Observation},
    pool::{Pool, selection::Selection},
};

/// The maximum size of a health message, which is a few bytes.
const MOST_BYTES: usize = 4 << 10;

/// The timeout for opening the stream.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// Follows the health of the member for as long as the future is polled.
pub(crate) async fn follow(pool: &Arc<Pool>, member: &Member) -> Infallible {
    let mut failures = 0;
    loop {
        match open(pool, member).await {
            Ok(messages) => {
                // An open stream resets the backoff, but not to zero: a member that ends each stream at once
                // must not be asked in a loop.
                failures = 1;
                read(messages, member).await;
            }
            Err(failure) if lacks_health(&failure) => {
                member.set_ailing(false);
                // Without a health service there is nothing to follow, and trying again would not change that.
                return std::future::pending().await;
            }
            Err(_) => failures += 1,
        }
        // A broken stream says nothing about the health. Only a current NOT_SERVING keeps calls away.
        member.set_ailing(false);
        sleep(Backoff::RECONNECT.wait(failures, fastrand::u64(..))).await;
    }
}

async fn open(pool: &Arc<Pool>, member: &Member) -> Result<MessageStream<HealthCheckResponse>, Failure> {
    let selection = Selection {
        preference: Preference::Only(&member.endpoint),
        scope: Scope::Member,
        ..Selection::any(pool.now())
    };
    let permit = pool
        .acquire_stream(&selection)
        .await
        .map_err(|error| Failure::new(Observation::NotSent, error.to_string()))?;
    let request = frame::encode(&HealthCheckRequest::default());
    let deadline = Instant::now() + OPEN_TIMEOUT;
    let headers = pool.headers().clone();
    message_stream::open((permit, None), Method::HealthWatch, headers, request, MOST_BYTES, Some(deadline))
        .await
}

async fn read(mut messages: MessageStream<HealthCheckResponse>, member: &Member) {
    let connection = Arc::clone(messages.connection());
    loop {
        let message = tokio::select! {
            // An open stream would delay the member's shutdown.
            () = connection.closing() => return,
            message = messages.next(None) => message,
        };
        let Ok(Some(message)) = message else { return };
        member.set_ailing(message.status == ServingStatus::NotServing as i32);
    }
}

fn lacks_health(failure: &Failure) -> bool {
    let missing = [Code::Other(GrpcCode::Unimplemented), Code::Other(GrpcCode::NotFound)];
    matches!(failure.observation, Observation::Rejected(code, _) if missing.contains(&code))
}
