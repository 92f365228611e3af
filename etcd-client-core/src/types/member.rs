//! A member of a cluster, as listed by the cluster.

use crate::types::MemberId;

/// A member of the cluster.
///
/// # Examples
/// ```
/// use etcd_client_core::types::{Member, MemberId};
///
/// let member = Member::new(MemberId::new(7)).with_name("m0").with_client_urls(["http://10.0.0.1:2379"]);
/// assert!(member.is_started() && !member.is_learner);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Member {
    /// The id, which is never zero.
    pub id: MemberId,
    /// The name; empty until the member has started for the first time.
    pub name: String,
    /// The URLs at which the other members reach the member. etcd's text, not validated.
    pub peer_urls: Vec<String>,
    /// The URLs that the member advertises to clients. Not validated, and empty until it has started for the first
    /// time.
    pub client_urls: Vec<String>,
    /// True for a learner, which has no vote and serves only serializable reads.
    pub is_learner: bool,
}

impl Member {
    /// Creates a voting member that has not started yet.
    pub fn new(id: MemberId) -> Self {
        Self { id, ..Self::default() }
    }

    /// Sets the name.
    #[must_use = "returns the changed member"]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the URLs at which the other members reach the member.
    #[must_use = "returns the changed member"]
    pub fn with_peer_urls<U: Into<String>>(mut self, urls: impl IntoIterator<Item = U>) -> Self {
        self.peer_urls = urls.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the URLs that the member advertises to clients.
    #[must_use = "returns the changed member"]
    pub fn with_client_urls<U: Into<String>>(mut self, urls: impl IntoIterator<Item = U>) -> Self {
        self.client_urls = urls.into_iter().map(Into::into).collect();
        self
    }

    /// Marks the member as a learner.
    #[must_use = "returns the changed member"]
    pub fn learner(mut self) -> Self {
        self.is_learner = true;
        self
    }

    /// Returns whether the member has started and joined the cluster, which is when it gets a name.
    pub fn is_started(&self) -> bool {
        !self.name.is_empty()
    }
}
