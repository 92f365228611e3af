//! The answers of a call, one by one.

use std::marker::PhantomData;

use anyhow::{Context as _, bail};
use bytes::{Buf as _, Bytes, BytesMut};
use h2::{RecvStream, SendStream, client::ResponseFuture};
use http::HeaderMap;
use prost::Message;

/// The flag and the length before a message.
const PREFIX: usize = 5;

/// The responses of a member. Dropping this ends the call.
#[derive(Debug)]
pub(crate) struct Answers<R> {
    body: RecvStream,
    received: BytesMut,
    /// Holds the request open.
    _request: Option<SendStream<Bytes>>,
    message: PhantomData<fn() -> R>,
}

impl<R: Message + Default> Answers<R> {
    pub(super) async fn of(
        response: ResponseFuture,
        request: Option<SendStream<Bytes>>,
    ) -> anyhow::Result<Self> {
        let (head, body) = response.await?.into_parts();
        check(&head.headers)?;
        Ok(Self { body, received: BytesMut::new(), _request: request, message: PhantomData })
    }

    /// The next answer; nothing at the end of a call that succeeded.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<R>> {
        loop {
            if let Some(answer) = self.take()? {
                return Ok(Some(answer));
            }
            match self.body.data().await {
                Some(data) => {
                    let data = data?;
                    self.body.flow_control().release_capacity(data.len())?;
                    self.received.extend_from_slice(&data);
                }
                None => {
                    check(&self.body.trailers().await?.unwrap_or_default())?;
                    return Ok(None);
                }
            }
        }
    }

    /// A whole message of what was received.
    fn take(&mut self) -> anyhow::Result<Option<R>> {
        let Some((prefix, rest)) = self.received.split_first_chunk::<PREFIX>() else { return Ok(None) };
        let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
        if rest.len() < length {
            return Ok(None);
        }
        self.received.advance(PREFIX);
        R::decode(self.received.split_to(length).freeze()).map(Some).context("an answer does not decode")
    }
}

/// Checks that the headers or trailers report success, or no status yet.
fn check(headers: &HeaderMap) -> anyhow::Result<()> {
    let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    match text("grpc-status") {
        Some(status) if status != "0" => {
            bail!("status {status}: {}", text("grpc-message").unwrap_or_default())
        }
        _ => Ok(()),
    }
}
