//! What a user must not notice of a fault: 64 callers on three members, one fault a scenario, every call recorded.
//!
//! In every scenario no read fails, a write fails only in doubt, nothing acknowledged is lost, and a watch from the first
//! revision on sees no key written twice. Each scenario adds its own bounds and first makes sure that its fault hits
//! something. Scenarios take turns, in a binary of their own: their bounds are about time.

mod connections;
mod exit;
mod history;
mod idle;
mod killed;
mod links;
mod load;
mod paused;
mod rig;
mod rolling_restart;
#[cfg(feature = "tls")]
mod secured;
#[path = "../it/servers.rs"]
#[allow(dead_code)]
mod servers;
mod streams;
mod terminated;
mod witness;
