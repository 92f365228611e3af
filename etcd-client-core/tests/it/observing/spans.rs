//! What subscribers of `tracing` see, and what they never do.

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};

use etcd_client_core::{Client, ClientBuilder, Compare, Put};
use etcd_testkit::scripted::{Server, in_turn, reply};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::set_default,
};

use crate::hostile::rig::Rpc;

/// Writes down all that it is given, from `level` on: a line for each event, and for each span with what it records later.
#[derive(Clone)]
pub(super) struct Capture {
    level: Level,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Capture {
    pub(super) fn from(level: Level) -> Self {
        Self { level, lines: Arc::default() }
    }

    /// Begins a line and gives its number, from 1 on.
    fn begin(&self, metadata: &Metadata<'_>, fields: impl FnOnce(&mut Fields<'_>)) -> u64 {
        let mut line = format!("{} {} {}", metadata.level(), metadata.target(), metadata.name());
        fields(&mut Fields(&mut line));
        let mut lines = self.lines.lock().expect("not poisoned");
        lines.push(line);
        lines.len() as u64
    }

    pub(super) fn text(&self) -> String {
        self.lines.lock().expect("not poisoned").join("\n")
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("text");
    }
}

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        Id::from_u64(self.begin(span.metadata(), |fields| span.record(fields)))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut lines = self.lines.lock().expect("not poisoned");
        values.record(&mut Fields(&mut lines[span.into_u64() as usize - 1]));
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.begin(event.metadata(), |fields| event.record(fields));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

const KEY: &str = "canary-key";
const VALUE: &str = "canary-value";
const METADATA: &str = "canary-metadata";

/// A put that is refused, a get that is sent again, a txn, a range, and a lost endpoint, all seen by `capture`.
async fn work(capture: &Capture, build: impl FnOnce(ClientBuilder) -> ClientBuilder) -> String {
    let _default = set_default(capture.clone());
    let server = Server::start(in_turn([])).await.expect("a free port");
    let client = build(Client::builder([server.endpoint()])).build().expect("valid");
    server.play(in_turn([reply::status(9, "etcdserver: mvcc: required revision has been compacted")]));
    client.put(KEY, VALUE).await.expect_err("refused");
    let right = reply::message(Rpc::Get.right());
    server.play(in_turn([reply::status(14, "etcdserver: leader changed"), right.clone()]));
    client.get(KEY).metadata("x-canary", METADATA).await.expect("the second attempt");
    server.play(in_turn([reply::message(Rpc::Txn.right())]));
    client.txn().when(Compare::value(KEY).equal(VALUE)).then(Put::new(KEY, VALUE)).await.expect("a txn");
    server.play(in_turn([right]));
    client.get(KEY).prefix().await.expect("a range");
    server.play(in_turn([reply::reset(reply::CANCEL)]));
    client.put(KEY, VALUE).await.expect_err("reset");
    client.close().await;
    server.endpoint()
}

#[tokio::test]
async fn no_key_and_no_value_is_ever_traced() {
    let capture = Capture::from(Level::TRACE);
    work(&capture, |builder| builder).await;
    let text = capture.text();
    assert!(text.contains("etcd.call"), "nothing is traced:\n{text}");
    for secret in [KEY, VALUE, METADATA, "canary"] {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is traced");
    }
}

#[tokio::test]
async fn the_key_of_a_single_key_call_is_traced_on_request() {
    for (level, keys) in [(Level::TRACE, 3), (Level::DEBUG, 0)] {
        let capture = Capture::from(level);
        work(&capture, |builder| builder.trace_keys(true)).await;
        let text = capture.text();
        // Two puts and a get; the txn and the range have no single key.
        assert_eq!(text.matches(&format!(" key={KEY}")).count(), keys, "{text}");
        assert!(!text.contains(VALUE) && !text.contains(METADATA), "{text}");
    }
}

#[tokio::test]
async fn spans_and_events_have_the_documented_names_and_fields() {
    let capture = Capture::from(Level::DEBUG);
    let endpoint = work(&capture, |builder| builder).await;
    let text = capture.text();
    let lines: Vec<_> = text.lines().filter(|line| line.contains(" etcd_client_core etcd.")).collect();
    assert!(
        !text.contains("WARN"),
        "nothing went wrong with the endpoint, and closing is no outage:\n{text}"
    );
    let endpoint = format!("endpoint=\"{endpoint}\"");
    for wanted in [
        vec!["DEBUG", "etcd.call operation=\"put\"", "attempts=1", "outcome=not applied", "error=Server"],
        vec!["DEBUG", "etcd.retry", "attempt=1", "sent=true", "leader changed"],
        vec!["DEBUG", "etcd.endpoint", "Connecting"],
        vec!["INFO", "etcd.endpoint", "Ready"],
        vec!["DEBUG", "etcd.connection", "purpose=\"calls\"", "change=\"opened\"", "count=1"],
        vec!["DEBUG", "etcd.connection", "change=\"closed\"", "count=0"],
        vec!["DEBUG", "etcd.call operation=\"put\"", "attempts=1", "outcome=unknown", "error=Unavailable"],
        vec!["DEBUG", "etcd.call operation=\"get\"", "attempts=2", "outcome=\"ok\""],
    ] {
        let found = lines
            .iter()
            .any(|line| wanted.iter().all(|part| line.contains(part)) && line.contains(&endpoint));
        assert!(found, "no line has {wanted:?} and {endpoint}:\n{}", lines.join("\n"));
    }
}

#[tokio::test]
async fn an_outage_is_one_warning_and_one_summary() {
    let capture = Capture::from(Level::INFO);
    let _default = set_default(capture.clone());
    let port = crate::failover::service::free_port();
    let client = Client::builder([format!("http://127.0.0.1:{port}")]).build().expect("valid");
    let mut states = client.endpoint_states();
    let mut failures = 0;
    while failures < 4 {
        let now = states.next().await.expect("open");
        failures += u32::from(now[0].phase == etcd_client_core::transport::EndpointPhase::Down);
    }
    assert_eq!(capture.text().matches("WARN").count(), 1, "{}", capture.text());
    assert!(capture.text().contains("refused"), "{}", capture.text());
    let server = Server::builder().port(port).start(in_turn([])).await.expect("the port is free");
    client.ready().await.expect("ready");
    client.close().await;
    let text = capture.text();
    assert_eq!(text.matches("WARN").count(), 1, "{text}");
    let summary: Vec<_> = text.lines().filter(|line| line.contains("outage_ms=")).collect();
    assert!(
        summary.len() == 1 && summary[0].contains("INFO") && summary[0].contains("failed_attempts="),
        "{text}"
    );
    drop(server);
}
