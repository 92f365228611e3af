//! The mutex: its holders and its remaining keys.

use etcd_concurrency::{Error, Mutex};
use tokio::time::sleep;

use crate::{
    contest::{HOUR, TTL},
    model::{Counts, Model},
};

#[tokio::test(start_paused = true)]
async fn holders_follow_in_order() {
    let model = Model::default();
    let (one, two) = (model.session(TTL), model.session(TTL));
    let held = Mutex::new(&one, "lock").lock().await.expect("free");
    assert_eq!(model.counts(), Counts { writes: 1, ..Counts::default() });
    let waiter = tokio::spawn(async move { Mutex::new(&two, "lock").lock().await });
    sleep(HOUR).await;
    assert!(!waiter.is_finished());
    let fence = held.fence();
    held.unlock().await.expect("held");
    let next = waiter.await.expect("no panic").expect("its turn");
    assert!(next.fence() > fence);
    assert_eq!(model.counts(), Counts { writes: 3, reads: 1, creates: 2, cancels: 2 });
    next.unlock().await.expect("held");
    assert!(model.keys("").is_empty());
}

#[tokio::test(start_paused = true)]
async fn try_lock_fails_while_held() {
    let model = Model::default();
    let (one, two) = (model.session(TTL), model.session(TTL));
    let held = Mutex::new(&one, "lock").try_lock().await.expect("free");
    assert!(matches!(Mutex::new(&two, "lock").try_lock().await, Err(Error::Locked)));
    assert!(matches!(Mutex::new(&one, "lock").try_lock().await, Err(Error::Locked)));
    assert_eq!(model.keys("").len(), 1, "a rejected attempt leaves no key");
    held.unlock().await.expect("held");
    Mutex::new(&two, "lock").try_lock().await.expect("free").unlock().await.expect("held");
}
