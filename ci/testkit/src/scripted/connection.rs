//! One HTTP/2 connection: accepts calls and has each performed.

use std::sync::Arc;

use bytes::Bytes;
use h2::{PingPong, RecvStream, server::SendResponse};
use http::Request;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Mutex, Notify, watch},
    task::JoinSet,
};

use super::{
    frame,
    ledger::{Ledger, Open},
    perform::Performance,
    probe,
    script::{Call, Script},
    wire::{Injector, Wire},
};

/// The HTTP/2 settings of a server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Http2 {
    pub(super) max_concurrent_streams: Option<u32>,
    /// The requests after which a connection ends as nginx ends one: GOAWAY at once, and later requests are ignored.
    pub(super) requests_per_connection: Option<usize>,
}

/// Commands of calls to their connection.
#[derive(Clone, Debug)]
pub(super) struct Control {
    pub(super) injector: Injector,
    pub(super) pings: Arc<Mutex<PingPong>>,
    pub(super) close: Arc<Notify>,
}

/// SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 section 6.5.2).
const MAX_CONCURRENT_STREAMS: u16 = 3;

/// The window of a stream unless SETTINGS say otherwise.
const DEFAULT_WINDOW: u32 = 65_535;

/// Serves until the client closes the connection or a step does.
pub(super) async fn serve(
    io: impl AsyncRead + AsyncWrite + Unpin,
    http2: Http2,
    number: usize,
    scripts: Scripts,
    mut allowed: watch::Receiver<Option<u32>>,
    ledger: Ledger,
) -> Result<(), h2::Error> {
    let injector = Injector::default();
    let mut builder = h2::server::Builder::new();
    if let Some(max) = http2.max_concurrent_streams {
        builder.max_concurrent_streams(max);
    }
    if let Some(max) = *allowed.borrow_and_update() {
        injector.rewrite_settings(frame::setting(MAX_CONCURRENT_STREAMS, max));
    }
    let wire = Wire::new(io, injector.clone(), ledger.clone());
    let mut connection = builder.handshake::<_, Bytes>(wire).await?;
    let pings = connection.ping_pong().expect("asked for once");
    let control = Control { injector, pings: Arc::new(Mutex::new(pings)), close: Arc::new(Notify::new()) };
    // Dropped with this future: no call outlives its connection.
    let mut calls = JoinSet::new();
    let mut accepted_calls = 0;
    let mut ignored = Vec::new();
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(accepted) => {
                    let (request, respond) = accepted?;
                    if http2.requests_per_connection.is_some_and(|most| accepted_calls == most) {
                        ignored.push((request, respond));
                        continue;
                    }
                    accepted_calls += 1;
                    if http2.requests_per_connection == Some(accepted_calls) {
                        let payload = frame::go_away(respond.stream_id().as_u32(), 0);
                        control.injector.inject(frame::http2(frame::GOAWAY, 0, 0, &payload));
                    }
                    let (scripts, ledger, control) = (scripts.clone(), ledger.clone(), control.clone());
                    if request.uri().path() == probe::PATH {
                        calls.spawn(txn(request, respond, number, scripts, control, ledger));
                    } else {
                        let (call, open) = begin(&request, number, &ledger);
                        let answer = (scripts.calls)().answer(&call);
                        let performance = Performance::new(call, request, respond, control, ledger);
                        calls.spawn(performance.run(answer, open));
                    }
                }
                None => return Ok(()),
            },
            Some(ended) = calls.join_next() => {
                if let Err(panicked) = ended && let Ok(panic) = panicked.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
            Ok(()) = allowed.changed() => {
                if let Some(max) = *allowed.borrow_and_update() {
                    control.injector.rewrite_settings(frame::setting(MAX_CONCURRENT_STREAMS, max));
                    // h2 expects an acknowledgement for its own SETTINGS frames only, and the client acknowledges every
                    // frame. So one of h2's frames is rewritten instead of adding one.
                    connection.set_initial_window_size(DEFAULT_WINDOW)?;
                }
            }
            () = control.close.notified() => return Ok(()),
        }
    }
}

/// The script of a connection. Read at each call, because a test may change it.
#[derive(Clone)]
pub(super) struct Scripts {
    pub(super) calls: Arc<dyn Fn() -> Arc<dyn Script> + Send + Sync>,
    /// For the probes of a new connection.
    pub(super) probes: Arc<dyn Fn() -> Arc<dyn Script> + Send + Sync>,
}

/// A Txn, or the empty Txn that a client sends on each new connection. Only the contents of the request distinguish
/// them.
async fn txn(
    mut request: Request<RecvStream>,
    respond: Respond,
    connection: usize,
    scripts: Scripts,
    control: Control,
    ledger: Ledger,
) {
    let Ok((read, is_probe)) = probe::peek(request.body_mut()).await else { return };
    let (call, open, script) = if is_probe {
        let (number, open) = ledger.probe();
        (Call { path: probe::PATH.to_owned(), number, connection }, open, (scripts.probes)())
    } else {
        let (call, open) = begin(&request, connection, &ledger);
        (call, open, (scripts.calls)())
    };
    let answer = script.answer(&call);
    let performance = Performance::new(call, request, respond, control, ledger).having_read(read, is_probe);
    performance.run(answer, open).await;
}

fn begin(request: &Request<RecvStream>, connection: usize, ledger: &Ledger) -> (Call, Open) {
    let path = request.uri().path().to_owned();
    let (number, open) = ledger.call(&path);
    (Call { path, number, connection }, open)
}

pub(super) type Respond = SendResponse<Bytes>;
