//! etcd's own election service, in which one of the candidates for a name is the leader at any time.

mod campaign;
mod leader;
mod leader_key;
mod observe;
mod proclaim;
mod resign;
#[cfg(test)]
mod tests;

pub use campaign::{ElectionCampaign, ElectionCampaignResponse, ElectionCampaignSpec};
pub use leader::{ElectionLeader, ElectionLeaderResponse, ElectionLeaderSpec};
pub use leader_key::LeaderKey;
pub use observe::{ElectionObserve, ElectionObserveSpec};
pub use proclaim::{ElectionProclaim, ElectionProclaimResponse, ElectionProclaimSpec};
pub use resign::{ElectionResign, ElectionResignResponse, ElectionResignSpec};
