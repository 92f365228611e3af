//! The binding of a request: none, or a service together with the options of the call.

use std::fmt;

use crate::request::CallOptions;

/// Marks a request that is not attached to a client yet. Add such a request to a `Txn`, or pass it to `execute` or to a method of a
/// service trait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Unbound;

/// Attaches a request to the service `S`, so that the request can be awaited.
pub struct Bound<'a, S: ?Sized + 'a> {
    pub(crate) service: &'a S,
    pub(crate) options: CallOptions,
}

impl<'a, S: ?Sized + 'a> Bound<'a, S> {
    pub(crate) fn new(service: &'a S) -> Self {
        Self { service, options: CallOptions::default() }
    }
}

impl<'a, S: ?Sized + 'a> Clone for Bound<'a, S> {
    fn clone(&self) -> Self {
        Self { service: self.service, options: self.options.clone() }
    }
}

impl<'a, S: ?Sized + 'a> fmt::Debug for Bound<'a, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Implements the binding of a request: `bind`, `unbind`, the options of the call, and `IntoFuture`.
macro_rules! bindable {
    ($op:ident { $($field:ident),* } => $response:ident, $service:ident.$method:ident) => {
        impl $op {
            /// Attaches the request to a service, so that it can be awaited.
            pub fn bind(self, service: &dyn $service) -> $op<$crate::request::Bound<'_, dyn $service>> {
                self.rebind($crate::request::Bound::new(service)).0
            }
        }

        impl<B> $op<B> {
            /// Replaces the binding, and returns the previous one.
            fn rebind<C>(self, binding: C) -> ($op<C>, B) {
                let Self { $($field,)* binding: previous } = self;
                ($op { $($field,)* binding }, previous)
            }
        }

        impl<'a, 's> $op<$crate::request::Bound<'a, dyn $service + 's>> {
            /// Detaches the request from its service, and returns it with the options set for the call.
            pub fn unbind(self) -> ($op, $crate::request::CallOptions) {
                let (op, bound) = self.rebind($crate::request::Unbound);
                (op, bound.options)
            }

            /// Replaces all options of the call set so far.
            pub fn options(mut self, options: $crate::request::CallOptions) -> Self {
                self.binding.options = options;
                self
            }

            /// Ends the call after `timeout`, which covers connecting, every attempt and every wait. Default: the client's timeout.
            pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
                self.binding.options = self.binding.options.timeout(timeout);
                self
            }

            /// Removes the deadline of the call.
            pub fn no_timeout(mut self) -> Self {
                self.binding.options = self.binding.options.no_timeout();
                self
            }

            /// Fails immediately if the member has no leader. By default the server waits for one.
            pub fn require_leader(mut self) -> Self {
                self.binding.options = self.binding.options.require_leader();
                self
            }

            /// Sends the call only to this endpoint of the client. Default: any member.
            ///
            /// See [`CallOptions::endpoint`]($crate::request::CallOptions::endpoint).
            pub fn endpoint(mut self, endpoint: $crate::types::Endpoint) -> Self {
                self.binding.options = self.binding.options.endpoint(endpoint);
                self
            }

            /// Sets when the call is retried. Default: [`RetryPolicy::WhenSafe`]($crate::request::RetryPolicy::WhenSafe).
            ///
            /// See [`CallOptions::retry`]($crate::request::CallOptions::retry).
            pub fn retry(mut self, policy: $crate::request::RetryPolicy) -> Self {
                self.binding.options = self.binding.options.retry(policy);
                self
            }

            /// Adds a gRPC metadata entry. A name that ends in `-bin` takes any bytes, others take printable ASCII.
            pub fn metadata(mut self, name: impl Into<String>, value: impl Into<$crate::types::Value>) -> Self {
                self.binding.options = self.binding.options.metadata(name, value);
                self
            }
        }

        impl<'a, 's> IntoFuture for $op<$crate::request::Bound<'a, dyn $service + 's>> {
            type Output = Result<$response, etcd_errors::Error>;
            type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

            fn into_future(self) -> Self::IntoFuture {
                let (op, bound) = self.rebind($crate::request::Unbound);
                bound.service.$method(op, bound.options)
            }
        }
    };
}

pub(crate) use bindable;
