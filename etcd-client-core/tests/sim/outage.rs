//! Nothing can be reached for an hour.

use std::{
    future::{Future, ready},
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use etcd_client_core::{
    Client,
    transport::{EndpointPhase, Target},
};
use tokio::{
    io::DuplexStream,
    time::{Instant, sleep},
};
use tower_service::Service;

use crate::model::{Ledger, connection};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
const ENDPOINTS: [&str; 3] = ["http://one:1", "http://two:1", "http://three:1"];

/// Refuses every connection while the members are away, and counts.
#[derive(Clone, Debug, Default)]
struct Members {
    dialled: Arc<AtomicU64>,
    back: Arc<AtomicBool>,
}

impl Service<Target> for Members {
    type Response = DuplexStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<DuplexStream>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _target: Target) -> Self::Future {
        self.dialled.fetch_add(1, Ordering::Relaxed);
        if !self.back.load(Ordering::Relaxed) {
            return Box::pin(ready(Err(io::ErrorKind::ConnectionRefused.into())));
        }
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        tokio::spawn(connection(theirs, 1, Arc::new(Ledger::default())));
        Box::pin(ready(Ok(ours)))
    }
}

/// How long this thread has run so far, whatever else the machine does; `None` where the system does not say.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

#[tokio::test(start_paused = true)]
async fn an_hour_without_members_costs_little_and_ends_within_one_wait() {
    for _ in 0..5 {
        let members = Members::default();
        let client = Client::builder(ENDPOINTS).connector(members.clone()).build().expect("valid");
        let before = cpu_time();
        sleep(HOUR).await;
        if let (Some(before), Some(after)) = (before, cpu_time()) {
            let spent = after - before;
            eprintln!("an hour without members took {spent:?} of CPU time");
            assert!(spent < HOUR / 1_000, "{spent:?} of CPU time in an hour");
        }
        let attempts = members.dialled.load(Ordering::Relaxed);
        // Full jitter below 5 s: one in 2.5 s for each endpoint, 4,320 in all.
        assert!((4_000..=4_700).contains(&attempts), "{attempts} connection attempts in an hour");
        let error = client.get("k").timeout(SECOND).await.expect_err("nobody is there");
        assert_eq!(error.attempts().len(), 3, "{}", error.report());
        members.back.store(true, Ordering::Relaxed);
        let started = Instant::now();
        client.get("k").timeout(30 * SECOND).await.expect("they are back");
        assert!(started.elapsed() <= 5 * SECOND, "back after {:?}", started.elapsed());
        client.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn states_include_time_and_reason() {
    let members = Members::default();
    let begun = Instant::now().into_std();
    let client = Client::builder(ENDPOINTS).connector(members.clone()).build().expect("valid");
    sleep(HOUR).await;
    for state in client.endpoint_states().next().await.expect("the present ones") {
        assert!(matches!(state.phase, EndpointPhase::Down | EndpointPhase::Connecting), "{state:?}");
        assert_eq!(state.since, begun, "attempts between are no news: {state:?}");
        assert!(state.reason.as_deref().is_some_and(|reason| reason.contains("refused")), "{state:?}");
    }
    let back = Instant::now().into_std();
    members.back.store(true, Ordering::Relaxed);
    sleep(60 * SECOND).await;
    for state in client.endpoint_states().next().await.expect("the present ones") {
        assert_eq!((state.phase, &state.reason), (EndpointPhase::Ready, &None));
        assert!((back..=back + 5 * SECOND).contains(&state.since), "{state:?}");
    }
}
