//! TLS, on real members and in front of them.

mod conformance;
#[cfg(feature = "srv")]
mod discovered;
mod front;
mod members;
mod names;
mod refusals;
mod reload;
mod settings;
mod versions;

use std::time::Duration;

use etcd_client_core::{Client, Error, ErrorKind, Tls};
use etcd_testkit::Certificates;

use crate::servers::{PATIENCE, eventually};

/// Trusts the authority of these certificates and shows none.
fn trusting(certificates: &Certificates) -> Tls {
    Tls::new().ca_pem_file(&certificates.ca)
}

/// Trusts the authority of these certificates and shows the client's.
fn mutual(certificates: &Certificates) -> Tls {
    let client = &certificates.client;
    Tls::from_pem_files(&certificates.ca, &client.cert, &client.key)
}

fn client<E: AsRef<str>>(endpoints: impl IntoIterator<Item = E>, tls: Tls) -> Client {
    Client::builder(endpoints).tls(tls).timeout(PATIENCE).build().expect("valid settings")
}

/// What `ready` says of the one endpoint, which never is.
async fn trouble(client: &Client) -> String {
    let error = never_ready(client).await;
    let [attempt] = error.attempts() else { panic!("one endpoint: {}", error.report()) };
    assert!(!attempt.sent());
    attempt.reason().to_owned()
}

async fn never_ready(client: &Client) -> Error {
    let mut last = None;
    eventually("the handshake has failed", async || {
        let short = Duration::from_millis(300);
        let error = client.wait_ready(short).await.expect_err("it must not become ready");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
        let told = error.attempts().iter().all(|attempt| attempt.reason() != "not connected yet");
        last = Some(error);
        told
    })
    .await;
    last.expect("an error")
}
