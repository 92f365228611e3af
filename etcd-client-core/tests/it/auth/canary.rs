//! No password and no token in anything that is printed.

use std::{
    fmt::{Debug, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use etcd_proto::etcdserverpb::{RangeRequest, kv_client::KvClient};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::fake::{INVALID_TOKEN, Member, USER};

const CANARY: &str = "canary";

/// Writes every event and every span of every library down.
#[derive(Clone, Default)]
struct Log {
    text: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Log {
    fn line(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line<'_>)) {
        let mut text = self.text.lock().expect("no panic");
        text.push_str(metadata.target());
        record(&mut Line(&mut text));
        text.push('\n');
    }
}

impl Subscriber for Log {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.line(span.metadata(), |line| span.record(line));
        span::Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _span: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Line(&mut self.text.lock().expect("no panic")));
    }

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.line(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

/// Every way in which a client shows itself and what happened to it.
async fn show_everything(member: &Member, out: &mut String) {
    let password = || member.builder().password(USER, CANARY);
    let (builder, client) = (password(), password().build().expect("valid"));
    let _ = write!(out, "{builder:?}{client:?}");
    client.put("k", "v").await.expect("taken");
    let _ = write!(out, "{client:?}{client:#?}{:?}", client.channel());
    member.state().refuses = Some(INVALID_TOKEN);
    let error = client.put("k", "v").await.expect_err("rejected");
    let _ = write!(out, "{error}{error:?}{error:#?}{}", error.report());
    let status = KvClient::new(client.channel()).range(RangeRequest::default()).await.expect_err("rejected");
    let _ = write!(out, "{status}{status:?}");
    member.state().refuses = None;
    let token = format!("{CANARY}-given");
    for client in [member.builder().token(&*token), member.builder().token(token.clone())] {
        let _ = write!(out, "{client:?}");
        let client = client.build().expect("valid");
        let error = client.put("k", "v").await.expect_err("not valid");
        let _ = write!(out, "{client:?}{error}{error:?}{}", error.report());
    }
    member.state().password = "another".to_owned();
    let client = password().build().expect("valid");
    let error = client.put("k", "v").await.expect_err("wrong");
    let _ = write!(out, "{client:?}{error}{error:?}{}", error.report());
}

#[tokio::test(start_paused = true)]
async fn debug_errors_and_logs_never_contain_secrets() {
    let member = Member::default();
    {
        let mut state = member.state();
        CANARY.clone_into(&mut state.password);
        CANARY.clone_into(&mut state.token_prefix);
    }
    let log = Log::default();
    let mut shown = String::new();
    {
        let _capturing = tracing::subscriber::set_default(log.clone());
        show_everything(&member, &mut shown).await;
    }
    assert!(member.state().carried.iter().flatten().any(|token| token.starts_with(CANARY)));
    let logged = log.text.lock().expect("no panic");
    for target in ["etcd_client_core", "h2"] {
        assert!(logged.contains(target), "nothing of {target} was captured");
    }
    for text in [&*shown, &*logged] {
        let leak = text.lines().find(|line| line.contains(CANARY));
        assert_eq!(leak, None);
    }
}
