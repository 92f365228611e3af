//! The server's elections in a namespace. The name of an election is the prefix of its keys.

use async_trait::async_trait;
use etcd_errors::{Error, Outcome};
use futures_util::stream::StreamExt as _;

use crate::{
    election::{
        ElectionCampaign, ElectionCampaignResponse, ElectionLeader, ElectionLeaderResponse, ElectionObserve,
        ElectionProclaim, ElectionProclaimResponse, ElectionResign, ElectionResignResponse, ElectionService,
        LeaderKey, LeaderStream,
    },
    namespace::{Namespace, kv::NO_LIMITS, prefix::Prefix},
    request::CallOptions,
};

#[deny(clippy::missing_trait_methods, reason = "a default method would bypass the prefix")]
#[async_trait]
impl<S: ElectionService> ElectionService for Namespace<S> {
    async fn campaign(
        &self,
        mut op: ElectionCampaign,
        options: CallOptions,
    ) -> Result<ElectionCampaignResponse, Error> {
        self.prefix.add_to(&mut op.name);
        let mut response = self.inner.campaign(op, options).await?;
        let stripped = self.prefix.strip_from_leader(&mut response.leader);
        stripped.map_err(|error| error.with_operation("campaign"))?;
        Ok(response)
    }

    async fn proclaim(
        &self,
        mut op: ElectionProclaim,
        options: CallOptions,
    ) -> Result<ElectionProclaimResponse, Error> {
        op.validate(&NO_LIMITS).map_err(|error| error.with_operation("proclaim"))?;
        self.prefix.add_to_leader(&mut op.leader);
        self.inner.proclaim(op, options).await
    }

    async fn leader(
        &self,
        mut op: ElectionLeader,
        options: CallOptions,
    ) -> Result<ElectionLeaderResponse, Error> {
        self.prefix.add_to(&mut op.name);
        self.prefix.strip_leader(self.inner.leader(op, options).await?, "leader")
    }

    async fn observe(&self, mut op: ElectionObserve, options: CallOptions) -> Result<LeaderStream, Error> {
        self.prefix.add_to(&mut op.name);
        let leaders = self.inner.observe(op, options).await?;
        let prefix = self.prefix.clone();
        // The stream ends after an error: an item after it would follow a gap.
        let stripped = leaders.scan(false, move |ended, leader| {
            let leader = leader.and_then(|leader| prefix.strip_leader(leader, "observe"));
            let shown = (!*ended).then_some(leader);
            *ended |= shown.as_ref().is_some_and(Result::is_err);
            std::future::ready(shown)
        });
        Ok(LeaderStream::new(stripped))
    }

    async fn resign(
        &self,
        mut op: ElectionResign,
        options: CallOptions,
    ) -> Result<ElectionResignResponse, Error> {
        op.validate(&NO_LIMITS).map_err(|error| error.with_operation("resign"))?;
        self.prefix.add_to_leader(&mut op.leader);
        self.inner.resign(op, options).await
    }
}

impl Prefix {
    fn add_to_leader(&self, leader: &mut LeaderKey) {
        self.add_to(&mut leader.name);
        self.add_to(&mut leader.key);
    }

    /// Removes the prefix from a leader key. Unlike a key, the name of an election may be empty.
    fn strip_from_leader(&self, leader: &mut LeaderKey) -> Result<(), Error> {
        let rest = leader.name.as_bytes().strip_prefix(self.key().as_bytes());
        leader.name = rest.ok_or_else(|| crate::namespace::prefix::outside(Outcome::Unknown))?.into();
        self.strip_from(&mut leader.key, Outcome::Unknown)
    }

    fn strip_leader(
        &self,
        mut response: ElectionLeaderResponse,
        operation: &'static str,
    ) -> Result<ElectionLeaderResponse, Error> {
        let stripped = self.strip_kv(&mut response.kv, Outcome::NotApplied);
        stripped.map_err(|error| error.with_operation(operation))?;
        Ok(response)
    }
}
