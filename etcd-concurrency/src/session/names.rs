//! The names that tasks of this process contend for: a session has one place in each queue, which only one of them can have.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use etcd_client_core::Key;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Below this many names nothing is swept.
const FEW: usize = 64;

/// Who may use the session's place for a name.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<HashMap<Key, Weak<Semaphore>>>);

/// The right to the session's place for a name, until it is dropped.
pub(crate) type Slot = OwnedSemaphorePermit;

impl Names {
    pub(crate) async fn slot(&self, name: &Key) -> Slot {
        let one = self.one(name);
        one.acquire_owned().await.expect("it is never closed")
    }

    pub(crate) fn try_slot(&self, name: &Key) -> Option<Slot> {
        self.one(name).try_acquire_owned().ok()
    }

    fn one(&self, name: &Key) -> Arc<Semaphore> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = names.get(name).and_then(Weak::upgrade) {
            return one;
        }
        // Sweeping only when the map would grow makes it cost little, and bounds it by twice what is in use.
        if names.len() >= FEW && names.len() == names.capacity() {
            names.retain(|_, one| one.strong_count() > 0);
            let used = names.len();
            names.shrink_to(2 * used);
        }
        let one = Arc::new(Semaphore::new(1));
        names.insert(name.clone(), Arc::downgrade(&one));
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_had_once() {
        let names = Names::default();
        let slot = names.slot(&"a".into()).await;
        assert!(names.try_slot(&"a".into()).is_none());
        assert!(names.try_slot(&"b".into()).is_some());
        drop(slot);
        assert!(names.try_slot(&"a".into()).is_some());
    }

    #[tokio::test]
    async fn names_that_nobody_uses_are_forgotten() {
        let names = Names::default();
        let kept = names.slot(&"kept".into()).await;
        for number in 0..10_000 {
            names.slot(&format!("{number}").into()).await;
        }
        assert!(names.0.lock().expect("not poisoned").len() < 500);
        assert!(names.try_slot(&"kept".into()).is_none());
        drop(kept);
    }
}
