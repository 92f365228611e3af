//! ElectionObserve: follows the leaders of an election.

use std::pin::Pin;

use etcd_errors::Error;

use crate::model::{Key, Value};
use crate::op::bind::ElectionBound;
use crate::op::{Limits, Unbound, size};
use crate::service::{CallOptions, ElectionService, LeaderStream};

/// Follows the leaders of an election and the values they proclaim.
///
/// # Examples
/// ```
/// use etcd_client_core::ElectionObserve;
///
/// let observe = ElectionObserve::new("boss");
/// assert_eq!(observe.spec().name, "boss");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an ElectionObserve observes nothing until it is awaited"]
pub struct ElectionObserve<B = Unbound> {
    spec: ElectionObserveSpec,
    binding: B,
}

/// The parameters of an [`ElectionObserve`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionObserveSpec {
    /// The name of the election.
    pub name: Key,
}

impl ElectionObserve {
    /// Creates a request that follows the leaders of `name`.
    pub fn new(name: impl Into<Key>) -> Self {
        ElectionObserveSpec { name: name.into() }.into()
    }

    /// Binds the operation to a service. The result can be awaited.
    pub fn bind(self, service: &dyn ElectionService) -> ElectionObserve<ElectionBound<'_>> {
        ElectionObserve { spec: self.spec, binding: ElectionBound::new(service) }
    }

    /// Returns the parameters, owned. `ElectionObserve::from` is the reverse.
    pub fn into_spec(self) -> ElectionObserveSpec {
        self.spec
    }
}

impl From<ElectionObserveSpec> for ElectionObserve {
    fn from(spec: ElectionObserveSpec) -> Self {
        Self { spec, binding: Unbound }
    }
}

impl<B> ElectionObserve<B> {
    /// Returns the parameters.
    pub fn spec(&self) -> &ElectionObserveSpec {
        &self.spec
    }

    /// Returns the parameters for modification, for example by a decorator.
    pub fn spec_mut(&mut self) -> &mut ElectionObserveSpec {
        &mut self.spec
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the name exceeds the maximum size of a request.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, false, &[self.spec.name.len()])?;
        Ok(())
    }
}

impl ElectionObserve<ElectionBound<'_>> {
    /// Removes the binding and returns the operation and the options that were set for the call.
    pub fn unbind(self) -> (ElectionObserve, CallOptions) {
        (ElectionObserve { spec: self.spec, binding: Unbound }, self.binding.options)
    }

    /// Replaces all options that were set for the call. A timeout has no effect, because an election may see no
    /// change for any length of time.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.binding.options = options;
        self
    }

    /// Adds a gRPC metadata entry. A name that ends in `-bin` takes any bytes, other names take printable ASCII.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.binding.options = self.binding.options.metadata(name, value);
        self
    }
}

impl<'a> IntoFuture for ElectionObserve<ElectionBound<'a>> {
    type Output = Result<LeaderStream, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let (op, options) = (ElectionObserve { spec: self.spec, binding: Unbound }, self.binding.options);
        self.binding.service.observe(op, options)
    }
}
