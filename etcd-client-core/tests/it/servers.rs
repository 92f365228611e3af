//! Real members: one that many tests share, one that is lent to a test at a time, and what a member's metrics say.

use std::{
    fmt::Display,
    net::{Ipv4Addr, SocketAddr},
    sync::OnceLock,
    thread,
    time::Duration,
};

use etcd_client_core::Client;
use etcd_testkit::{Builder, Cluster, Member};
use tokio::{
    net::TcpStream,
    runtime,
    sync::{Mutex, MutexGuard},
    time::{sleep, timeout},
};

/// What no wait of a test exceeds: only a failing test takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(20);

/// A member for tests that keep to keys of their own; `None` where the test has to be skipped.
pub(crate) fn shared() -> Option<&'static Cluster> {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    start_once(&SHARED, Cluster::builder())
}

/// A member whose store belongs to one test at a time.
pub(crate) struct Lent {
    pub(crate) cluster: &'static Cluster,
    _turn: MutexGuard<'static, ()>,
}

/// Waits for its turn and empties the store.
pub(crate) async fn lent() -> Option<Lent> {
    static LENT: OnceLock<Cluster> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::const_new(());
    let cluster = start_once(&LENT, Cluster::builder())?;
    let lent = Lent { cluster, _turn: TURN.lock().await };
    let client = client(cluster.endpoints());
    client.delete("").all_keys().await.expect("the store is emptied");
    client.close().await;
    Some(lent)
}

/// On a thread of its own: the runtime of the first test that asks ends with that test. The members end with the process.
pub(crate) fn start_once(slot: &'static OnceLock<Cluster>, builder: Builder) -> Option<&'static Cluster> {
    let binaries = etcd_testkit::require()?;
    Some(slot.get_or_init(|| {
        let starting = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(builder.binaries(binaries).start())
        });
        starting.join().expect("no panic").expect("etcd starts")
    }))
}

/// A client with default settings.
pub(crate) fn client<E: AsRef<str>>(endpoints: impl IntoIterator<Item = E>) -> Client {
    Client::builder(endpoints).build().expect("the endpoints are valid")
}

/// Waits until `condition` holds.
pub(crate) async fn eventually(what: impl Display, mut condition: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !condition().await {
            sleep(POLL).await;
        }
    };
    assert!(timeout(PATIENCE, looking).await.is_ok(), "still waiting until {what}");
}

/// The sum of the samples of a metric whose labels hold all of `labels`.
pub(crate) async fn metric(member: &Member, name: &str, labels: &[&str]) -> f64 {
    let answer = timeout(PATIENCE, metrics(member)).await.expect("in time").expect("metrics are served");
    answer
        .lines()
        .filter_map(|line| line.strip_prefix(name))
        .filter(|sample| sample.starts_with([' ', '{']) && labels.iter().all(|label| sample.contains(label)))
        .filter_map(|sample| sample.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

async fn metrics(member: &Member) -> std::io::Result<String> {
    let endpoint = member.metrics_endpoint();
    let port = endpoint.rsplit(':').next().and_then(|port| port.parse().ok()).expect("it ends with a port");
    let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let mut request: &[u8] = b"GET /metrics HTTP/1.0\r\n\r\n";
    while !request.is_empty() {
        stream.writable().await?;
        match stream.try_write(request) {
            Ok(written) => request = &request[written..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    let mut answer = Vec::new();
    loop {
        stream.readable().await?;
        match stream.try_read_buf(&mut answer) {
            Ok(0) => return Ok(String::from_utf8_lossy(&answer).into_owned()),
            Ok(_) => answer.reserve(16 * 1024),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
