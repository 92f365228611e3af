//! One call: takes the steps of its answer.

use std::{future::poll_fn, time::Duration};

use bytes::{Bytes, BytesMut};
use h2::{Ping, Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use tokio::time::{sleep, timeout};

use super::{
    connection::{Control, Respond},
    frame,
    ledger::{Ledger, Open, Received},
    script::{Answer, Call, Head, Last, Step},
};

const GRPC_HEADER: usize = 5;

/// The time after which the next step runs even if the client has not answered a PING.
const PING_PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Performance {
    call: Call,
    headers: HeaderMap,
    request: RecvStream,
    respond: Respond,
    body: Option<SendStream<Bytes>>,
    control: Control,
    ledger: Ledger,
    /// The part of the request that was read before the response was chosen.
    read: Bytes,
    is_probe: bool,
    /// Set if the call sent data that the client may not have read yet.
    unread: bool,
}

/// Nothing is left to do: the stream or the connection has ended.
struct Ended;

impl From<h2::Error> for Ended {
    fn from(_client_went: h2::Error) -> Self {
        Self
    }
}

impl Performance {
    pub(super) fn new(
        call: Call,
        request: Request<RecvStream>,
        respond: Respond,
        control: Control,
        ledger: Ledger,
    ) -> Self {
        let (head, request) = request.into_parts();
        let (read, is_probe) = (Bytes::new(), false);
        let headers = head.headers;
        Self { call, headers, request, respond, body: None, control, ledger, read, is_probe, unread: false }
    }

    /// The same call, of whose request this was read already.
    pub(super) fn having_read(self, read: Bytes, is_probe: bool) -> Self {
        Self { read, is_probe, ..self }
    }

    /// Takes every step, then waits for the client to end the call if none ended it. `open` counts the call as open
    /// until the last step begins: the client may start another one as soon as it sees that step.
    pub(super) async fn run(mut self, answer: Answer, open: Open) {
        let applied = !answer.iter().any(Step::disowns);
        let last = answer.len().saturating_sub(1);
        let mut open = Some(open);
        for (index, step) in answer.into_iter().enumerate() {
            if index == last && !matches!(step, Step::Hang | Step::Pause(_) | Step::Repeat(_)) {
                open = None;
            }
            if self.take(step, applied).await.is_err() {
                return;
            }
        }
        self.hang().await;
        drop(open);
    }

    async fn take(&mut self, step: Step, applied: bool) -> Result<(), Ended> {
        match step {
            Step::ReadRequest => self.read_request(applied).await?,
            Step::Head(head) => self.head(head)?,
            Step::Data(bytes) => self.data(bytes, false)?,
            Step::Repeat(bytes) => self.repeat(bytes).await?,
            Step::End => {
                self.data(Bytes::new(), true)?;
                return Err(Ended);
            }
            Step::Trailers(trailers) => {
                self.body()?.send_trailers(header_map(&trailers))?;
                return Err(Ended);
            }
            Step::Reset(reason) => {
                self.flushed().await;
                self.respond.send_reset(Reason::from(reason));
                return Err(Ended);
            }
            Step::GoAway { last, reason } => {
                self.flushed().await;
                let payload = frame::go_away(self.last(last), reason);
                self.control.injector.inject(frame::http2(frame::GOAWAY, 0, 0, &payload));
                self.unread = true;
            }
            Step::Frame { kind, flags, stream, payload } => {
                self.flushed().await;
                let stream = stream.unwrap_or_else(|| self.id());
                self.control.injector.inject(frame::http2(kind, flags, stream, &payload));
                self.unread = true;
            }
            Step::Close => {
                self.flushed().await;
                self.control.close.notify_one();
                self.hang().await;
                return Err(Ended);
            }
            Step::Pause(gate) => gate.passed().await,
            Step::Sleep(time) => sleep(time).await,
            Step::Hang => {
                self.hang().await;
                return Err(Ended);
            }
        }
        Ok(())
    }

    async fn read_request(&mut self, applied: bool) -> Result<(), Ended> {
        let mut body = BytesMut::from(&self.read[..]);
        // A request may stay open after its message.
        while !is_message(&body)
            && let Some(payload) = self.request.data().await
        {
            let payload = payload?;
            self.request.flow_control().release_capacity(payload.len())?;
            body.extend_from_slice(&payload);
        }
        let message = body.freeze();
        let message = message.slice(GRPC_HEADER.min(message.len())..);
        let (path, headers) = (self.call.path.clone(), self.headers.clone());
        let received = Received { path, headers, message, applied };
        if self.is_probe {
            self.ledger.probed(received)
        } else {
            self.ledger.received(received)
        }
        Ok(())
    }

    fn head(&mut self, head: Head) -> Result<(), Ended> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(head.status).expect("a script's status is one of HTTP");
        *response.headers_mut() = header_map(&head.headers);
        self.unread = true;
        self.body = Some(self.respond.send_response(response, head.end)?);
        if head.end { Err(Ended) } else { Ok(()) }
    }

    fn data(&mut self, bytes: Bytes, end: bool) -> Result<(), Ended> {
        self.unread = true;
        Ok(self.body()?.send_data(bytes, end)?)
    }

    async fn repeat(&mut self, bytes: Bytes) -> Result<(), Ended> {
        let mut rest = bytes.clone();
        loop {
            let body = self.body()?;
            body.reserve_capacity(rest.len());
            match poll_fn(|cx| body.poll_capacity(cx)).await {
                Some(capacity) => {
                    let now = capacity?.min(rest.len());
                    body.send_data(rest.split_to(now), false)?;
                }
                None => return Err(Ended),
            }
            if rest.is_empty() {
                rest = bytes.clone();
            }
        }
    }

    fn body(&mut self) -> Result<&mut SendStream<Bytes>, Ended> {
        Ok(self.body.as_mut().expect("a script sends a head before anything else"))
    }

    /// Waits until the client has read what was sent: it answers a PING after that. h2 would drop what it has not sent
    /// yet.
    async fn flushed(&mut self) {
        if std::mem::take(&mut self.unread) {
            let mut pings = self.control.pings.lock().await;
            let _ = timeout(PING_PATIENCE, pings.ping(Ping::opaque())).await;
        }
    }

    /// Waits until the client resets the stream; the end of the connection drops this call.
    async fn hang(&mut self) {
        let ended = match &mut self.body {
            Some(body) => poll_fn(|cx| body.poll_reset(cx)).await,
            None => poll_fn(|cx| self.respond.poll_reset(cx)).await,
        };
        drop(ended);
    }

    fn id(&self) -> u32 {
        self.respond.stream_id().as_u32()
    }

    fn last(&self, last: Last) -> u32 {
        match last {
            Last::Below => self.id().saturating_sub(2),
            Last::This => self.id(),
            Last::Max => i32::MAX as u32,
        }
    }
}

/// Returns `true` if a complete gRPC message has arrived.
fn is_message(body: &[u8]) -> bool {
    let length = body.get(1..GRPC_HEADER).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes);
    length.is_some_and(|length| body.len() >= GRPC_HEADER + length as usize)
}

fn header_map(headers: &[(String, Bytes)]) -> HeaderMap {
    let header = |(name, value): &(String, Bytes)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a script's header name is one of HTTP");
        let value = HeaderValue::from_bytes(value).expect("a script's header value is one of HTTP");
        (name, value)
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter().map(header) {
        map.append(name, value);
    }
    map
}
