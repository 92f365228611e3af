//! The task that keeps one endpoint connected: connect, wait for the end, back off, again.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::{
    connection::{Connection, ConnectionState},
    connector::BoxError,
    pool::Pool,
};
use crate::mechanism::backoff::Backoff;

/// A connection that lived this long proves the endpoint: the backoff starts anew.
const PROVEN_AFTER: Duration = Duration::from_secs(1);

/// Runs until the pool is closed.
pub(super) async fn run(pool: Arc<Pool>, member: usize) {
    let watchdog = RuntimeWatch { pool: &pool };
    tokio::select! {
        () = pool.shutdown() => {}
        () = keep_connected(&pool, member) => {}
    }
    drop(watchdog);
}

async fn keep_connected(pool: &Arc<Pool>, member: usize) {
    let mut failures = 0_u32;
    loop {
        match connect(pool, member).await {
            Ok(connection) => {
                let since = Instant::now();
                serve(pool, connection).await;
                failures = if since.elapsed() >= PROVEN_AFTER { 1 } else { failures.saturating_add(1) };
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                pool.trouble(member, in_words(&error).into());
            }
        }
        sleep(Backoff::RECONNECT.wait(failures, fastrand::u64(..))).await;
    }
}

/// Connects in a task of its own: a connector that panics is trouble with one endpoint, and no more.
async fn connect(pool: &Arc<Pool>, member: usize) -> Result<Connection, BoxError> {
    let task = pool.spawn({
        let pool = Arc::clone(pool);
        async move { Connection::open(pool.dial(member)).await }
    });
    AbortOnDropHandle::new(task).await.unwrap_or_else(|error| Err(error.into()))
}

/// Offers the connection to calls for as long as it takes new ones.
async fn serve(pool: &Pool, connection: Connection) {
    let mut state = connection.state.clone();
    let connection = Arc::new(connection);
    tracing::debug!(endpoint = &**connection.endpoint(), "connected");
    pool.add(&connection);
    let ended = state.wait_for(|state| !matches!(state, ConnectionState::Ready)).await;
    let why = match ended.as_deref() {
        Ok(ConnectionState::Draining(why) | ConnectionState::Closed(why)) => Arc::clone(why),
        Ok(ConnectionState::Ready) | Err(_) => "the connection ended".into(),
    };
    drop(ended);
    pool.remove(&connection, why);
}

/// The chain of an error in one line, each cause once.
fn in_words(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Tells the pool when this task was dropped, which only the end of its runtime does.
struct RuntimeWatch<'a> {
    pool: &'a Pool,
}

impl Drop for RuntimeWatch<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.pool.runtime_ended();
        }
    }
}
