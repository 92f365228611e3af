//! What the builder takes, and what it refuses.

use etcd_client_core::{Client, ClientBuilder, ErrorKind};

fn refused(builder: ClientBuilder) -> Option<&'static str> {
    let shown = format!("{builder:?}");
    assert!(!shown.contains("canary"), "{shown}");
    let error = builder.build().err()?;
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(!format!("{error} {error:?} {}", error.report()).contains("canary"), "{error:?}");
    error.field()
}

#[tokio::test]
async fn credentials_are_checked() {
    let local = || Client::builder(["http://127.0.0.1:1", "[::1]:1", "localhost:1", "unix:///run/etcd"]);
    assert_eq!(refused(local().password("app", "canary")), None);
    assert_eq!(refused(local().token("canary")), None);
    assert_eq!(refused(local().password("", "canary")), Some("user"));
    assert_eq!(refused(local().password("app", "")), Some("password"));
    assert_eq!(refused(local().token("")), Some("token"));
    assert_eq!(refused(local().token("canary\n")), Some("token"));
    assert_eq!(refused(local().password("app", "canary").token("canary")), Some("password"));
}

#[tokio::test]
async fn password_over_plaintext_to_a_remote_host_requires_opt_in() {
    let remote = || Client::builder(["http://127.0.0.1:1", "http://etcd.example:2379"]);
    assert_eq!(refused(remote().password("app", "canary")), Some("password"));
    assert_eq!(refused(remote().token("canary")), Some("token"));
    assert_eq!(refused(remote().password("app", "canary").allow_plaintext_auth()), None);
    assert_eq!(refused(remote()), None);
}

#[cfg(feature = "proxy")]
#[tokio::test]
async fn password_through_a_proxy_requires_opt_in() {
    use etcd_client_core::transport::HttpProxy;

    // Its loopback addresses are not ours.
    let proxied = |proxy: HttpProxy| Client::builder(["http://localhost:1", "127.0.0.1:2"]).proxy(proxy);
    let proxy = || HttpProxy::new("http://proxy.example:3128").expect("valid");
    let including = || proxied(proxy().including_loopback());
    assert_eq!(refused(including().password("app", "canary")), Some("password"));
    assert_eq!(refused(including().token("canary")), Some("token"));
    assert_eq!(refused(including().password("app", "canary").allow_plaintext_auth()), None);
    assert_eq!(refused(including()), None);
    assert_eq!(refused(proxied(proxy()).password("app", "canary")), None, "dialled directly");
    let client = including().build().expect("no credentials");
    client.set_endpoints(["http://127.0.0.1:3"]).expect("nothing is sent that must not be read");
}
