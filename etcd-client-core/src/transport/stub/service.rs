//! Type-erased gRPC services.

use std::{
    convert::Infallible,
    future::{Future as _, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::oneshot;
use tonic::{Status, body::Body};
use tower_service::Service;

use crate::transport::connect::BoxError;

/// A future of the response head and its body.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Unanswered>> + Send>>;

/// The reason why a service returned no response head.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The service was not ready and did not receive the request.
    NotReady(Status),
    Failed(Status),
}

/// An object-safe service.
pub(crate) trait GrpcService: Send + Sync {
    fn call(&self, request: Request<Body>) -> Answering;
}

/// Adapts a tower service to [`GrpcService`]. The service is cloned for each call.
pub(crate) struct Erased<S>(pub(crate) S);

impl<S, B> GrpcService for Erased<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn call(&self, request: Request<Body>) -> Answering {
        let mut service = self.0.clone();
        Box::pin(async move {
            let status = |error: S::Error| Status::from_error(error.into());
            let ready = poll_fn(|cx| service.poll_ready(cx)).await;
            ready.map_err(|error| Unanswered::NotReady(status(error)))?;
            let response = service.call(request).await.map_err(|error| Unanswered::Failed(status(error)))?;
            Ok(response.map(Body::new))
        })
    }
}

/// A request body with a single frame.
pub(crate) struct OneFrame {
    pub(crate) frame: Option<Bytes>,
    /// Keeps the body open after the frame until the sender is dropped.
    pub(crate) held: Option<oneshot::Receiver<()>>,
}

impl HttpBody for OneFrame {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(frame) = self.frame.take() {
            return Poll::Ready(Some(Ok(Frame::data(frame))));
        }
        if let Some(held) = &mut self.held {
            // Nothing is ever sent on the channel. It completes with an error when the sender is dropped.
            let _ = ready!(Pin::new(held).poll(cx));
            self.held = None;
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.frame.is_none() && self.held.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.frame.as_ref().map_or(0, |frame| frame.len() as u64))
    }
}
