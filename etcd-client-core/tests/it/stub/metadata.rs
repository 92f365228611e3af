//! The headers that a stub's call carries.

use etcd_testkit::scripted::{Server, in_turn};
use http::HeaderMap;
use tonic::{Request, Status, metadata::MetadataValue};

use super::{KvClient, PUT, SHORT, kv, put_answer, put_request, scripted};

fn headers(server: &Server) -> HeaderMap {
    server.counts(|counts| {
        let put = counts.received.iter().rfind(|request| request.path == PUT);
        put.expect("a put was received").headers.clone()
    })
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().expect("text")).collect()
}

#[tokio::test]
async fn call_carries_the_standard_headers() {
    let (server, client) = scripted(in_turn([put_answer()])).await;
    kv(&client).put(put_request()).await.expect("put");
    let headers = headers(&server);
    for (name, start) in [
        ("user-agent", "etcd-client-core/"),
        ("client-api-version", "3."),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ] {
        let values = values(&headers, name);
        assert!(values.len() == 1 && values[0].starts_with(start), "{name}: {values:?}");
    }
    assert!(!headers.contains_key("grpc-timeout"), "{headers:?}");
}

#[tokio::test]
async fn the_server_may_work_longer_than_the_caller_waits() {
    let (server, client) = scripted(in_turn([put_answer()])).await;
    let mut request = Request::new(put_request());
    request.set_timeout(super::PATIENCE);
    kv(&client).put(request).await.expect("put");
    assert_eq!(values(&headers(&server), "grpc-timeout"), ["61000000u"]);
}

#[tokio::test]
async fn all_values_of_a_name_arrive_and_replace_the_clients_own() {
    let (server, client) = scripted(in_turn([put_answer()])).await;
    let mut request = Request::new(put_request());
    for value in ["one", "two", "one"] {
        request.metadata_mut().append("x-many", value.parse().expect("ASCII"));
        request.metadata_mut().append_bin("x-many-bin", MetadataValue::from_bytes(value.as_bytes()));
    }
    request.metadata_mut().insert("client-api-version", "3.5".parse().expect("ASCII"));
    kv(&client).put(request).await.expect("put");
    let headers = headers(&server);
    assert_eq!(values(&headers, "x-many"), ["one", "two", "one"]);
    assert_eq!(values(&headers, "x-many-bin"), ["b25l", "dHdv", "b25l"]);
    assert_eq!(values(&headers, "client-api-version"), ["3.5"]);
}

#[tokio::test]
async fn interceptor_adds_headers_or_rejects() {
    let (server, client) = scripted(in_turn([put_answer()])).await;
    let mut tagged = KvClient::with_interceptor(client.channel(), |mut request: Request<()>| {
        request.metadata_mut().append("x-tag", "a".parse().expect("ASCII"));
        request.metadata_mut().append("x-tag", "b".parse().expect("ASCII"));
        request.set_timeout(100 * SHORT);
        Ok(request)
    });
    tagged.put(put_request()).await.expect("put");
    assert_eq!(values(&headers(&server), "x-tag"), ["a", "b"]);

    let refuse = |_: Request<()>| Err(Status::permission_denied("not today"));
    let mut refusing = KvClient::with_interceptor(client.channel(), refuse);
    let status = refusing.put(put_request()).await.expect_err("refused");
    assert_eq!((status.code(), status.message()), (tonic::Code::PermissionDenied, "not today"));
    assert_eq!(server.received(PUT), 1);
}
