//! Elections beyond waiting: proclamations, resumption and observers.

use etcd_client_core::{Code, Outcome};
use etcd_concurrency::{
    Election, Error,
    election::{Leader, Observer},
};
use tokio::time::{sleep, timeout};

use crate::{
    contest::{NAME, SECOND, TTL},
    model::{Fault, Model},
};

async fn seen(observer: &mut Observer) -> Option<String> {
    let leader =
        timeout(60 * SECOND, observer.next()).await.expect("in time").expect("more").expect("no error");
    leader.value().map(|value| String::from_utf8_lossy(value).into_owned())
}

#[tokio::test(start_paused = true)]
async fn reports_leaders_vacancies_and_proclamations_in_order() {
    let model = Model::default();
    let (one, two) = (model.session(TTL), model.session(TTL));
    let mut observer = Observer::new(model.store(), NAME);
    assert_eq!(seen(&mut observer).await, None);
    let first = Election::new(&one, NAME).campaign("one").await.expect("free");
    assert_eq!(seen(&mut observer).await.as_deref(), Some("one"));
    first.proclaim("one, ready").await.expect("leads");
    assert_eq!(seen(&mut observer).await.as_deref(), Some("one, ready"));
    model.put("lock2/other", "unrelated");
    let second = tokio::spawn(async move { Election::new(&two, NAME).campaign("two").await });
    sleep(SECOND).await;
    first.resign().await.expect("leads");
    assert_eq!(seen(&mut observer).await.as_deref(), Some("two"));
    second.await.expect("no panic").expect("its turn").resign().await.expect("leads");
    assert_eq!(seen(&mut observer).await, None);
    assert_eq!(model.counts().reads, 2, "one list for the observer, one question of the second");
}

#[tokio::test(start_paused = true)]
async fn observer_survives_compaction_and_outage() {
    let model = Model::default();
    let session = model.session(TTL);
    let election = Election::new(&session, NAME);
    let leadership = election.campaign("before").await.expect("free");
    let mut observer = election.observe();
    assert_eq!(seen(&mut observer).await.as_deref(), Some("before"));
    assert!(timeout(SECOND, observer.next()).await.is_err());
    leadership.proclaim("after").await.expect("leads");
    model.compact();
    model.break_watches(Code::Compacted);
    assert_eq!(seen(&mut observer).await.as_deref(), Some("after"));
    assert!(timeout(SECOND, observer.next()).await.is_err());
    model.set_outage(true);
    model.break_watches(Code::NoLeader);
    model.delete(leadership.key().clone());
    assert!(timeout(20 * SECOND, observer.next()).await.is_err());
    model.set_outage(false);
    assert_eq!(seen(&mut observer).await, None);
}

#[tokio::test(start_paused = true)]
async fn denied_observer_fails_once_and_ends() {
    let model = Model::default();
    let mut observer = Observer::new(model.store(), NAME);
    assert_eq!(seen(&mut observer).await, None);
    assert!(timeout(SECOND, observer.next()).await.is_err());
    model.break_watches(Code::PermissionDenied);
    assert!(matches!(observer.next().await, Some(Err(Error::Client(_)))));
    assert!(observer.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn resumes_a_leadership_by_key_and_fence() {
    let model = Model::default();
    let (one, two) = (model.session(TTL), model.session(TTL));
    let leadership = Election::new(&one, NAME).campaign("me").await.expect("free");
    let (key, fence) = (leadership.key().clone(), leadership.fence());
    let election = Election::new(&two, NAME);
    assert!(matches!(election.resume(&key, fence.next()).await, Err(Error::NotOwner)));
    let resumed = election.resume(&key, fence).await.expect("it leads");
    resumed.proclaim("still me").await.expect("leads");
    assert_eq!(election.leader().await.expect("read").expect("a leader").value, "still me");
    resumed.resign().await.expect("leads");
    assert!(matches!(leadership.proclaim("I was").await, Err(Error::NotOwner)));
    assert!(matches!(election.resume(&key, fence).await, Err(Error::NotOwner)));
    assert!(election.leader().await.expect("read").is_none());
}

#[tokio::test(start_paused = true)]
async fn late_proclamation_does_not_restore_an_older_value() {
    let model = Model::default();
    let session = model.session(TTL);
    let election = Election::new(&session, NAME);
    let leadership = election.campaign("zero").await.expect("free");
    model.next_writes([Fault::AppliedLater(60 * SECOND)]);
    assert_eq!(leadership.proclaim("one").await.expect_err("unknown").outcome(), Outcome::Unknown);
    leadership.proclaim("two").await.expect("leads");
    sleep(120 * SECOND).await;
    assert_eq!(election.leader().await.expect("read").expect("a leader").value, "two");
    // A copy that is applied before the next put is replaced by it.
    model.next_writes([Fault::AppliedLater(SECOND)]);
    leadership.proclaim("three").await.expect_err("unknown");
    sleep(2 * SECOND).await;
    assert_eq!(election.leader().await.expect("read").expect("a leader").value, "three");
    leadership.proclaim("four").await.expect("leads");
    assert_eq!(election.leader().await.expect("read").expect("a leader").value, "four");
}

#[tokio::test(start_paused = true)]
async fn proclamation_with_lost_response_is_applied_once() {
    let model = Model::default();
    let session = model.session(TTL);
    let leadership = Election::new(&session, NAME).campaign("zero").await.expect("free");
    model.next_writes([Fault::AnswerLost]);
    leadership.proclaim("one").await.expect("leads");
    assert_eq!(model.queue("lock/")[0].version.get(), 2);
    leadership.resign().await.expect("leads");
}

#[tokio::test(start_paused = true)]
async fn observer_converts_into_a_stream() {
    use futures_util::StreamExt as _;

    let model = Model::default();
    let mut leaders = Observer::new(model.store(), NAME).into_stream();
    assert!(matches!(leaders.next().await, Some(Ok(Leader::Vacant))));
}
