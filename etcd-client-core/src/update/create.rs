//! The kinds of updates.

use crate::{
    types::{Key, KeyValue, Value},
    update::{request::Update, run::Services, write::Next},
};

impl<'a> Services<'a> {
    /// Returns an update with a function of the user.
    pub(crate) fn update<N: Into<Next>>(
        self,
        key: Key,
        mut next: impl FnMut(Option<&KeyValue>) -> N + Send + 'a,
    ) -> Update<'a> {
        Update::new(self, key, Box::new(move |current| next(current).into()))
    }

    /// Returns an update that writes a key only if it is missing.
    pub(crate) fn create(self, key: Key, value: Value) -> Update<'a> {
        let next = move |current: Option<&KeyValue>| match current {
            None => Next::Put(value.clone()),
            Some(_) => Next::Keep,
        };
        self.update(key, next).assuming_missing()
    }

    /// Returns an update that deletes a key if it exists and a condition holds.
    pub(crate) fn delete_if(
        self,
        key: Key,
        mut condition: impl FnMut(&KeyValue) -> bool + Send + 'a,
    ) -> Update<'a> {
        self.update(key, move |current| match current {
            Some(kv) if condition(kv) => Next::Delete,
            _ => Next::Keep,
        })
    }

    /// Returns an update that writes a key and returns its previous value.
    pub(crate) fn swap(self, key: Key, value: Value) -> Update<'a> {
        self.update(key, move |_| Next::Put(value.clone()))
    }
}
