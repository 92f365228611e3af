//! Simple tokens, each of which ends when it is not used for a while.

use std::collections::HashMap;
use std::time::Duration;

/// The tokens of a member.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    ttl: Duration,
    /// The user and the end of each token.
    by_token: HashMap<String, (String, Duration)>,
    assigned: u64,
}

impl Tokens {
    pub(super) fn new(ttl: Duration) -> Self {
        Self { ttl, by_token: HashMap::new(), assigned: 0 }
    }

    /// Creates a token. It has the form of etcd's: letters, a dot and a number. The letters are no secret here.
    pub(super) fn assign(&mut self, user: &str, now: Duration) -> String {
        self.by_token.retain(|_, (_, end)| *end > now);
        self.assigned += 1;
        let token = format!("testingtesting{:a>2}.{}", letters(self.assigned), self.assigned);
        self.by_token.insert(token.clone(), (user.to_owned(), now.saturating_add(self.ttl)));
        token
    }

    /// Returns the user of a token, and prolongs the token.
    pub(super) fn user(&mut self, token: &str, now: Duration) -> Option<&str> {
        let (user, end) = self.by_token.get_mut(token)?;
        if *end <= now {
            return None;
        }
        *end = now.saturating_add(self.ttl);
        Some(user)
    }

    pub(super) fn invalidate_user(&mut self, user: &str) {
        self.by_token.retain(|_, (owner, _)| owner != user);
    }

    pub(super) fn clear(&mut self) {
        self.by_token.clear();
    }
}

/// Returns `number` in the digits `a` to `z`.
fn letters(mut number: u64) -> String {
    let mut letters = String::new();
    while number > 0 {
        let digit = u8::try_from(number % 26).unwrap_or(0);
        letters.push(char::from(b'a' + digit));
        number /= 26;
    }
    letters
}
