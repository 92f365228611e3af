//! A member dies, and its connections with it: only what was in flight there notices.

use std::{
    future::{Future, ready},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use etcd_client_core::{Client, Error, Outcome, transport::Target, types::Address};
use tokio::{io::DuplexStream, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use crate::model::{Ledger, connection};

const ENDPOINTS: [&str; 3] = ["http://0:1", "http://1:1", "http://2:1"];

/// How soon the next call must succeed. Time is virtual: it passes only where somebody waits for it.
const NEXT: Duration = Duration::from_millis(50);

/// How long a member takes to answer.
const LATENCY: Duration = Duration::from_millis(10);

/// Three members in memory, each with the end of its life.
#[derive(Clone, Debug)]
struct Members(Arc<[(Arc<Ledger>, CancellationToken); 3]>);

impl Members {
    fn new() -> Self {
        let members = Self(Arc::default());
        members.0.iter().for_each(|(ledger, _)| ledger.set_latency(LATENCY));
        members
    }

    fn kill(&self, member: usize) {
        self.0[member].1.cancel();
    }

    fn requests(&self, member: usize) -> u64 {
        self.0[member].0.requests()
    }
}

impl Service<Target> for Members {
    type Response = DuplexStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<DuplexStream>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let Address::Tcp { host, .. } = target.endpoint.address() else { panic!("no TCP endpoint") };
        let index: usize = host.parse().expect("a number");
        let (ledger, end) = self.0[index].clone();
        if end.is_cancelled() {
            return Box::pin(ready(Err(io::ErrorKind::ConnectionRefused.into())));
        }
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        tokio::spawn(end.run_until_cancelled_owned(connection(theirs, index as u64 + 1, ledger)));
        Box::pin(ready(Ok(ours)))
    }
}

async fn timed<T>(call: impl IntoFuture<Output = Result<T, Error>>) -> Result<(), Error> {
    let started = Instant::now();
    let result = call.into_future().await.map(drop);
    assert!(started.elapsed() <= NEXT, "a call took {:?}", started.elapsed());
    result
}

#[tokio::test(start_paused = true)]
async fn next_call_after_a_kill_succeeds_within_50_ms() {
    let mut unknown = 0;
    for round in 0..30 {
        let (members, victim) = (Members::new(), round % 3);
        let client = Client::builder(ENDPOINTS).connector(members.clone()).build().expect("valid");
        while (0..3).any(|member| members.requests(member) < 10) {
            client.get("k").await.expect("all live");
        }
        let mut in_flight = JoinSet::new();
        for n in 0..60 {
            let client = client.clone();
            in_flight.spawn(async move {
                let read = n % 2 == 0;
                let result =
                    if read { timed(client.get("k")).await } else { timed(client.put("k", "v")).await };
                (read, result)
            });
        }
        tokio::time::sleep(LATENCY / 2).await;
        members.kill(victim);
        timed(client.get("k")).await.expect("the next call succeeds");
        for _ in 0..100 {
            timed(client.put("k", "v")).await.expect("a write succeeds");
            timed(client.get("k")).await.expect("a read succeeds");
        }
        for (read, result) in in_flight.join_all().await {
            let Err(error) = result else { continue };
            assert!(!read, "{}", error.report());
            assert_eq!(error.outcome(), Outcome::Unknown, "{}", error.report());
            let [attempt] = error.attempts() else { panic!("{}", error.report()) };
            assert!(attempt.sent() && attempt.endpoint() == ENDPOINTS[victim], "{}", error.report());
            unknown += 1;
        }
        client.close().await;
    }
    eprintln!("{unknown} of 900 writes in flight were on the member that was killed");
    assert!((1..900 / 2).contains(&unknown), "{unknown} of 900 writes were in flight on the member");
}
