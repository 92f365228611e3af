//! Queues: order, priorities, and at-most-once delivery.

use etcd_client_core::{Code, Outcome, Value};
use etcd_concurrency::{
    EphemeralKey, Error, PriorityQueue, Queue,
    keys::{create_key, create_unique_key},
    session::SessionEnd,
    wait::wait_event,
};
use tokio::time::{sleep, timeout};

use crate::{
    contest::{HOUR, SECOND, TTL},
    model::{Fault, Model},
};

#[tokio::test(start_paused = true)]
async fn dequeues_in_enqueue_order() {
    let model = Model::default();
    let queue = Queue::new(model.store(), "queue");
    model.put("queue2/1", "another queue");
    for number in 0..10 {
        queue.enqueue(number.to_string()).await.expect("put");
    }
    for number in 0..10 {
        assert_eq!(queue.dequeue().await.expect("taken"), number.to_string().as_str());
    }
    assert_eq!(queue.try_dequeue().await.expect("read"), None);
}

#[tokio::test(start_paused = true)]
async fn concurrent_consumers_take_each_value_once() {
    let model = Model::default();
    let mut consumers = Vec::new();
    for _ in 0..5 {
        let queue = Queue::new(model.store(), "queue");
        consumers.push(tokio::spawn(async move {
            let mut taken = Vec::new();
            for _ in 0..20 {
                taken.push(queue.dequeue().await.expect("taken"));
            }
            taken
        }));
    }
    sleep(HOUR).await;
    let producers = (0..5).map(|producer| {
        let queue = Queue::new(model.store(), "queue");
        tokio::spawn(async move {
            for number in 0..20 {
                queue.enqueue(format!("{producer}-{number:02}")).await.expect("put");
            }
        })
    });
    for producer in producers.collect::<Vec<_>>() {
        producer.await.expect("no panic");
    }
    let mut taken: Vec<Value> = Vec::new();
    for consumer in consumers {
        taken.extend(consumer.await.expect("no panic"));
    }
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 100);
    assert!(model.keys("").is_empty());
}

#[tokio::test(start_paused = true)]
async fn dequeue_survives_outages_and_compactions() {
    let model = Model::default();
    let queue = Queue::new(model.store(), "queue");
    let waiting = queue.clone();
    let consumer = tokio::spawn(async move { waiting.dequeue().await });
    sleep(SECOND).await;
    let before = model.counts();
    sleep(HOUR).await;
    assert_eq!(model.counts(), before, "it waits without asking");
    model.set_outage(true);
    model.break_watches(Code::NoLeader);
    model.put("queue/1", "value");
    model.put("other", "");
    model.compact();
    sleep(30 * SECOND).await;
    model.set_outage(false);
    let value = timeout(60 * SECOND, consumer).await.expect("in time").expect("no panic").expect("taken");
    assert_eq!(value, "value");
}

#[tokio::test(start_paused = true)]
async fn reports_unknown_outcome_without_a_session() {
    let model = Model::default();
    let queue = Queue::new(model.store(), "queue");
    model.next_writes([Fault::AnswerLost]);
    assert_eq!(queue.enqueue("once").await.expect_err("unknown").outcome(), Outcome::Unknown);
    assert_eq!(model.keys("").len(), 1, "it is not sent again");
    model.next_writes([Fault::AnswerLost]);
    assert_eq!(queue.dequeue().await.expect_err("unknown").outcome(), Outcome::Unknown);
    assert!(model.keys("").is_empty());
    let queue = PriorityQueue::new(model.store(), "queue");
    model.next_writes([Fault::AnswerLost]);
    assert_eq!(queue.enqueue("once", 1).await.expect_err("unknown").outcome(), Outcome::Unknown);
    assert_eq!(model.keys("queue/").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn session_resolves_unknown_outcomes() {
    let late = Fault::AppliedLater(60 * SECOND);
    for fault in [Fault::AnswerLost, Fault::RequestLost] {
        let model = Model::default();
        let session = model.session(TTL);
        let (queue, by_priority) =
            (Queue::with_session(&session, "queue"), PriorityQueue::with_session(&session, "pq"));
        model.next_writes([fault]);
        let revision = queue.enqueue("once").await.expect("put");
        assert_eq!(model.queue("queue/")[0].create_revision, revision);
        model.next_writes([fault]);
        assert_eq!(queue.dequeue().await.expect("taken"), "once");
        model.next_writes([fault]);
        by_priority.enqueue("once", 1).await.expect("put");
        assert_eq!(model.keys("pq/").len(), 1, "{fault:?}");
        model.next_writes([fault]);
        assert_eq!(by_priority.try_dequeue().await.expect("taken").expect("one"), "once");
        assert_eq!(model.tokens(), 1);
    }
    let model = Model::default();
    let session = model.session(TTL);
    let queue = Queue::with_session(&session, "queue");
    model.next_writes([late]);
    let refused = queue.enqueue("never").await.expect_err("not put");
    assert_eq!(refused.outcome(), Outcome::NotApplied, "{refused}");
    queue.enqueue("first").await.expect("put");
    model.next_writes([late]);
    assert_eq!(queue.dequeue().await.expect("tried again"), "first");
    queue.enqueue("second").await.expect("put");
    sleep(120 * SECOND).await;
    assert_eq!(model.keys("queue/").len(), 1, "no late copy puts or takes anything");
}

#[tokio::test(start_paused = true)]
async fn outcome_stays_unknown_when_the_session_ends() {
    let model = Model::default();
    let session = model.session(TTL);
    let queue = Queue::with_session(&session, "queue");
    queue.enqueue("before").await.expect("put");
    model.next_writes([Fault::AppliedLater(HOUR), Fault::RequestLost]);
    model.freeze(session.lease());
    model.next_writes(std::iter::repeat_n(Fault::RequestLost, 10_000_000));
    let unknown = timeout(3 * TTL, queue.enqueue("?")).await.expect("in time").expect_err("unknown");
    assert_eq!(unknown.outcome(), Outcome::Unknown, "{unknown}");
    assert!(matches!(queue.enqueue("?").await, Err(Error::SessionExpired(_))));
}

/// A paused leader that does not know of its successor revokes a lease that the successor renewed. The token is then gone before
/// the session is notified, regardless of whether the call was applied.
#[tokio::test(start_paused = true)]
async fn outcome_stays_unknown_when_the_lease_ends_unnoticed() {
    for applied in [false, true] {
        let model = Model::default();
        let session = model.session(TTL);
        let queue = Queue::with_session(&session, "queue");
        queue.enqueue("before").await.expect("put");
        if applied {
            // The first copy is applied. The next one arrives when the lease and its token are gone.
            model.next_writes([Fault::AnswerLost, Fault::AfterRevoking(session.lease())]);
        } else {
            model.revoke(session.lease());
        }
        let unknown = queue.enqueue("?").await.expect_err("the token is gone");
        assert_eq!(unknown.outcome(), Outcome::Unknown, "{unknown}");
        assert_eq!(session.ended(), None, "the client has not heard of it");
        assert_eq!(model.keys("queue/").len(), 1 + usize::from(applied));
        let end = timeout(TTL, session.lost()).await.expect("with the next renewal");
        assert_eq!(end, SessionEnd::Lost);
        assert!(matches!(queue.enqueue("?").await, Err(Error::SessionExpired(SessionEnd::Lost))));
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_enqueue_is_resolved_in_the_background() {
    let model = Model::default();
    let session = model.session(TTL);
    let queue = Queue::with_session(&session, "queue");
    model.next_writes([Fault::Hangs(60 * SECOND)]);
    assert!(timeout(SECOND, queue.enqueue("?")).await.is_err());
    sleep(120 * SECOND).await;
    assert!(model.keys("queue/").is_empty(), "it came too late");
    queue.enqueue("!").await.expect("put");
    assert_eq!(model.tokens(), 1, "the token is used again");
}

#[tokio::test(start_paused = true)]
async fn dequeues_lower_priorities_first_and_equals_in_order() {
    let model = Model::default();
    let queue = PriorityQueue::new(model.store(), "pq");
    for (value, priority) in [("c", 7), ("a", 0), ("d", 7), ("e", 65_535), ("b", 3)] {
        queue.enqueue(value, priority).await.expect("put");
    }
    assert_eq!(model.keys("pq/00007/"), ["pq/00007/0000000000000000", "pq/00007/0000000000000001"]);
    assert!(model.keys("__pq/").contains(&"__pq/00007".to_owned()));
    for value in ["a", "b", "c", "d", "e"] {
        assert_eq!(queue.dequeue().await.expect("taken"), value);
    }
    assert_eq!(queue.try_dequeue().await.expect("read"), None);
}

#[tokio::test(start_paused = true)]
async fn concurrent_producers_get_distinct_numbers() {
    let model = Model::default();
    let producers = (0..20).map(|number: u16| {
        let queue = PriorityQueue::new(model.store(), "pq");
        tokio::spawn(async move { queue.enqueue(number.to_string(), 1).await })
    });
    for producer in producers.collect::<Vec<_>>() {
        producer.await.expect("no panic").expect("put");
    }
    assert_eq!(model.keys("pq/00001/").len(), 20);
    let queue = PriorityQueue::new(model.store(), "pq");
    let mut taken = Vec::new();
    while let Some(value) = queue.try_dequeue().await.expect("read") {
        taken.push(value);
    }
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn ephemeral_keys_are_created_once_and_end_with_their_session() {
    let model = Model::default();
    let (one, two) = (model.session(TTL), model.session(TTL));
    let key = EphemeralKey::create(&one, "host", "a").await.expect("free");
    assert!(matches!(EphemeralKey::create(&two, "host", "b").await, Err(Error::KeyExists)));
    assert!(matches!(EphemeralKey::create(&one, "host", "c").await, Err(Error::KeyExists)));
    key.put("d").await.expect("owned");
    assert_eq!(
        (model.queue("host")[0].value.as_ref(), key.create_revision()),
        (b"d".as_slice(), model.queue("host")[0].create_revision)
    );
    key.delete().await.expect("owned");
    let _unique = EphemeralKey::create_unique(&one, "hosts", "").await.expect("free");
    let _another = EphemeralKey::create_unique(&one, "hosts", "").await.expect("free");
    assert_eq!(model.keys("hosts/").len(), 2);
    one.clone().close().await.expect("no outage");
    model.revoke(one.lease());
    assert!(model.keys("").is_empty());

    create_key(model.store(), "config", "1").await.expect("free");
    assert!(matches!(create_key(model.store(), "config", "2").await, Err(Error::KeyExists)));
    let (key, revision) = create_unique_key(model.store(), "jobs", "x").await.expect("free");
    assert!(key.as_bytes().starts_with(b"jobs/") && revision == model.revision());
}

#[tokio::test(start_paused = true)]
async fn wait_event_survives_a_broken_watch() {
    let model = Model::default();
    let store = model.store();
    let from = model.revision().next();
    let watch = etcd_client_core::Watch::new("jobs/").prefix().start_revision(from);
    let waiting = tokio::spawn(async move { wait_event(store, watch, |event| event.kv.value == "b").await });
    sleep(SECOND).await;
    model.put("jobs/1", "a");
    sleep(SECOND).await;
    model.break_watches(Code::NoLeader);
    model.put("jobs/1", "b");
    let event = timeout(60 * SECOND, waiting).await.expect("in time").expect("no panic").expect("no error");
    assert_eq!(event.kv.version.get(), 2);
}
