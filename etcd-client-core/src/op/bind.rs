//! What an operation is bound to: nothing, or a service together with the options of the call.

use std::fmt;

use crate::service::{
    Auth, CallOptions, Cluster, ElectionService, Kv, Lease, LockService, Maintenance, Watch,
};

/// Bound to nothing: an operation for a Txn, for `execute`, or for a service's own method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Unbound;

/// Bound to a [`Kv`] service: the operation can be awaited.
#[derive(Clone)]
pub struct Bound<'a> {
    pub(crate) service: &'a dyn Kv,
    pub(crate) options: CallOptions,
}

impl<'a> Bound<'a> {
    pub(crate) fn new(service: &'a dyn Kv) -> Self {
        Self { service, options: CallOptions::default() }
    }
}

impl fmt::Debug for Bound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Bound to a [`Lease`] service: the operation can be awaited.
#[derive(Clone)]
pub struct LeaseBound<'a> {
    pub(crate) service: &'a dyn Lease,
    pub(crate) options: CallOptions,
}

impl<'a> LeaseBound<'a> {
    pub(crate) fn new(service: &'a dyn Lease) -> Self {
        Self { service, options: CallOptions::default() }
    }
}

impl fmt::Debug for LeaseBound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseBound").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Bound to an [`Auth`] service: the operation can be awaited.
#[derive(Clone)]
pub struct AuthBound<'a> {
    pub(crate) service: &'a dyn Auth,
    pub(crate) options: CallOptions,
}

impl<'a> AuthBound<'a> {
    pub(crate) fn new(service: &'a dyn Auth) -> Self {
        Self { service, options: CallOptions::default() }
    }
}

/// Bound to a [`Cluster`] service: the operation can be awaited.
#[derive(Clone)]
pub struct ClusterBound<'a> {
    pub(crate) service: &'a dyn Cluster,
    pub(crate) options: CallOptions,
}

impl<'a> ClusterBound<'a> {
    pub(crate) fn new(service: &'a dyn Cluster) -> Self {
        Self { service, options: CallOptions::default() }
    }
}

impl fmt::Debug for AuthBound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthBound").field("options", &self.options).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClusterBound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterBound").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Bound to a [`Maintenance`] service: the operation can be awaited.
#[derive(Clone)]
pub struct MaintenanceBound<'a> {
    pub(crate) service: &'a dyn Maintenance,
    pub(crate) options: CallOptions,
}

impl<'a> MaintenanceBound<'a> {
    pub(crate) fn new(service: &'a dyn Maintenance) -> Self {
        Self { service, options: CallOptions::default() }
    }
}

impl fmt::Debug for MaintenanceBound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaintenanceBound").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Bound to a [`Watch`] service: the operation can be awaited.
#[derive(Clone)]
pub struct WatchBound<'a> {
    pub(crate) service: &'a dyn Watch,
    pub(crate) options: CallOptions,
}

impl<'a> WatchBound<'a> {
    pub(crate) fn new(service: &'a dyn Watch) -> Self {
        Self { service, options: CallOptions::default() }
    }
}

impl fmt::Debug for WatchBound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchBound").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Bound to a [`LockService`]: the operation can be awaited.
#[derive(Clone)]
pub struct LockBound<'a> {
    pub(crate) service: &'a dyn LockService,
    pub(crate) options: CallOptions,
}

impl<'a> LockBound<'a> {
    pub(crate) fn new(service: &'a dyn LockService) -> Self {
        Self { service, options: CallOptions::default() }
    }
}

impl fmt::Debug for LockBound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockBound").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Bound to an [`ElectionService`]: the operation can be awaited.
#[derive(Clone)]
pub struct ElectionBound<'a> {
    pub(crate) service: &'a dyn ElectionService,
    pub(crate) options: CallOptions,
}

impl<'a> ElectionBound<'a> {
    pub(crate) fn new(service: &'a dyn ElectionService) -> Self {
        Self { service, options: CallOptions::default() }
    }
}

impl fmt::Debug for ElectionBound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ElectionBound").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Gives an operation its binding: `bind`, access to the spec, the options of the call, and `IntoFuture`.
macro_rules! bindable {
    ($op:ident, $spec:ident => $response:ident, $bound:ident: $service:ident.$method:ident) => {
        impl $op {
            /// Binds the operation to a service, so that it can be awaited there.
            pub fn bind(self, service: &dyn $crate::service::$service) -> $op<$crate::op::$bound<'_>> {
                $op { spec: self.spec, binding: $crate::op::$bound::new(service) }
            }

            #[doc = concat!("What is asked for, out of the builder: the reverse of `", stringify!($op), "::from`.")]
            pub fn into_spec(self) -> $spec {
                self.spec
            }
        }

        impl From<$spec> for $op {
            fn from(spec: $spec) -> Self {
                Self { spec, binding: $crate::op::Unbound }
            }
        }

        impl<B> $op<B> {
            /// What is asked for.
            pub fn spec(&self) -> &$spec {
                &self.spec
            }

            /// What is asked for, to be rewritten by a decorator.
            pub fn spec_mut(&mut self) -> &mut $spec {
                &mut self.spec
            }
        }

        impl<'a> $op<$crate::op::$bound<'a>> {
            /// Takes the binding off: the operation, and the options set for the call.
            pub fn unbind(self) -> ($op, $crate::service::CallOptions) {
                ($op { spec: self.spec, binding: $crate::op::Unbound }, self.binding.options)
            }

            /// Replaces all options of the call set so far.
            pub fn options(mut self, options: $crate::service::CallOptions) -> Self {
                self.binding.options = options;
                self
            }

            /// Ends the call after `timeout`, everything included. Default: the client's own.
            pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
                self.binding.options = self.binding.options.timeout(timeout);
                self
            }

            /// Lets the call take as long as it takes.
            pub fn no_timeout(mut self) -> Self {
                self.binding.options = self.binding.options.no_timeout();
                self
            }

            /// Has a member that knows of no leader refuse the call at once. Default: it tries for a while.
            pub fn require_leader(mut self) -> Self {
                self.binding.options = self.binding.options.require_leader();
                self
            }

            /// Sends the call to this endpoint of the client and to no other. Default: any member.
            ///
            /// As [`CallOptions::endpoint`]($crate::service::CallOptions::endpoint).
            pub fn endpoint(mut self, endpoint: $crate::model::Endpoint) -> Self {
                self.binding.options = self.binding.options.endpoint(endpoint);
                self
            }

            /// Sets when the call is retried. Default: [`Resend::WhenSafe`]($crate::service::Resend::WhenSafe).
            ///
            /// As [`CallOptions::resend`]($crate::service::CallOptions::resend).
            pub fn resend(mut self, resend: $crate::service::Resend) -> Self {
                self.binding.options = self.binding.options.resend(resend);
                self
            }

            /// Adds a gRPC metadata entry; a name that ends in `-bin` takes any bytes, others printable ASCII.
            pub fn metadata(
                mut self,
                name: impl Into<String>,
                value: impl Into<$crate::model::Value>,
            ) -> Self {
                self.binding.options = self.binding.options.metadata(name, value);
                self
            }
        }

        impl<'a> IntoFuture for $op<$crate::op::$bound<'a>> {
            type Output = Result<$response, etcd_errors::Error>;
            type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

            fn into_future(self) -> Self::IntoFuture {
                let unbound = $op { spec: self.spec, binding: $crate::op::Unbound };
                self.binding.service.$method(unbound, self.binding.options)
            }
        }
    };
}

pub(crate) use bindable;
