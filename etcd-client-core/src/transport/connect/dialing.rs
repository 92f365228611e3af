//! Parallel attempts at one connection. The first verified one is used.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::sleep;

use crate::transport::connect::BoxError;

/// The time after which another attempt starts. A gateway, a load balancer or one of several addresses may lead an
/// attempt to a hung member. The kernel of such a machine still accepts connections, so only the answer to the first
/// PING shows that the member works.
const NEXT_ATTEMPT_AFTER: Duration = Duration::from_secs(1);

/// The maximum number of concurrent attempts. The last one has a second left of the connect timeout.
const MOST_ATTEMPTS: usize = 4;

/// Returns the first connection that `attempt` establishes. Its argument is the number of attempts started before.
///
/// # Cancel safety
///
/// Attempts in progress are dropped.
pub(crate) async fn first<T, A>(attempt: impl Fn(usize) -> A) -> Result<T, BoxError>
where
    A: Future<Output = Result<T, BoxError>>,
{
    let mut attempts = FuturesUnordered::new();
    let mut begun = 0;
    loop {
        attempts.push(attempt(begun));
        begun += 1;
        loop {
            let ended = tokio::select! {
                Some(ended) = attempts.next() => ended,
                // Failed attempts are not replaced early: the supervisor backs off between failures.
                () = sleep(NEXT_ATTEMPT_AFTER), if begun < MOST_ATTEMPTS => break,
            };
            match ended {
                Err(error) if attempts.is_empty() => return Err(error),
                // Other attempts are still in progress.
                Err(_) => {}
                Ok(connection) => return Ok(connection),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::pending};

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_hangs_gives_way_to_the_next() {
        let started = Instant::now();
        let made = first(async |number| match number {
            0 | 1 => pending().await,
            other => Ok(other),
        });
        assert_eq!(made.await.expect("the third works"), 2);
        assert_eq!(started.elapsed(), 2 * NEXT_ATTEMPT_AFTER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_final_only_where_nothing_else_is_under_way() {
        let begun = Cell::new(0);
        let rejected = first::<(), _>(|_| {
            begun.set(begun.get() + 1);
            async { Err("refused".into()) }
        });
        assert_eq!(rejected.await.expect_err("refused").to_string(), "refused");
        assert_eq!(begun.get(), 1, "the caller backs off");
        let made = first(async |number| match number {
            0 => {
                sleep(NEXT_ATTEMPT_AFTER * 3 / 2).await;
                Ok("slow")
            }
            _ => Err("refused".into()),
        });
        assert_eq!(made.await.expect("the first works"), "slow");
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_bounded() {
        let begun = Cell::new(0);
        let hanging = first::<(), _>(|_| {
            begun.set(begun.get() + 1);
            pending()
        });
        assert!(tokio::time::timeout(Duration::from_secs(60), hanging).await.is_err());
        assert_eq!(begun.get(), MOST_ATTEMPTS);
    }
}
