//! Parsing of proxy URLs and environment variables, and the selection of members.

use super::*;

fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn from(variables: &[(&str, &str)]) -> Result<HttpProxy, Error> {
    HttpProxy::from_variables(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn every_form_of_a_url() {
    for (url, name, authorization) in [
        ("http://proxy:3128", "proxy:3128", None),
        ("proxy:3128", "proxy:3128", None),
        ("HTTP://proxy", "proxy:80", None),
        ("http://10.0.0.1:8080/", "10.0.0.1:8080", None),
        ("http://[::1]:8080", "[::1]:8080", None),
        ("http://user:pass@proxy:3128", "proxy:3128", Some("Basic dXNlcjpwYXNz")),
        ("http://user@proxy:3128", "proxy:3128", Some("Basic dXNlcjo=")),
        ("http://us%40er:p%3Aass@proxy:3128", "proxy:3128", Some("Basic dXNAZXI6cDphc3M=")),
    ] {
        let proxy = HttpProxy::new(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        let via = proxy.via.expect("it has a proxy");
        assert_eq!(via.name(), name, "{url}");
        let sent = via.authorization.as_ref().map(|value| value.to_str().expect("ASCII"));
        assert_eq!(sent, authorization, "{url}");
        assert!(via.authorization.as_ref().is_none_or(HeaderValue::is_sensitive), "{url}");
    }
}

#[test]
fn invalid_proxy_url_is_rejected_without_secrets() {
    for url in [
        "",
        "http://",
        "http://:s3cret@",
        "https://u:s3cret@proxy:3128",
        "socks5://u:s3cret@proxy:1080",
        "http://u:s3cret@pro xy:3128",
        "http://u:s3cret@proxy:0",
        "http://u:s3cret@proxy:99999",
        "http://u:s3@cret@proxy:3128",
    ] {
        let error = HttpProxy::new(url).expect_err(url);
        assert_eq!(error.field(), Some("proxy"), "{url}");
        assert!(!error.report().to_string().contains("cret"), "{}", error.report());
        let error = from(&[("ALL_PROXY", url)]).err();
        assert_eq!(error.is_none(), url.is_empty(), "{url}");
        assert!(error.is_none_or(|error| error.message().starts_with("ALL_PROXY=")), "{url}");
    }
}

#[test]
fn credentials_are_not_shown() {
    let proxy = HttpProxy::new("http://canary-user:canary-pass@proxy:3128").expect("valid");
    let via = proxy.via.clone().expect("it has a proxy");
    let shown = format!("{proxy:?} {proxy:#?} {:?}", via.authorization);
    assert!(!shown.contains("canary") && !shown.contains("Y2FuYXJ5"), "{shown}");
    assert!(shown.contains("proxy:3128"), "{shown}");
}

#[test]
fn which_members_go_through_it() {
    let proxy = HttpProxy::new("http://proxy:3128").expect("valid");
    let except = proxy.clone().except("10.0.0.0/8, .cluster.local,exact.org");
    let forced = proxy.clone().including_loopback();
    for (member, by_default, with_exceptions, with_loopback) in [
        ("http://etcd-0:2379", true, true, true),
        ("https://etcd-0:2379", true, true, true),
        ("etcd-0:2379", true, true, true),
        ("http://10.1.2.3:2379", true, false, true),
        ("http://11.1.2.3:2379", true, true, true),
        ("http://etcd-0.cluster.local:2379", true, false, true),
        ("http://notexact.org:2379", true, true, true),
        ("http://sub.exact.org:2379", true, false, true),
        ("http://[2001:db8::1]:2379", true, true, true),
        ("http://127.0.0.1:2379", false, false, true),
        ("http://127.1.2.3:2379", false, false, true),
        ("http://[::1]:2379", false, false, true),
        ("http://localhost:2379", false, false, true),
        ("http://LOCALHOST:2379", false, false, true),
        ("http://a.localhost:2379", false, false, true),
        ("unix:///run/etcd.sock", false, false, false),
        ("unixs:///run/etcd.sock", false, false, false),
    ] {
        let member = endpoint(member);
        assert_eq!(proxy.to(&member).is_some(), by_default, "{member}");
        assert_eq!(except.to(&member).is_some(), with_exceptions, "{member} with exceptions");
        assert_eq!(forced.to(&member).is_some(), with_loopback, "{member} with loopback");
    }
}

#[test]
fn the_first_variable_that_is_set_counts() {
    let member = endpoint("http://etcd-0:2379");
    let name = |variables: &[(&str, &str)]| {
        let proxy = from(variables).expect("valid");
        proxy.to(&member).map(|via| via.name().to_owned())
    };
    assert_eq!(name(&[]), None);
    assert_eq!(name(&[("HTTP_PROXY", "http://plain:1")]), None, "that one is for plain requests");
    assert_eq!(name(&[("ALL_PROXY", "http://all:1")]).as_deref(), Some("all:1"));
    assert_eq!(name(&[("all_proxy", "http://all:1"), ("https_proxy", "tls:2")]).as_deref(), Some("tls:2"));
    assert_eq!(name(&[("HTTPS_PROXY", " "), ("ALL_PROXY", "http://all:1")]).as_deref(), Some("all:1"));
    assert_eq!(name(&[("ALL_PROXY", "http://all:1"), ("NO_PROXY", "etcd-1")]).as_deref(), Some("all:1"));
    assert_eq!(name(&[("ALL_PROXY", "http://all:1"), ("no_proxy", "etcd-0")]), None);
    assert_eq!(name(&[("ALL_PROXY", "http://all:1"), ("NO_PROXY", "*")]), None);
}

#[tokio::test]
async fn bytes_right_behind_the_answer_belong_to_the_tunnel() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let via = HttpProxy::new("proxy:3128").expect("valid").via.expect("it has a proxy");
    let (ours, mut other) = tokio::io::duplex(1024);
    let proxy = tokio::spawn(async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(other.read_u8().await.expect("the request"));
        }
        other.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await.expect("written");
        let mut rest = String::new();
        other.read_to_string(&mut rest).await.expect("the end");
        (String::from_utf8(head).expect("ASCII"), rest)
    });
    let mut tunnel = tunnel::open(Box::pin(ours), &via, "etcd-0:2379").await.expect("a tunnel");
    let mut said = [0; 5];
    tunnel.read_exact(&mut said).await.expect("five bytes");
    assert_eq!(&said, b"hello");
    tunnel.write_all(b"world").await.expect("written");
    tunnel.shutdown().await.expect("flushed");
    let (head, rest) = proxy.await.expect("no panic");
    assert!(head.starts_with("CONNECT etcd-0:2379 HTTP/1.1\r\n"), "{head}");
    assert_eq!(rest, "world");
}
