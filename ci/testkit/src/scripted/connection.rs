//! One HTTP/2 connection: accepts calls and has each performed.

use std::sync::Arc;

use bytes::Bytes;
use h2::{PingPong, RecvStream, server::SendResponse};
use http::Request;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Mutex, Notify},
    task::JoinSet,
};

use super::{
    ledger::{Ledger, Open},
    perform::Performance,
    script::{Call, Script},
    wire::{Injector, Wire},
};

/// How a server speaks HTTP/2.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Http2 {
    pub(super) max_concurrent_streams: Option<u32>,
}

/// What calls do to their connection.
#[derive(Clone, Debug)]
pub(super) struct Control {
    pub(super) injector: Injector,
    pub(super) pings: Arc<Mutex<PingPong>>,
    pub(super) close: Arc<Notify>,
}

/// Serves until the client closes the connection or a step does.
pub(super) async fn serve(
    io: impl AsyncRead + AsyncWrite + Unpin,
    http2: Http2,
    number: usize,
    script: impl Fn() -> Arc<dyn Script>,
    ledger: Ledger,
) -> Result<(), h2::Error> {
    let injector = Injector::default();
    let mut builder = h2::server::Builder::new();
    if let Some(max) = http2.max_concurrent_streams {
        builder.max_concurrent_streams(max);
    }
    let wire = Wire::new(io, injector.clone(), ledger.clone());
    let mut connection = builder.handshake::<_, Bytes>(wire).await?;
    let pings = connection.ping_pong().expect("asked for once");
    let control = Control { injector, pings: Arc::new(Mutex::new(pings)), close: Arc::new(Notify::new()) };
    // Dropped with this future: no call outlives its connection.
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(accepted) => {
                    let (request, respond) = accepted?;
                    let (call, open) = begin(&request, number, &ledger);
                    let answer = script().answer(&call);
                    let performance = Performance::new(call, request, respond, control.clone(), ledger.clone());
                    calls.spawn(performance.run(answer, open));
                }
                None => return Ok(()),
            },
            Some(ended) = calls.join_next() => {
                if let Err(panicked) = ended && let Ok(panic) = panicked.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
            () = control.close.notified() => return Ok(()),
        }
    }
}

fn begin(request: &Request<RecvStream>, connection: usize, ledger: &Ledger) -> (Call, Open) {
    let path = request.uri().path().to_owned();
    let (number, open) = ledger.call(&path);
    (Call { path, number, connection }, open)
}

pub(super) type Respond = SendResponse<Bytes>;
