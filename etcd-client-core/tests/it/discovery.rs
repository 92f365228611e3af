//! Endpoints from SRV records, asked of a small DNS server on loopback.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use etcd_client_core::{Client, Error, ErrorKind, transport::Discovery, types::Endpoint};
use tokio::{net::UdpSocket, task::JoinHandle};

use crate::failover::service::member;

/// Priority, weight, port, target.
pub(crate) type Srv = (u16, u16, u16, &'static str);

/// What the server says of a name.
#[derive(Clone, Debug)]
pub(crate) enum Zone {
    Records(Vec<Srv>),
    Fails,
    Silent,
}

/// Answers over UDP; ends with this handle.
pub(crate) struct Dns {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Dns {
    /// Names without a zone do not exist.
    pub(crate) async fn start(zones: impl IntoIterator<Item = (&'static str, Zone)>) -> Self {
        let zones: HashMap<_, _> = zones.into_iter().collect();
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("bound");
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            let mut query = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                let (name, question) = question(&query[12..length]);
                seen.lock().expect("no panic").push(name.clone());
                if let Some(answer) = answer(&query[..2], question, zones.get(&*name)) {
                    socket.send_to(&answer, from).await.ok();
                }
            }
        });
        Self { address, asked, serving }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().expect("no panic").clone();
        asked.sort();
        asked.dedup();
        asked
    }

    pub(crate) fn discovery(&self, domain: &str) -> Discovery {
        Discovery::srv(domain).name_servers([self.address]).timeout(Duration::from_secs(3))
    }
}

/// The name in words, and the bytes of name, type and class.
fn question(bytes: &[u8]) -> (String, &[u8]) {
    let (mut name, mut at) = (Vec::new(), 0);
    while bytes[at] != 0 {
        let length = usize::from(bytes[at]);
        name.push(String::from_utf8_lossy(&bytes[at + 1..=at + length]).to_ascii_lowercase());
        at += 1 + length;
    }
    (name.join("."), &bytes[..at + 5])
}

fn answer(id: &[u8], question: &[u8], zone: Option<&Zone>) -> Option<Vec<u8>> {
    const NO_ERROR: u8 = 0;
    const SERVER_FAILURE: u8 = 2;
    const NO_SUCH_NAME: u8 = 3;
    let (code, records) = match zone {
        Some(Zone::Records(records)) => (NO_ERROR, &records[..]),
        Some(Zone::Fails) => (SERVER_FAILURE, &[][..]),
        Some(Zone::Silent) => return None,
        None => (NO_SUCH_NAME, &[][..]),
    };
    let count = u8::try_from(records.len()).expect("few records");
    let mut answer = id.to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0]);
    answer.extend(question);
    for (priority, weight, port, target) in records {
        let mut name = Vec::new();
        for label in target.split('.').filter(|label| !label.is_empty()) {
            name.push(u8::try_from(label.len()).expect("a short label"));
            name.extend(label.as_bytes());
        }
        name.push(0);
        // The name of the question, type SRV, class IN, 60 s.
        answer.extend([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(6 + name.len()).expect("a short name").to_be_bytes());
        for number in [priority, weight, port] {
            answer.extend(number.to_be_bytes());
        }
        answer.extend(name);
    }
    Some(answer)
}

fn texts(endpoints: &[Endpoint]) -> Vec<&str> {
    endpoints.iter().map(Endpoint::as_str).collect()
}

const SECURE: &str = "_etcd-client-ssl._tcp.example.test";
const PLAIN: &str = "_etcd-client._tcp.example.test";

#[tokio::test]
async fn both_kinds_by_priority() {
    let dns = Dns::start([
        (SECURE, Zone::Records(vec![(20, 0, 2379, "b.example.test."), (10, 0, 2379, "a.example.test.")])),
        (PLAIN, Zone::Records(vec![(0, 0, 2379, "a.example.test."), (0, 0, 12379, "c.example.test.")])),
    ])
    .await;
    let found = dns.discovery("example.test").endpoints().await.expect("records");
    let expected =
        ["https://a.example.test:2379", "https://b.example.test:2379", "http://c.example.test:12379"];
    assert_eq!(texts(&found), expected);
    let secure = dns.discovery("example.test.").tls_only().endpoints().await.expect("records");
    assert_eq!(texts(&secure), expected[..2]);
}

#[tokio::test]
async fn one_kind_is_enough_and_the_service_name_is_a_suffix() {
    let dns = Dns::start([
        ("_etcd-client-orders._tcp.example.test", Zone::Records(vec![(0, 0, 2379, "a.example.test.")])),
        ("_etcd-client-ssl-orders._tcp.example.test", Zone::Fails),
    ])
    .await;
    let found = dns.discovery("example.test").service_name("orders").endpoints().await.expect("records");
    assert_eq!(texts(&found), ["http://a.example.test:2379"]);
    let names = ["_etcd-client-orders._tcp.example.test", "_etcd-client-ssl-orders._tcp.example.test"];
    assert_eq!(dns.asked(), names);
}

fn assert_says_why(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.report());
    assert_eq!(error.operation(), Some("srv discovery"));
    assert!(error.message().contains("example.test"), "{error}");
}

#[tokio::test]
async fn missing_records_are_named_in_the_error() {
    let nothing = Dns::start([]).await;
    let error = nothing.discovery("example.test").endpoints().await.expect_err("no records");
    assert_says_why(&error);
    let asked: Vec<_> = error.attempts().iter().map(|attempt| attempt.endpoint().to_owned()).collect();
    assert_eq!(asked, [SECURE, PLAIN], "{}", error.report());

    let nowhere = Dns::start([(SECURE, Zone::Records(vec![(0, 0, 2379, ".")])), (PLAIN, Zone::Fails)]).await;
    assert_says_why(&nowhere.discovery("example.test").endpoints().await.expect_err("no members"));
    assert_says_why(&nowhere.discovery("example.test").tls_only().endpoints().await.expect_err("no members"));
}

#[tokio::test]
async fn unresponsive_dns_server_is_abandoned_at_the_timeout() {
    let dns = Dns::start([(SECURE, Zone::Silent), (PLAIN, Zone::Silent)]).await;
    let patience = Duration::from_millis(300);
    let asking = dns.discovery("example.test").timeout(patience);
    let error =
        tokio::time::timeout(10 * patience, asking.endpoints()).await.expect("ends").expect_err("silent");
    assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unavailable), "{}", error.report());
}

#[tokio::test]
async fn invalid_names_are_rejected() {
    for domain in ["", ".", "a..b", "exa mple", "exämple", ".example", "example/"] {
        let error = Discovery::srv(domain).endpoints().await.expect_err(domain);
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidConfig, Some("domain")), "{domain:?}");
    }
    let error = Discovery::srv("example.test").service_name("a.b").endpoints().await.expect_err("a dot");
    assert_eq!(error.field(), Some("service_name"));
}

#[tokio::test]
async fn client_is_built_from_discovered_endpoints() {
    let server = member().await;
    let port = server.endpoint().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let dns = Dns::start([(PLAIN, Zone::Records(vec![(0, 0, port, "localhost.")]))]).await;
    let members = dns.discovery("example.test").endpoints().await.expect("records");
    let client = Client::builder(members).build().expect("valid");
    client.put("k", "v").await.expect("the member that DNS names answers");
}
