//! The tokens of a session: as many as it ever had operations with an open outcome at the same time.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use etcd_client_core::{Key, LeaseId};

use super::Token;

/// Draws tokens and takes them back.
///
/// Each session has names of its own, even where two sessions share a lease: a token that two sessions write would tell each
/// of them about the other's operations.
#[derive(Debug)]
pub(crate) struct Pool {
    prefix: String,
    drawn: AtomicU64,
    free: Mutex<Vec<Token>>,
    base: Key,
}

impl Pool {
    /// Tokens below `base`, named `<base><lease>/<nonce>/<n>`.
    pub(crate) fn new(base: Key, lease: LeaseId) -> Self {
        // Seeded by the operating system, so that processes that share a lease differ.
        let nonce = RandomState::new().build_hasher().finish();
        let prefix = format!("{lease:x}/{nonce:016x}/");
        Self { prefix, drawn: AtomicU64::new(0), free: Mutex::default(), base }
    }

    /// The prefix of all names.
    pub(crate) fn base(&self) -> &Key {
        &self.base
    }

    /// A token whose last operation is over, or a new one.
    pub(crate) fn draw(&self) -> Token {
        if let Some(token) = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return token;
        }
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{number}", self.prefix);
        Token::new([self.base.as_bytes(), name.as_bytes()].concat().into())
    }

    /// Takes back a token whose last operation is over.
    pub(crate) fn put_back(&self, token: Token) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(token);
    }
}

#[cfg(test)]
mod tests {
    use etcd_client_core::Revision;

    use super::*;
    use crate::token::Fate;

    fn pool() -> Pool {
        Pool::new("__entry/".into(), LeaseId::new(0xabc).expect("not zero"))
    }

    #[test]
    fn a_token_is_drawn_again_once_it_was_put_back() {
        let pool = pool();
        let (one, two) = (pool.draw(), pool.draw());
        assert_ne!(one, two);
        let spent = one.after(Fate::Applied(Revision::new(7))).expect("usable");
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
