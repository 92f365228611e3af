//! Elections that the members run on behalf of clients.

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
    campaign::{ElectionCampaign, ElectionCampaignResponse},
    leader::{ElectionLeader, ElectionLeaderResponse},
    observe::ElectionObserve,
    proclaim::{ElectionProclaim, ElectionProclaimResponse},
    resign::{ElectionResign, ElectionResignResponse},
};
pub use service::{ElectionService, LeaderStream};
