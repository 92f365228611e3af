//! Endpoints that cannot be reached: one of them is not noticed, all of them are named.

use std::{net::TcpListener, time::Duration};

use etcd_client_core::{Client, Outcome};
use etcd_testkit::scripted::{Raw, Server, in_turn};
use tokio::time::Instant;
use tonic::{Code, Request};

use super::{PUT, SHORT, cause, kv, put_answer, put_request, within_patience};

const CALLS: usize = 100;

/// An endpoint where nobody listens.
fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("bound"))
}

#[tokio::test]
async fn dead_endpoint_fails_no_call_while_another_is_healthy() {
    let server = Server::start(in_turn([put_answer()])).await.expect("a free port");
    let client = crate::servers::client([dead(), server.endpoint()]);
    for n in 0..CALLS {
        kv(&client).put(put_request()).await.unwrap_or_else(|status| panic!("call {n}: {status:?}"));
    }
    assert_eq!(server.applied(PUT), CALLS);
}

#[tokio::test]
async fn unavailable_error_names_each_endpoint() {
    let http1 = Server::raw(Raw::http1()).await.expect("a free port");
    let endpoints = [dead(), http1.endpoint()];
    let with_timeout = |timeout| Client::builder(&endpoints).timeout(timeout).build().expect("built");
    let mut hurried = Request::new(put_request());
    hurried.set_timeout(10 * SHORT);
    for (client, request) in [
        (with_timeout(10 * SHORT), Request::new(put_request())),
        (with_timeout(Duration::from_secs(3_600)), hurried),
    ] {
        let started = Instant::now();
        let status = within_patience(kv(&client).put(request)).await.expect_err("nothing there");
        let error = cause(&status);
        assert!(started.elapsed() >= 10 * SHORT, "{:?}", started.elapsed());
        assert_eq!(status.code(), Code::Unavailable, "{}", error.report());
        assert_eq!(error.outcome(), Outcome::NotApplied, "{}", error.report());
        for (endpoint, why) in [(&endpoints[0], "refused"), (&endpoints[1], "HTTP/2")] {
            let attempt = error.attempts().iter().find(|attempt| attempt.endpoint() == endpoint);
            let attempt = attempt.unwrap_or_else(|| panic!("{endpoint} is not in {}", error.report()));
            assert!(!attempt.sent() && attempt.reason().contains(why), "{}", error.report());
        }
        assert!(status.message().contains(PUT), "{status}");
    }
}
