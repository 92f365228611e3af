//! ElectionObserve: follows the leaders of an election.

use etcd_errors::Error;

use crate::{
    election::{ElectionService, LeaderStream},
    request::{Limits, Unbound, bound::bindable},
    txn::size,
    types::Key,
};

/// Follows the leaders of an election and the values they proclaim.
///
/// # Examples
/// ```
/// use etcd_client_core::election::ElectionObserve;
///
/// let observe = ElectionObserve::new("boss");
/// assert_eq!(observe.name, "boss");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionObserve observes nothing until it is awaited"]
pub struct ElectionObserve<B = Unbound> {
    /// The name of the election.
    pub name: Key,
    pub(crate) binding: B,
}

bindable!(ElectionObserve { name } => LeaderStream, ElectionService.observe);

impl ElectionObserve {
    /// Creates a request that follows the leaders of `name`.
    pub fn new(name: impl Into<Key>) -> Self {
        Self { name: name.into(), binding: Unbound }
    }
}

impl ElectionObserve {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the name exceeds the maximum size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, false, &[self.name.len()])?;
        Ok(())
    }
}
