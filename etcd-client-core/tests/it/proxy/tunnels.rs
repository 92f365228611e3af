//! A small CONNECT proxy that remembers what it was asked.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What the proxy does with a request.
#[derive(Clone, Debug)]
pub(super) enum Conduct {
    /// Opens the tunnel, to this endpoint if one is given, else to where the request says.
    Dial(Option<String>),
    /// Opens the tunnel to the endpoint for requests that carry this authorization; answers 407 to the others.
    Authorized(&'static str, String),
    /// Answers this.
    Status(&'static str),
}

/// Ends with this handle.
pub(super) struct Proxy {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    pub(super) async fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, conduct.clone(), Arc::clone(&seen)));
            }
        });
        Self { port, requests, accepting }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The request lines so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

async fn serve(mut client: TcpStream, conduct: Conduct, seen: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).expect("ASCII");
    let request = head.lines().next().expect("a request line").to_owned();
    let destination = request.split(' ').nth(1).expect("a destination").to_owned();
    let value = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    };
    assert_eq!(value("host"), Some(&*destination), "{head}");
    seen.lock().expect("no panic").push(request);
    let backend = match conduct {
        Conduct::Status(status) => return answer(&mut client, status).await,
        Conduct::Dial(backend) => {
            assert_eq!(value("proxy-authorization"), None, "{head}");
            backend.unwrap_or(destination)
        }
        Conduct::Authorized(expected, _) if value("proxy-authorization") != Some(expected) => {
            return answer(&mut client, "407 Proxy Authentication Required").await;
        }
        Conduct::Authorized(_, backend) => backend,
    };
    let mut member = TcpStream::connect(backend.trim_start_matches("http://")).await.expect("it listens");
    answer(&mut client, "200 Connection established").await;
    // Either end may go first.
    drop(copy_bidirectional(&mut client, &mut member).await);
}

async fn answer(client: &mut TcpStream, status: &str) {
    let length = if status.starts_with('2') { "" } else { "Content-Length: 5\r\n\r\nsorry" };
    let end = if length.is_empty() { "\r\n" } else { "" };
    client.write_all(format!("HTTP/1.1 {status}\r\n{length}{end}").as_bytes()).await.ok();
}
