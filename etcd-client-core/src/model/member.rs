//! A member of a cluster, as the cluster lists it.

use super::MemberId;

/// A member of the cluster.
///
/// ```
/// use etcd_client_core::{Member, MemberId};
///
/// let member = Member::new(MemberId::new(7)).with_name("m0").with_client_urls(["http://10.0.0.1:2379"]);
/// assert!(member.is_started() && !member.is_learner);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Member {
    /// Its id, never zero.
    pub id: MemberId,
    /// Its name; empty until it has started for the first time.
    pub name: String,
    /// Where the other members reach it. What a member was given, unchecked.
    pub peer_urls: Vec<String>,
    /// Where clients reach it, by its own word: unchecked, and empty until it has started for the first time.
    pub client_urls: Vec<String>,
    /// Whether it only learns: it has no vote and serves serializable reads only.
    pub is_learner: bool,
}

impl Member {
    /// A member with a vote that has not started yet.
    pub fn new(id: MemberId) -> Self {
        Self { id, ..Self::default() }
    }

    /// Sets the name.
    #[must_use = "returns the changed member"]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets where the other members reach it.
    #[must_use = "returns the changed member"]
    pub fn with_peer_urls<U: Into<String>>(mut self, urls: impl IntoIterator<Item = U>) -> Self {
        self.peer_urls = urls.into_iter().map(Into::into).collect();
        self
    }

    /// Sets where clients reach it.
    #[must_use = "returns the changed member"]
    pub fn with_client_urls<U: Into<String>>(mut self, urls: impl IntoIterator<Item = U>) -> Self {
        self.client_urls = urls.into_iter().map(Into::into).collect();
        self
    }

    /// Makes it a learner.
    #[must_use = "returns the changed member"]
    pub fn learner(mut self) -> Self {
        self.is_learner = true;
        self
    }

    /// Whether it has started and joined the cluster: only then has it a name.
    pub fn is_started(&self) -> bool {
        !self.name.is_empty()
    }
}
