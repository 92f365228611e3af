//! Several attempts at one connection: the first that is known to work is taken.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::sleep;

use super::connector::BoxError;

/// How long an attempt is waited for alone. A gateway or a load balancer may lead it to a member that hangs, and so may one of the
/// addresses of a name: the kernel of such a machine still accepts, so that only the answer to the first PING tells.
const NEXT_ATTEMPT_AFTER: Duration = Duration::from_secs(1);

/// The attempts under way at most. The last of them has a second left of the connect timeout.
const MOST_ATTEMPTS: usize = 4;

/// The first connection that `attempt` makes, which is given the number of attempts before it.
///
/// Cancel safe: what is under way is dropped.
pub(super) async fn first<T, A>(attempt: impl Fn(usize) -> A) -> Result<T, BoxError>
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
                () = sleep(NEXT_ATTEMPT_AFTER), if begun < MOST_ATTEMPTS => break,
            };
            match ended {
                Err(error) if attempts.is_empty() => return Err(error),
                // The others may still answer.
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
        let refused = first::<(), _>(|_| {
            begun.set(begun.get() + 1);
            async { Err("refused".into()) }
        });
        assert_eq!(refused.await.expect_err("refused").to_string(), "refused");
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
