//! Asks a member's plain metrics port whether it is healthy.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// etcd answers only after a linearizable read, which waits for a leader for up to 7 s.
const PATIENCE: Duration = Duration::from_secs(8);

/// True when `GET /health` says so, which takes a leader and a quorum.
pub(super) async fn is_healthy(port: u16) -> bool {
    matches!(timeout(PATIENCE, get(port)).await, Ok(Ok(answer)) if says_healthy(&answer))
}

async fn get(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn says_healthy(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200") && answer.contains("\"health\":\"true\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_true_counts() {
        assert!(says_healthy("HTTP/1.1 200 OK\r\n\r\n{\"health\":\"true\",\"reason\":\"\"}"));
        assert!(!says_healthy("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"health\":\"false\"}"));
        assert!(!says_healthy(""));
    }
}
