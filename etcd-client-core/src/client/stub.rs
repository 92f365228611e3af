//! Clients whose typed calls go through a tower service with the types of tonic's generated stubs.

use std::{error::Error as StdError, sync::Arc};

use bytes::Bytes;
use etcd_errors::Error;
use http::{Request, Response};
use http_body::Body as HttpBody;
use tonic::body::Body;
use tower_service::Service;

use crate::{
    client::{Client, ClientBuilder, background::Background},
    transport::{call::channel::Channel, caller::Caller, stub::service_caller::ServiceCaller},
};

impl Client {
    /// Returns a client whose calls for keys, leases, locks, elections, users and roles go through `service`.
    ///
    /// The service is usually the client's own [`channel`](Client::channel) wrapped in middleware. The [`tonic`
    /// module](crate::transport::stub#middleware) defines what a call through a service is. The new client has the endpoints, readiness,
    /// limits, timeouts and observer of this client, and closing either closes both.
    ///
    /// Such a client cannot watch: [`watch`](Client::watch) fails with [`Unsupported`](etcd_errors::ErrorKind::Unsupported), because a
    /// watch needs connections of its own. Watch with the original client.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// // Any tower layer works; this one does nothing.
    /// let layer = tower::layer::layer_fn(|channel: etcd_client_core::stub::Channel| channel);
    /// let service = tower::ServiceBuilder::new().layer(layer).service(client.channel());
    /// let client = client.with_service(service);
    /// # }
    /// ```
    #[doc(alias = "interceptor")]
    #[doc(alias = "middleware")]
    #[doc(alias = "layer")]
    #[must_use = "returns a new client"]
    pub fn with_service<S, B>(&self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<Box<dyn StdError + Send + Sync>>,
        S::Future: Send,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let caller = Caller::Service(ServiceCaller::new(self.channel(), service));
        let client = Self::calling(caller, Arc::clone(self.background()));
        self.namespace().map_or_else(|| client.clone(), |prefix| client.under(prefix))
    }

    /// Creates a client that calls through `service`, such as another transport, with the default limits and a timeout of 5 s.
    ///
    /// The [`tonic` module](crate::transport::stub#middleware) defines what a call through a service is. Such a client has no connections of its
    /// own: [`endpoint_states`](Client::endpoint_states) are empty. [`ready`](Client::ready), calls on its
    /// [`channel`](Client::channel), calls to single members and calls about the cluster fail with
    /// [`Unsupported`](etcd_errors::ErrorKind::Unsupported). [`close`](Client::close) ends its calls and does not touch the service.
    ///
    /// # Errors
    ///
    /// [`NoRuntime`](etcd_errors::ErrorKind::NoRuntime) outside of a Tokio runtime.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use etcd_client_core::Client;
    ///
    /// let channel = tonic::transport::Endpoint::from_static("http://127.0.0.1:2379").connect_lazy();
    /// let client = Client::over_service(channel)?;
    /// client.put("greeting", "hello").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "NewFromConn")]
    #[doc(alias = "from_channel")]
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
        let background = Background::none(channel.clone());
        Ok(Self::calling(Caller::Service(ServiceCaller::new(channel, service)), background.into()))
    }
}
