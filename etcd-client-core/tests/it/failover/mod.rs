//! Members that are dead, die, come late or go: what a call, a client and its runtime make of it.

mod connectors;
mod dead_members;
mod health;
mod idle;
mod last_attempt;
mod lifecycle;
mod limits;
mod nothing_there;
mod runtimes;
pub(crate) mod service;
