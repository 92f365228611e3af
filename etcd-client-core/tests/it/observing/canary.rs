//! Everything that a client can print or tell, searched for what it must not: `Debug` shows keys and names and never a value, a
//! password or a token; errors, logs and events show no key either.

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
    time::Duration,
};

use etcd_client_core::{
    CallOptions, Client, ClientBuilder, Compare, Delete, Error, Get, LeaseId, Put, Txn,
    observe::{AttemptEvent, CallEvent, ConnectionEvent, EndpointEvent, Observer},
};
use etcd_proto::{etcdserverpb as pb, mvccpb};
use etcd_testkit::scripted::{Answer, Call, Server, Step, frame, in_turn, reply};
use prost::Message as _;
use tracing::{Level, subscriber::set_default};

use super::spans::Capture;
use crate::hostile::rig::{PUT, RANGE, TXN, header};

const KEY: &str = "canary-key";
const AUTHENTICATE: &str = "/etcdserverpb.Auth/Authenticate";

/// What nothing shows: a value, credentials of each kind, metadata.
const SECRETS: [&str; 5] =
    ["canary-value", "canary-password", "canary-token", "canary-proxy", "canary-metadata"];
const VALUE: &str = SECRETS[0];
const PASSWORD: &str = SECRETS[1];
const TOKEN: &str = SECRETS[2];
#[cfg(feature = "proxy")]
const PROXY: &str = SECRETS[3];
const METADATA: &str = SECRETS[4];

/// What was shown: where keys may be, and where not.
#[derive(Clone, Debug, Default)]
struct Shown {
    debug: Arc<Mutex<String>>,
    told: Arc<Mutex<String>>,
}

impl Shown {
    fn debug<T: Debug>(&self, shown: T) -> T {
        write!(self.debug.lock().expect("no panic"), "{shown:?}\n{shown:#?}\n").expect("text");
        shown
    }

    fn tell(&self, told: &dyn Debug) {
        writeln!(self.told.lock().expect("no panic"), "{told:?}").expect("text");
    }

    fn error(&self, error: &Error) {
        let mut told = self.told.lock().expect("no panic");
        write!(told, "{error}\n{error:?}\n{error:#?}\n{}\n", error.report()).expect("text");
    }
}

impl Observer for Shown {
    fn attempt(&self, event: &AttemptEvent<'_>) {
        self.tell(event);
    }

    fn call(&self, event: &CallEvent) {
        self.tell(event);
    }

    fn endpoint(&self, event: &EndpointEvent<'_>) {
        self.tell(event);
    }

    fn connection(&self, event: &ConnectionEvent<'_>) {
        self.tell(event);
    }
}

/// A builder with credentials of every kind that go together, and what else it was given that is secret.
fn builder(server: &Server, shown: &Shown) -> (ClientBuilder, Vec<String>) {
    let builder = Client::builder([server.endpoint()])
        .password("app", PASSWORD)
        .timeout(Duration::from_millis(500))
        .observer(shown.clone());
    #[cfg(feature = "proxy")]
    let builder = builder.proxy(
        etcd_client_core::transport::HttpProxy::new(format!("http://app:{PROXY}@127.0.0.1:1"))
            .expect("valid"),
    );
    #[cfg(feature = "tls")]
    {
        let certificates = etcd_testkit::Certificates::without_cluster("root").expect("written");
        let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).expect("written");
        let (cert, key) = (read(&certificates.client.cert), read(&certificates.client.key));
        let line = key.lines().nth(1).expect("a line of base64").to_owned();
        let bytes = format!("{:?}", line.as_bytes()).trim_matches(['[', ']']).to_owned();
        let tls = etcd_client_core::Tls::new()
            .ca_pem(read(&certificates.ca))
            .identity_pem(cert, key)
            .allow_plaintext_endpoints();
        (builder.tls(tls), vec![line, bytes])
    }
    #[cfg(not(feature = "tls"))]
    (builder, Vec::new())
}

fn kv() -> mvccpb::KeyValue {
    mvccpb::KeyValue { key: KEY.into(), value: VALUE.into(), ..Default::default() }
}

fn right(path: &str) -> Answer {
    let kvs = vec![kv()];
    let range = pb::RangeResponse { header: header(), kvs, more: false, count: 1 };
    let put = pb::PutResponse { header: header(), prev_kv: Some(kv()) };
    let ranged = pb::response_op::Response::ResponseRange(range.clone());
    reply::message(match path {
        AUTHENTICATE => pb::AuthenticateResponse { header: header(), token: TOKEN.into() }.encode_to_vec(),
        RANGE => range.encode_to_vec(),
        PUT => put.encode_to_vec(),
        TXN => {
            let responses = vec![pb::ResponseOp { response: Some(ranged) }];
            pb::TxnResponse { header: header(), succeeded: true, responses }.encode_to_vec()
        }
        "/etcdserverpb.KV/DeleteRange" => {
            pb::DeleteRangeResponse { header: header(), deleted: 1, prev_kvs: vec![kv()] }.encode_to_vec()
        }
        "/etcdserverpb.KV/RangeStream" => {
            pb::RangeStreamResponse { range_response: Some(range) }.encode_to_vec()
        }
        "/etcdserverpb.Auth/UserAdd" => pb::AuthUserAddResponse { header: header() }.encode_to_vec(),
        "/etcdserverpb.Auth/UserChangePassword" => {
            pb::AuthUserChangePasswordResponse { header: header() }.encode_to_vec()
        }
        other => panic!("no answer to {other}"),
    })
}

/// Answers from which nothing may be quoted, beside those that a server gives.
fn wrong() -> Vec<Answer> {
    let noise = format!("{VALUE} {KEY}").repeat(9);
    vec![
        reply::status(11, "etcdserver: mvcc: required revision has been compacted"),
        reply::status(7, "etcdserver: permission denied"),
        reply::status(16, "etcdserver: invalid auth token"),
        reply::body(noise.clone()),
        reply::body(frame::message(noise.into_bytes())),
        reply::body(frame::message(kv().encode_to_vec())),
        reply::reset(reply::CANCEL),
        reply::close(),
        vec![Step::ReadRequest, reply::head(), Step::Data(frame::claimed(1, 9, VALUE.as_bytes()))],
        reply::hang(),
    ]
}

fn put() -> Put {
    Put::new(KEY, VALUE).prev_kv()
}

fn txn() -> Txn {
    Txn::new().when(Compare::value(KEY).equal(VALUE)).then(Get::new(KEY)).or_else(put())
}

async fn succeed(client: &Client, shown: &Shown) -> Result<(), Error> {
    let options = || shown.debug(CallOptions::default().metadata("x-canary", METADATA));
    shown.debug(shown.debug(put().bind(client.kv()).options(options())).await?);
    shown.debug(shown.debug(Get::new(KEY).bind(client.kv()).options(options())).await?);
    shown.debug(shown.debug(Delete::new(KEY).prev_kv().bind(client.kv()).options(options())).await?);
    shown.debug(shown.debug(txn().bind(client.kv()).options(options())).await?);
    shown.debug(shown.debug(client.auth().user_add("someone", PASSWORD)).await?);
    shown.debug(shown.debug(client.auth().user_change_password("someone", PASSWORD)).await?);
    let mut pages = shown.debug(client.get(KEY).prefix().pages());
    shown.debug(pages.next().await.expect("a page")?);
    let mut stream = shown.debug(client.kv().range_stream(Get::new(KEY), options()).await?);
    shown.debug(stream.next().await.expect("a chunk")?);
    let _snapshot = shown.debug(client.snapshot().metadata("x-canary", METADATA));
    let _put = shown.debug(put());
    let _txn = shown.debug(txn());
    shown.debug((client.lease(), client.endpoint_states()));
    Ok(())
}

async fn fail(client: &Client, shown: &Shown) {
    let invalid =
        LeaseId::new(7).map(|lease| Put::touch(KEY).lease(lease).bind(client.kv()).metadata("a b", METADATA));
    shown.error(&invalid.expect("not zero").await.expect_err("no name of metadata"));
    let duplicate = Txn::new().then([put(), put()]).bind(client.kv()).await;
    shown.error(&duplicate.expect_err("one key written twice"));
    for error in [
        put().bind(client.kv()).await.map(drop),
        Get::new(KEY).bind(client.kv()).await.map(drop),
        Delete::new(KEY).bind(client.kv()).await.map(drop),
        txn().bind(client.kv()).await.map(drop),
        client.auth().user_add("someone", PASSWORD).await.map(drop),
    ] {
        shown.error(&error.expect_err("a wrong answer"));
    }
}

/// A member behind a proxy that is not there.
#[cfg(feature = "proxy")]
async fn fail_behind_a_proxy(shown: &Shown) {
    let proxy = etcd_client_core::transport::HttpProxy::new(format!("http://app:{PROXY}@127.0.0.1:1"))
        .expect("valid");
    shown.debug(&proxy);
    let client = Client::builder(["http://etcd.internal:1"]).proxy(proxy).observer(shown.clone());
    let client = shown.debug(client).build().expect("valid");
    shown.error(&client.wait_ready(Duration::from_millis(200)).await.expect_err("no proxy"));
    let wrong = etcd_client_core::transport::HttpProxy::new(format!("socks5://app:{PROXY}@127.0.0.1:1"));
    shown.error(&wrong.expect_err("no HTTP proxy"));
    client.close().await;
}

#[tokio::test]
async fn output_never_contains_secrets() {
    let capture = Capture::from(Level::TRACE);
    let shown = Shown::default();
    let server = Server::start(in_turn([])).await.expect("a free port");
    let mut secrets = SECRETS.map(str::to_owned).to_vec();
    {
        let _default = set_default(capture.clone());
        let (builder, more) = builder(&server, &shown);
        secrets.extend(more);
        let client = shown.debug(builder).build().expect("valid");
        server.play(|call: &Call| right(&call.path));
        succeed(&client, &shown).await.unwrap_or_else(|error| panic!("{}", error.report()));
        for answer in wrong() {
            server.play(move |call: &Call| match call.path.as_str() {
                AUTHENTICATE => right(AUTHENTICATE),
                _ => answer.clone(),
            });
            fail(&client, &shown).await;
        }
        shown.debug((client.channel(), &client));
        client.close().await;
        #[cfg(feature = "proxy")]
        fail_behind_a_proxy(&shown).await;
    }
    let carried = server.counts(|counts| {
        counts
            .received
            .iter()
            .filter(|request| request.headers.get("token").is_some_and(|t| t == TOKEN))
            .count()
    });
    assert!(carried > 9, "the token was in use");
    let (debug, told) = (shown.debug.lock().expect("no panic"), shown.told.lock().expect("no panic"));
    let logged = capture.text();
    assert!(debug.contains(KEY) && told.contains("compacted") && logged.contains("etcd.call"));
    for (name, text, keys) in [("Debug", &*debug, true), ("told", &*told, false), ("logged", &logged, false)]
    {
        for secret in secrets.iter().map(String::as_str).chain((!keys).then_some(KEY)) {
            let leak = text.lines().find(|line| line.contains(secret));
            assert_eq!(leak, None, "{name}: {secret}");
        }
    }
}
