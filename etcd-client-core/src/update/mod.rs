//! Compare-and-swap of one key, with retries and a known outcome.
//!
//! [`Client::update`](crate::Client::update) reads a key, passes it to a function, and writes what the function returns if the key
//! has not changed since. After a conflict it starts over, with a growing random delay and a maximum number of attempts.
//! [`Client::create`](crate::Client::create), [`Client::delete_if`](crate::Client::delete_if) and
//! [`Client::swap`](crate::Client::swap) are special cases.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use etcd_client_core::KeyValue;
//!
//! let increment = |current: Option<&KeyValue>| {
//!     let count: u64 = current.and_then(|kv| kv.value_str().ok()?.parse().ok()).unwrap_or(0);
//!     (count + 1).to_string()
//! };
//! let updated = client.update("counter", increment).await?;
//! println!("written at revision {} after {} attempts", updated.revision, updated.attempts);
//! # Ok(())
//! # }
//! ```
//!
//! # Outcome
//!
//! A member may stop after it received a write and before it responds. The outcome of this write is unknown, and its value does
//! not show it: another client may have written the same value. Each attempt therefore also writes a **marker**, a key that only
//! this update uses, in the same transaction and under the condition that the marker has not changed.
//!
//! - If the response is lost, the update writes the marker under the same condition. If this succeeds, the attempt was not applied,
//!   and a copy of it that arrives later cannot be applied. If it fails, the marker shows whether the attempt was applied, and at
//!   which revision.
//! - Because no attempt can be applied twice, the transport retries it like a read.
//!
//! An update therefore fails with [`Outcome::Unknown`](crate::Outcome::Unknown) only if the marker can neither be written nor read
//! until [`Update::resolve_timeout`] has passed, or if it was deleted in the meantime: by a user, by the expiry of its lease, or with
//! a restored store.
//!
//! # Cost
//!
//! - One small key more in each transaction, about 60 bytes plus the prefix. No request more, except after a lost response.
//! - One lease for all updates of a client, granted with the first update and again after five minutes. It is not renewed.
//!   The markers are deleted when it expires, at most ten minutes after the last update.
//! - As many keys below `__update/` as updates ran at the same time. [`Update::marker_prefix`] sets another prefix. A
//!   [namespace](crate::Namespace) applies to markers as well.

pub(crate) mod conflict;
pub(crate) mod create;
pub(crate) mod evidence;
pub(crate) mod marker;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod run;
pub(crate) mod state;
#[cfg(test)]
mod tests;
pub(crate) mod txns;
pub(crate) mod write;

pub use conflict::Conflict;
pub use request::Update;
pub use response::Updated;
pub use write::Next;
