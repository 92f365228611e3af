//! Connections through a proxy: the connector, the CONNECT request, the response, and the byte stream.

use std::pin::{Pin, pin};

use bytes::Bytes;
use http::{
    Method, Request, StatusCode,
    header::{HOST, PROXY_AUTHORIZATION},
};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::transport::connect::{
    BoxError, BoxIo, Connect, SharedConnector, Target,
    proxy::{HttpProxy, Via},
};

/// Opens a tunnel through the proxy, or connects directly to members that are excepted. The inner connector dials the
/// proxy.
///
/// The connection timeout covers all of it.
#[derive(Debug)]
pub(crate) struct ProxyConnector {
    proxy: HttpProxy,
    inner: SharedConnector,
}

impl ProxyConnector {
    pub(crate) fn new(proxy: HttpProxy, inner: SharedConnector) -> Self {
        Self { proxy, inner }
    }
}

#[async_trait::async_trait]
impl Connect for ProxyConnector {
    async fn connect(&self, target: Target) -> Result<BoxIo, BoxError> {
        let Some(via) = self.proxy.to(&target.endpoint) else { return self.inner.0.connect(target).await };
        let proxy = Target { endpoint: via.endpoint.clone(), attempt: target.attempt };
        let io = self
            .inner
            .0
            .connect(proxy)
            .await
            .map_err(|source| ProxyError::Unreachable { proxy: via.name().into(), source })?;
        Ok(open(io, via, target.endpoint.authority()).await?)
    }
}

/// The reason why a tunnel could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error("the proxy {proxy} is unreachable")]
    Unreachable { proxy: Box<str>, source: BoxError },
    #[error("the proxy {proxy} requires a user and a password (407): use http://user:password@{proxy}")]
    CredentialsNeeded { proxy: Box<str> },
    #[error("the proxy {proxy} rejected the user or the password (407)")]
    CredentialsRejected { proxy: Box<str> },
    #[error("the proxy {proxy} returned {status} for CONNECT {member}")]
    Rejected { proxy: Box<str>, member: Box<str>, status: StatusCode },
    #[error("the proxy {proxy} returned no HTTP response to CONNECT {member}")]
    NoAnswer { proxy: Box<str>, member: Box<str>, source: BoxError },
}

/// Opens a tunnel through the proxy at the other end of `io` to `member`, a host and a port.
pub(crate) async fn open(io: BoxIo, via: &Via, member: &str) -> Result<BoxIo, ProxyError> {
    let no_answer =
        |source: BoxError| ProxyError::NoAnswer { proxy: via.name().into(), member: member.into(), source };
    let request = request(via, member).map_err(|error| no_answer(error.into()))?;
    let (mut send, connection) =
        http1::handshake(TokioIo::new(io)).await.map_err(|error| no_answer(error.into()))?;
    let tunnel = async move {
        let response = send.send_request(request).await.map_err(|error| no_answer(error.into()))?;
        rejection(response.status(), via, member)?;
        let upgraded = hyper::upgrade::on(response).await.map_err(|error| no_answer(error.into()))?;
        Ok(Box::pin(TokioIo::new(upgraded)) as BoxIo)
    };
    let mut tunnel: Pin<&mut _> = pin!(tunnel);
    // hyper's connection future does the I/O. It ends after the upgrade has taken the socket, or with an
    // error that the request future returns as well. In both cases the tunnel future completes afterwards.
    tokio::select! {
        // The tunnel first: when the upgrade and the end of the HTTP/1.1 connection are ready together, the
        // upgrade counts.
        biased;
        result = &mut tunnel => return result,
        _ended = connection.with_upgrades() => {}
    }
    tunnel.await
}

fn request(via: &Via, member: &str) -> Result<Request<Empty<Bytes>>, http::Error> {
    let mut request = Request::builder().method(Method::CONNECT).uri(member).header(HOST, member);
    if let Some(authorization) = &via.authorization {
        request = request.header(PROXY_AUTHORIZATION, authorization);
    }
    request.body(Empty::new())
}

fn rejection(status: StatusCode, via: &Via, member: &str) -> Result<(), ProxyError> {
    let proxy = via.name().into();
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::PROXY_AUTHENTICATION_REQUIRED if via.authorization.is_some() => {
            Err(ProxyError::CredentialsRejected { proxy })
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(ProxyError::CredentialsNeeded { proxy }),
        status => Err(ProxyError::Rejected { proxy, member: member.into(), status }),
    }
}
