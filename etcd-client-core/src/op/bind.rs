//! The binding of an operation: none, or a service together with the options of the call.

use std::fmt;

use crate::service::{
    Auth, CallOptions, Cluster, ElectionService, Kv, Lease, LockService, Maintenance, Watch,
};

/// The binding of an operation that is not attached to a service.
///
/// Such an operation can be part of a Txn, or be passed to `execute` or to a method of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Unbound;

/// The binding to a [`Kv`] service. The operation can be awaited.
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

/// The binding to a [`Lease`] service. The operation can be awaited.
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

/// The binding to an [`Auth`] service. The operation can be awaited.
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

/// The binding to a [`Cluster`] service. The operation can be awaited.
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

/// The binding to a [`Maintenance`] service. The operation can be awaited.
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

/// The binding to a [`Watch`] service. The operation can be awaited.
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

/// The binding to a [`LockService`]. The operation can be awaited.
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

/// The binding to an [`ElectionService`]. The operation can be awaited.
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

/// Implements the binding of an operation: `bind`, access to the spec, the options of the call, and `IntoFuture`.
macro_rules! bindable {
    ($op:ident, $spec:ident => $response:ident, $bound:ident: $service:ident.$method:ident) => {
        impl $op {
            /// Binds the operation to a service. The result can be awaited.
            pub fn bind(self, service: &dyn $crate::service::$service) -> $op<$crate::op::$bound<'_>> {
                $op { spec: self.spec, binding: $crate::op::$bound::new(service) }
            }

            #[doc = concat!("Returns the parameters, owned. `", stringify!($op), "::from` is the reverse.")]
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
            /// Returns the parameters.
            pub fn spec(&self) -> &$spec {
                &self.spec
            }

            /// Returns the parameters for modification, for example by a decorator.
            pub fn spec_mut(&mut self) -> &mut $spec {
                &mut self.spec
            }
        }

        impl<'a> $op<$crate::op::$bound<'a>> {
            /// Removes the binding and returns the operation and the options that were set for the call.
            pub fn unbind(self) -> ($op, $crate::service::CallOptions) {
                ($op { spec: self.spec, binding: $crate::op::Unbound }, self.binding.options)
            }

            /// Replaces all options that were set for the call.
            pub fn options(mut self, options: $crate::service::CallOptions) -> Self {
                self.binding.options = options;
                self
            }

            /// Limits the whole call, retries included, to `timeout`. The default is the client's timeout.
            pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
                self.binding.options = self.binding.options.timeout(timeout);
                self
            }

            /// Removes the time limit of the call.
            pub fn no_timeout(mut self) -> Self {
                self.binding.options = self.binding.options.no_timeout();
                self
            }

            /// Fails immediately if the member has no leader. By default the member waits for a while.
            #[doc(alias = "WithRequireLeader")]
            pub fn require_leader(mut self) -> Self {
                self.binding.options = self.binding.options.require_leader();
                self
            }

            /// Sends the call to this endpoint of the client only. By default the client selects a member.
            ///
            /// See [`CallOptions::endpoint`]($crate::service::CallOptions::endpoint).
            pub fn endpoint(mut self, endpoint: $crate::model::Endpoint) -> Self {
                self.binding.options = self.binding.options.endpoint(endpoint);
                self
            }

            /// Sets when the call is retried. The default is [`Resend::WhenSafe`]($crate::service::Resend::WhenSafe).
            ///
            /// See [`CallOptions::resend`]($crate::service::CallOptions::resend).
            #[doc(alias = "retry")]
            pub fn resend(mut self, resend: $crate::service::Resend) -> Self {
                self.binding.options = self.binding.options.resend(resend);
                self
            }

            /// Adds a gRPC metadata entry. A name that ends in `-bin` takes any bytes, other names take printable
            /// ASCII.
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
