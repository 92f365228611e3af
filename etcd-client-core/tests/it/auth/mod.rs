//! Passwords and tokens: on a member in memory under virtual time, and on etcd.

mod caller;
mod canary;
mod configuration;
mod deadlines;
mod expiry;
pub(crate) mod fake;
mod fixed;
mod providers;
mod refusals;
mod root;
mod single_flight;
mod stubs;
mod switching;
