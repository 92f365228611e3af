//! The keys that tasks of this process contend for: a session has one place in each queue, which only one of them can have.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use etcd_client_core::Key;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Below this many keys nothing is swept.
const FEW: usize = 64;

/// Who may use a key of the session.
#[derive(Debug, Default)]
pub(crate) struct Slots(Mutex<HashMap<Key, Weak<Semaphore>>>);

/// The right to a key of the session, until it is dropped.
pub(crate) type Slot = OwnedSemaphorePermit;

impl Slots {
    pub(crate) async fn slot(&self, key: &Key) -> Slot {
        let one = self.one(key);
        one.acquire_owned().await.expect("it is never closed")
    }

    pub(crate) fn try_slot(&self, key: &Key) -> Option<Slot> {
        self.one(key).try_acquire_owned().ok()
    }

    fn one(&self, key: &Key) -> Arc<Semaphore> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = keys.get(key).and_then(Weak::upgrade) {
            return one;
        }
        // Sweeping only when the map would grow makes it cost little, and bounds it by twice what is in use.
        if keys.len() >= FEW && keys.len() == keys.capacity() {
            keys.retain(|_, one| one.strong_count() > 0);
            let used = keys.len();
            keys.shrink_to(2 * used);
        }
        let one = Arc::new(Semaphore::new(1));
        keys.insert(key.clone(), Arc::downgrade(&one));
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_is_had_once() {
        let slots = Slots::default();
        let slot = slots.slot(&"a".into()).await;
        assert!(slots.try_slot(&"a".into()).is_none());
        assert!(slots.try_slot(&"b".into()).is_some());
        drop(slot);
        assert!(slots.try_slot(&"a".into()).is_some());
    }

    #[tokio::test]
    async fn keys_that_nobody_uses_are_forgotten() {
        let slots = Slots::default();
        let kept = slots.slot(&"kept".into()).await;
        for number in 0..10_000 {
            drop(slots.slot(&format!("{number}").into()).await);
        }
        assert!(slots.0.lock().expect("not poisoned").len() < 500);
        assert!(slots.try_slot(&"kept".into()).is_none());
        drop(kept);
    }
}
