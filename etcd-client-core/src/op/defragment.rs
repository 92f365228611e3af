//! Defragment: gives the unused part of a member's database file back.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{EndpointText, ResponseHeader};

/// Rewrites the database file of one member, so that it holds no unused pages.
///
/// The member serves nothing while it does so: defragment one member after the other, the leader last. There is no
/// deadline by default once the member is connected: the time grows with the file. Dropping the future leaves the outcome
/// unknown; the member goes on.
///
/// ```
/// use etcd_client_core::Defragment;
///
/// let defragment = Defragment::new("http://10.0.0.1:2379");
/// # let _ = defragment;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a Defragment does nothing until it is awaited"]
pub struct Defragment<B = Unbound> {
    pub(super) spec: DefragmentSpec,
    pub(super) binding: B,
}

/// What a [`Defragment`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefragmentSpec {
    /// The endpoint of the member to ask; it need not be one of the client's.
    pub endpoint: EndpointText,
}

bindable!(Defragment, DefragmentSpec => DefragmentResponse, MaintenanceBound: Maintenance.defragment);

impl Defragment {
    /// Defragments the member at `endpoint`.
    pub fn new(endpoint: impl Into<EndpointText>) -> Self {
        DefragmentSpec { endpoint: endpoint.into() }.into()
    }
}

impl<B> Defragment<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to a [`Defragment`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefragmentResponse {
    /// Who answered; servers up to 3.7 do not say.
    pub header: Option<ResponseHeader>,
}

impl DefragmentResponse {
    /// An answer.
    pub fn new(header: Option<ResponseHeader>) -> Self {
        Self { header }
    }
}
