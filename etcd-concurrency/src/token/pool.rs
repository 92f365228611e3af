//! The tokens of a session: as many as it ever had concurrent operations with an unresolved outcome.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use etcd_client_core::{Key, LeaseId};

use super::Token;

/// Hands out tokens and takes them back.
///
/// Each session has unique token names, even if two sessions share a lease: if two sessions wrote the same token, each would
/// mistake the other's operations for its own.
#[derive(Debug)]
pub(crate) struct Pool {
    prefix: String,
    drawn: AtomicU64,
    free: Mutex<Vec<Token>>,
    base: Key,
}

impl Pool {
    /// Creates a pool of tokens named `<base><lease>/<nonce>/<n>`.
    pub(crate) fn new(base: Key, lease: LeaseId) -> Self {
        // `RandomState` is seeded by the operating system, so that processes that share a lease get different nonces.
        let nonce = RandomState::new().build_hasher().finish();
        let prefix = format!("{lease:x}/{nonce:016x}/");
        Self { prefix, drawn: AtomicU64::new(0), free: Mutex::default(), base }
    }

    /// Returns the prefix of all names.
    pub(crate) fn base(&self) -> &Key {
        &self.base
    }

    /// Returns a token whose last operation is resolved, or a new one.
    pub(crate) fn draw(&self) -> Token {
        if let Some(token) = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return token;
        }
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{number}", self.prefix);
        Token::new([self.base.as_bytes(), name.as_bytes()].concat().into())
    }

    /// Takes back a token whose last operation is resolved.
    pub(crate) fn put_back(&self, token: Token) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(token);
    }
}

#[cfg(test)]
mod tests {
    use etcd_client_core::Revision;

    use super::*;
    use crate::token::TokenStatus;

    fn pool() -> Pool {
        Pool::new("__entry/".into(), LeaseId::new(0xabc).expect("not zero"))
    }

    #[test]
    fn draws_tokens_again_after_they_are_put_back() {
        let pool = pool();
        let (one, two) = (pool.draw(), pool.draw());
        assert_ne!(one, two);
        let spent = one.after(TokenStatus::Spent(Revision::new(7))).expect("usable");
        pool.put_back(spent);
        assert_eq!(pool.draw().known, Revision::new(7));
        assert_eq!(pool.drawn.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn names_differ_between_sessions_on_one_lease() {
        let (one, two) = (pool().draw(), pool().draw());
        assert!(one.key.as_bytes().starts_with(b"__entry/abc/") && one.key.as_bytes().ends_with(b"/0"));
        assert_ne!(one.key, two.key);
    }
}
