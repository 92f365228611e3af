//! Clients whose typed calls go through a tower service, in the terms of tonic's generated stubs.

use std::{error::Error as StdError, sync::Arc};

use bytes::Bytes;
use etcd_errors::Error;
use http::{Request, Response};
use http_body::Body as HttpBody;
use tonic::body::Body;
use tower_service::Service;

use super::{builder::ClientBuilder, handle::Client, upkeep::Upkeep};
use crate::transport::{caller::Caller, channel::Channel, tonic::ServiceCaller};

impl Client {
    /// This client with its calls for keys, leases, users and roles going through `service`, which is as a rule its own
    /// [`channel`](Client::channel) inside of middleware.
    ///
    /// What a call through a service is, says the [`tonic` module](crate::tonic#middleware). Endpoints, readiness, limits,
    /// timeouts and the observer are those of this client, and closing either closes both.
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// // Any tower layer, a trivial one here.
    /// let layer = tower::layer::layer_fn(|channel: etcd_client_core::tonic::Channel| channel);
    /// let service = tower::ServiceBuilder::new().layer(layer).service(client.channel());
    /// let client = client.with_service(service);
    /// # }
    /// ```
    #[must_use = "returns the other client"]
    pub fn with_service<S, B>(&self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<Box<dyn StdError + Send + Sync>>,
        S::Future: Send,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let caller = Caller::Service(ServiceCaller::new(self.channel(), service));
        let client = Self::calling(caller, Arc::clone(self.upkeep()));
        self.namespace().map_or_else(|| client.clone(), |prefix| client.under(prefix))
    }

    /// A client of whatever `service` leads to, such as another transport, with the default limits and a timeout of 5 s.
    ///
    /// What a call through a service is, says the [`tonic` module](crate::tonic#middleware). Such a client has no connections of
    /// its own: [`endpoint_states`](Client::endpoint_states) are empty, and [`ready`](Client::ready) and calls on its
    /// [`channel`](Client::channel), to single members and about the cluster end with [`Unsupported`](etcd_errors::ErrorKind::Unsupported).
    /// [`close`](Client::close) ends its calls, and leaves the service alone.
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](etcd_errors::ErrorKind::NoRuntime) outside of a tokio runtime.
    pub fn over_service<S, B>(service: S) -> Result<Self, Error>
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<Box<dyn StdError + Send + Sync>>,
        S::Future: Send,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let settings = ClientBuilder::new::<&str>([]).settings(Vec::new())?;
        let channel = Channel::start(settings)?;
        let upkeep = Upkeep::none(channel.clone());
        Ok(Self::calling(Caller::Service(ServiceCaller::new(channel, service)), upkeep.into()))
    }
}
