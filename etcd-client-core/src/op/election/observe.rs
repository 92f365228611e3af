//! Observe: who leads, again and again.

use std::pin::Pin;

use etcd_errors::Error;

use crate::model::{Key, Value};
use crate::op::bind::ElectionBound;
use crate::op::{Limits, Unbound, size};
use crate::service::{CallOptions, ElectionService, LeaderStream};

/// Follows who leads an election and what is proclaimed.
///
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

/// What an [`ElectionObserve`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectionObserveSpec {
    /// The election.
    pub name: Key,
}

impl ElectionObserve {
    /// Follows who leads `name`.
    pub fn new(name: impl Into<Key>) -> Self {
        ElectionObserveSpec { name: name.into() }.into()
    }

    /// Binds the operation to a service, so that it can be awaited there.
    pub fn bind(self, service: &dyn ElectionService) -> ElectionObserve<ElectionBound<'_>> {
        ElectionObserve { spec: self.spec, binding: ElectionBound::new(service) }
    }

    /// What is asked for, out of the builder: the reverse of `ElectionObserve::from`.
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
    /// What is asked for.
    pub fn spec(&self) -> &ElectionObserveSpec {
        &self.spec
    }

    /// What is asked for, to be rewritten by a decorator.
    pub fn spec_mut(&mut self) -> &mut ElectionObserveSpec {
        &mut self.spec
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the name is longer than a request may be.
    pub fn validate(&self, limits: &Limits) -> Result<(), Error> {
        size::check_parts(limits, false, &[self.spec.name.len()])?;
        Ok(())
    }
}

impl ElectionObserve<ElectionBound<'_>> {
    /// Takes the binding off: the operation, and the options set for the call.
    pub fn unbind(self) -> (ElectionObserve, CallOptions) {
        (ElectionObserve { spec: self.spec, binding: Unbound }, self.binding.options)
    }

    /// Replaces all options of the call set so far. A timeout has no meaning here: an election may be quiet for any time.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.binding.options = options;
        self
    }

    /// Adds a gRPC metadata entry; a name that ends in `-bin` takes any bytes, others printable ASCII.
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
