//! Local exclusion: a session has one key in each queue, and one task of this process may use it at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use etcd_client_core::Key;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The map is not swept while it has fewer keys than this.
const SWEEP_THRESHOLD: usize = 64;

/// The keys of a session that are in use, each with a semaphore of one permit.
#[derive(Debug, Default)]
pub(crate) struct Slots(Mutex<HashMap<Key, Weak<Semaphore>>>);

/// The right to use a key of the session, until it is dropped.
pub(crate) type Slot = OwnedSemaphorePermit;

impl Slots {
    pub(crate) async fn slot(&self, key: &Key) -> Slot {
        let semaphore = self.semaphore(key);
        semaphore.acquire_owned().await.expect("it is never closed")
    }

    pub(crate) fn try_slot(&self, key: &Key) -> Option<Slot> {
        self.semaphore(key).try_acquire_owned().ok()
    }

    fn semaphore(&self, key: &Key) -> Arc<Semaphore> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = keys.get(key).and_then(Weak::upgrade) {
            return semaphore;
        }
        // Sweeping only when the map would grow is cheap, and bounds the map to twice the number of keys in use.
        if keys.len() >= SWEEP_THRESHOLD && keys.len() == keys.capacity() {
            keys.retain(|_, semaphore| semaphore.strong_count() > 0);
            let used = keys.len();
            keys.shrink_to(2 * used);
        }
        let semaphore = Arc::new(Semaphore::new(1));
        keys.insert(key.clone(), Arc::downgrade(&semaphore));
        semaphore
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn slots_are_exclusive() {
        let slots = Slots::default();
        let slot = slots.slot(&"a".into()).await;
        assert!(slots.try_slot(&"a".into()).is_none());
        assert!(slots.try_slot(&"b".into()).is_some());
        drop(slot);
        assert!(slots.try_slot(&"a".into()).is_some());
    }

    #[tokio::test]
    async fn unused_keys_are_swept() {
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
