//! Calls that must all succeed.

use std::fmt::Display;

use etcd_client_core::{CallOptions, Client, Error, Get};

/// Writes to a key of its own, whose version counts the writes, and reads it back.
#[derive(Debug)]
pub(crate) struct Caller {
    client: Client,
    key: String,
    writes: i64,
}

impl Caller {
    pub(crate) fn new(client: &Client, name: impl Display) -> Self {
        Self { client: client.clone(), key: format!("caller-{name}"), writes: 0 }
    }

    /// How many writes it made.
    pub(crate) fn writes(&self) -> i64 {
        self.writes
    }

    pub(crate) async fn call(&mut self) {
        must(self.client.put(&*self.key, "v").await);
        self.writes += 1;
        let found = must(self.client.get(&*self.key).await);
        assert_eq!(found.kvs[0].version, self.writes, "each write is applied once");
    }

    pub(crate) async fn stream(&self) {
        let get = Get::new("caller-").prefix();
        match self.client.kv().range_stream(get, CallOptions::default()).await {
            Ok(mut chunks) => {
                let mut begun = false;
                while let Some(chunk) = chunks.next().await {
                    match chunk {
                        Ok(_) => begun = true,
                        // A change of users ends a stream that is under way, as documented; pages go on.
                        Err(error) if begun && error.is_token_rejected() => return,
                        Err(error) => must(Err(error)),
                    }
                }
            }
            Err(error) => assert!(error.is_unsupported(), "{}", error.report()),
        }
    }
}

fn must<T>(result: Result<T, Error>) -> T {
    result.unwrap_or_else(|error| panic!("a call failed: {}", error.report()))
}
