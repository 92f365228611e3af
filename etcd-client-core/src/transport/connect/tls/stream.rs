//! A TLS stream with descriptive errors. With TLS 1.3, a peer may reject the client's certificate after the handshake,
//! so the error arrives on a read or write.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use etcd_errors::ErrorTopic;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use crate::transport::connect::{BoxIo, described::Described, tls::describe::describe};

/// The byte stream below HTTP/2.
pub(crate) struct TlsIo {
    stream: TlsStream<BoxIo>,
    /// `true` if the client presents a certificate.
    identified: bool,
}

impl TlsIo {
    pub(crate) fn new(stream: TlsStream<BoxIo>, identified: bool) -> Self {
        Self { stream, identified }
    }
}

/// Describes the errors of rustls, which have the kind `InvalidData`. Socket errors pass through unchanged.
fn described<T>(polled: Poll<io::Result<T>>, identified: bool) -> Poll<io::Result<T>> {
    polled.map_err(|error| match error.kind() {
        kind @ io::ErrorKind::InvalidData => {
            io::Error::new(kind, Described::new(ErrorTopic::Tls, describe(&error, identified)))
        }
        _ => error,
    })
}

impl AsyncRead for TlsIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let identified = self.identified;
        described(Pin::new(&mut self.stream).poll_read(cx, buf), identified)
    }
}

impl AsyncWrite for TlsIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let identified = self.identified;
        described(Pin::new(&mut self.stream).poll_write(cx, buf), identified)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let identified = self.identified;
        described(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs), identified)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let identified = self.identified;
        described(Pin::new(&mut self.stream).poll_flush(cx), identified)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let identified = self.identified;
        described(Pin::new(&mut self.stream).poll_shutdown(cx), identified)
    }
}
