//! Adds a `traceparent` header to every call with a tower layer around the channel. Needs a member on 127.0.0.1:2379.
#![allow(clippy::print_stdout, reason = "the example prints its results")]

use std::task::{Context, Poll};

use etcd_client_core::{Client, stub::Channel};
use http::{HeaderValue, Request};
use tonic::body::Body;
use tower::{Layer, Service, ServiceBuilder};

/// A layer that adds the header specified in <https://www.w3.org/TR/trace-context/>.
#[derive(Clone)]
struct Traceparent;

#[derive(Clone)]
struct Traced<S>(S);

impl<S> Layer<S> for Traceparent {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced(inner)
    }
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Traced<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> S::Future {
        // A tracing library would take the two ids from the current span, `etcd.call`, instead of random numbers.
        let header = format!("00-{:032x}-{:016x}-01", fastrand::u128(1..), fastrand::u64(1..));
        println!("{} with traceparent {header}", request.uri().path());
        request.headers_mut().insert("traceparent", HeaderValue::try_from(header).expect("hex digits"));
        self.0.call(request)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), etcd_client_core::Error> {
    let client = Client::builder(["http://127.0.0.1:2379"]).build()?;
    let traced: Traced<Channel> = ServiceBuilder::new().layer(Traceparent).service(client.channel());
    let client = client.with_service(traced);

    client.put("greeting", "hello").await?;
    let found = client.get("greeting").await?;
    println!("{} key at revision {}", found.count, found.header.revision);
    client.close().await;
    Ok(())
}
