//! Elections of etcd's Election service, for which the members wait on behalf of clients.
//!
//! [`Client::server_election`](crate::Client::server_election) returns the [`ElectionClient`]. The crate `etcd-concurrency` has
//! elections that report the loss of the leadership.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use std::time::Duration;
//!
//! let lease = client.lease().grant(Duration::from_secs(60)).await?;
//! let won = client.server_election().campaign("boss", lease.id, "10.0.0.7").await?;
//! client.server_election().resign(won.leader).await?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod client;
pub(crate) mod codec;
pub(crate) mod leader_key;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod service;
#[cfg(test)]
mod tests;

pub use client::ElectionClient;
pub use leader_key::LeaderKey;
pub use request::{
    ElectionCampaign, ElectionCampaignResponse, ElectionLeader, ElectionLeaderResponse, ElectionObserve,
    ElectionProclaim, ElectionProclaimResponse, ElectionResign, ElectionResignResponse,
};
pub use service::{ElectionService, LeaderStream};
