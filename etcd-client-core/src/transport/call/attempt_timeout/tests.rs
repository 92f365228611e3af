//! Tests of the wait for a response, on virtual time and with scripted paths.

use std::future::pending;

use tokio::time::sleep;

use super::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Scripted paths. `others` is `true` if another connection can be used, by whether the request is pinned and whether
/// the connection has to be proven.
#[derive(Default)]
struct Scripted {
    unresponsive: AtomicBool,
    heard: bool,
    other_member: AtomicBool,
    others: [[bool; 2]; 2],
}

impl Paths for &Scripted {
    fn is_unresponsive(&self) -> bool {
        self.unresponsive.load(Ordering::Relaxed)
    }

    fn has_received_since(&self, moment: u64) -> bool {
        assert_eq!(moment, PROOF);
        self.heard
    }

    fn has_other_member(&self) -> bool {
        self.other_member.load(Ordering::Relaxed)
    }

    fn has_other_connection(&self, pinned: bool, proven_since: Option<u64>) -> bool {
        assert!(proven_since.is_none_or(|since| since == PROOF));
        self.others[usize::from(pinned)][usize::from(proven_since.is_some())]
    }
}

const PROOF: u64 = 7;

static BEGUN: AtomicBool = AtomicBool::new(true);
static NOT_BEGUN: AtomicBool = AtomicBool::new(false);

/// A repeatable attempt without a deadline.
fn watchdog(paths: &Scripted) -> AttemptWatchdog<'static, &Scripted> {
    AttemptWatchdog {
        paths,
        started: Instant::now(),
        deadline: None,
        hedge_at: None,
        proof: None,
        repeatable: true,
        pinned: false,
        begun: &NOT_BEGUN,
    }
}

/// Waits for a response that never arrives. Returns the end and its time, or `None` if there is none within a minute.
async fn end(watchdog: AttemptWatchdog<'_, &Scripted>) -> Option<(Failure, Duration)> {
    let ended = tokio::time::timeout(ms(60_000), watchdog.wait(pending::<Result<(), Failure>>())).await;
    Some((ended.ok()?.expect_err("no response"), watchdog.started.elapsed()))
}

async fn abandoned_after(watchdog: AttemptWatchdog<'_, &Scripted>) -> Option<Duration> {
    let (failure, after) = end(watchdog).await?;
    assert_eq!(failure.observation, Observation::Abandoned);
    Some(after)
}

#[tokio::test(start_paused = true)]
async fn response_ends_the_wait() {
    let paths = Scripted::default();
    for (after, repeatable) in [(0, true), (500, true), (1_050, true), (30_000, true), (30_000, false)] {
        let watchdog = AttemptWatchdog { repeatable, ..watchdog(&paths) };
        let response = watchdog.wait(async {
            sleep(ms(after)).await;
            Ok(after)
        });
        assert_eq!(response.await.expect("a response"), after);
        assert_eq!(watchdog.started.elapsed(), ms(after));
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_ends_the_wait() {
    // No path has a say in an attempt that cannot be repeated.
    let paths = Scripted { others: [[true; 2]; 2], ..Scripted::default() };
    paths.unresponsive.store(true, Ordering::Relaxed);
    for (deadline, repeatable) in [(300, true), (300, false), (5_000, false)] {
        let deadline_at = Some(Instant::now() + ms(deadline));
        let watchdog = AttemptWatchdog { deadline: deadline_at, repeatable, ..watchdog(&paths) };
        let (failure, after) = end(watchdog).await.expect("an end");
        assert_eq!((failure.observation, after), (Observation::DeadlinePassed, ms(deadline)));
    }
    let calm = Scripted::default();
    let watchdog = AttemptWatchdog { deadline: Some(Instant::now() + ms(5_030)), ..watchdog(&calm) };
    let (failure, after) = end(watchdog).await.expect("an end");
    assert_eq!((failure.observation, after), (Observation::DeadlinePassed, ms(5_030)));
}

#[tokio::test(start_paused = true)]
async fn attempt_without_conditions_waits_indefinitely() {
    let paths = Scripted::default();
    assert!(end(watchdog(&paths)).await.is_none());
    paths.unresponsive.store(true, Ordering::Relaxed);
    assert!(end(watchdog(&paths)).await.is_none(), "there is no other connection");
    let paths = Scripted { others: [[true; 2]; 2], ..Scripted::default() };
    paths.other_member.store(true, Ordering::Relaxed);
    assert!(end(watchdog(&paths)).await.is_none(), "the member is responsive");
    paths.unresponsive.store(true, Ordering::Relaxed);
    assert!(end(AttemptWatchdog { repeatable: false, ..watchdog(&paths) }).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn unresponsive_connection_is_left_for_another_one() {
    for pinned in [false, true] {
        let mut others = [[false; 2]; 2];
        others[usize::from(pinned)][0] = true;
        for begun in [&BEGUN, &NOT_BEGUN] {
            let paths = Scripted { others, ..Scripted::default() };
            paths.unresponsive.store(true, Ordering::Relaxed);
            let watchdog = AttemptWatchdog { pinned, begun, ..watchdog(&paths) };
            assert_eq!(abandoned_after(watchdog).await, Some(FIRST_LOOK));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn suspicion_takes_effect_at_the_next_check() {
    let paths = Scripted { others: [[true; 2]; 2], ..Scripted::default() };
    let suspicion = async {
        sleep(ms(3_010)).await;
        paths.unresponsive.store(true, Ordering::Relaxed);
        pending::<()>().await
    };
    let after = tokio::select! {
        after = abandoned_after(watchdog(&paths)) => after,
        () = suspicion => None,
    };
    assert_eq!(after, Some(ms(3_100)));
}

#[tokio::test(start_paused = true)]
async fn patience_ends_with_a_hedge_on_another_member() {
    let patient = |paths, hedge_at| AttemptWatchdog {
        hedge_at: Some(Instant::now() + ms(hedge_at)),
        ..watchdog(paths)
    };
    let paths = Scripted::default();
    assert!(end(patient(&paths, 400)).await.is_none(), "there is no other member");
    paths.other_member.store(true, Ordering::Relaxed);
    assert_eq!(abandoned_after(patient(&paths, 400)).await, Some(ms(400)));
    // From the second check on, the hedge waits for the next one.
    assert_eq!(abandoned_after(patient(&paths, 1_950)).await, Some(ms(2_000)));
    let (failure, _) = end(patient(&paths, 2_000)).await.expect("an end");
    assert_eq!(failure.text, "no response within 2.0 s; hedging on another member");
    assert!(end(AttemptWatchdog { pinned: true, ..patient(&paths, 400) }).await.is_none());
    assert!(end(AttemptWatchdog { begun: &BEGUN, ..patient(&paths, 400) }).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn unproven_connection_is_left_for_a_proven_one() {
    for pinned in [false, true] {
        let mut others = [[false; 2]; 2];
        others[usize::from(pinned)][1] = true;
        let paths = Scripted { others, ..Scripted::default() };
        let unproven = || AttemptWatchdog { proof: Some(PROOF), pinned, ..watchdog(&paths) };
        assert_eq!(abandoned_after(unproven()).await, Some(UNPROVEN_TIMEOUT));
        assert!(end(AttemptWatchdog { proof: None, ..unproven() }).await.is_none());
        assert!(end(AttemptWatchdog { begun: &BEGUN, ..unproven() }).await.is_none());
        assert!(end(AttemptWatchdog { pinned: !pinned, ..unproven() }).await.is_none());
        let heard = Scripted { others, heard: true, ..Scripted::default() };
        assert!(end(AttemptWatchdog { paths: &heard, ..unproven() }).await.is_none());
    }
    let alone = Scripted::default();
    assert!(end(AttemptWatchdog { proof: Some(PROOF), ..watchdog(&alone) }).await.is_none());
}
