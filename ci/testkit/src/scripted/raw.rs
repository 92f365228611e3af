//! Peers that do not speak HTTP/2.

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The behaviour of a peer on each connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Raw {
    /// Accepts it, reads, and says nothing.
    Silent,
    /// Accepts it and closes it.
    Close,
    /// Says this at once and closes when the client has.
    Say(Bytes),
}

impl Raw {
    /// The answer of a server that only knows HTTP/1.1.
    #[must_use]
    pub fn http1() -> Self {
        Self::Say(Bytes::from_static(
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nBad Request\r\n",
        ))
    }

    /// The answer of a server that wants TLS: a fatal `unexpected_message` alert (RFC 8446 section 6).
    #[must_use]
    pub fn tls_alert() -> Self {
        Self::Say(Bytes::from_static(&[21, 3, 3, 0, 2, 2, 10]))
    }

    pub(super) async fn serve(self, mut stream: TcpStream) {
        let said = match self {
            Self::Close => return,
            Self::Silent => Bytes::new(),
            Self::Say(said) => said,
        };
        if stream.write_all(&said).await.is_ok() {
            let mut ignored = [0; 1024];
            while matches!(stream.read(&mut ignored).await, Ok(read) if read > 0) {}
        }
    }
}
