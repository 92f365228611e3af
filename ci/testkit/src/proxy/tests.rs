//! Each verb does what it says, seen from plain sockets at both ends.

use std::{
    io::{self, ErrorKind},
    net::Ipv4Addr,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// The time in which something must not happen that would happen at once.
const SOON: Duration = Duration::from_millis(100);

/// A server whose end of each connection is in the test's hands.
struct Rig {
    proxy: Proxy,
    listener: TcpListener,
}

impl Rig {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Proxy::to(&listener.local_addr().unwrap().to_string()).unwrap();
        Self { proxy, listener }
    }

    async fn dial(&self) -> io::Result<TcpStream> {
        TcpStream::connect(self.proxy.address()).await
    }

    /// Both ends of a connection that has carried a byte each way.
    async fn pair(&self) -> (TcpStream, TcpStream) {
        let mut client = self.dial().await.unwrap();
        let (mut server, _) = timeout(PATIENCE, self.listener.accept()).await.unwrap().unwrap();
        carries(&mut client, &mut server).await;
        (client, server)
    }
}

async fn carries(client: &mut TcpStream, server: &mut TcpStream) {
    client.write_all(b"?").await.unwrap();
    assert_eq!(take(server, 1).await.unwrap(), b"?");
    server.write_all(b"!").await.unwrap();
    assert_eq!(take(client, 1).await.unwrap(), b"!");
}

async fn take(from: &mut TcpStream, bytes: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; bytes];
    timeout(PATIENCE, from.read_exact(&mut buffer)).await.expect("it arrives")?;
    Ok(buffer)
}

/// All until the end, and how it ended.
async fn rest(from: &mut TcpStream) -> (Vec<u8>, io::Result<()>) {
    let mut got = Vec::new();
    let end = timeout(PATIENCE, from.read_to_end(&mut got)).await.expect("it ends");
    (got, end.map(drop))
}

async fn assert_reset(mut end: TcpStream) {
    let error = rest(&mut end).await.1.expect_err("an orderly end");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

async fn assert_silent(end: &mut TcpStream) {
    assert!(timeout(SOON, end.read(&mut [0; 1])).await.is_err(), "something arrived");
}

#[tokio::test]
async fn everything_passes_until_told_otherwise() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    let sent: Vec<u8> = (0..1_000_000_u32).map(|n| n as u8).collect();
    let copy = sent.clone();
    let sending = tokio::spawn(async move {
        client.write_all(&copy).await.unwrap();
        client.shutdown().await.unwrap();
        client
    });
    assert_eq!(rest(&mut server).await.0, sent);
    server.write_all(b"bye").await.unwrap();
    drop(server);
    assert_eq!(rest(&mut sending.await.unwrap()).await.0, b"bye");
    rig.proxy.wait_until(|counts| counts.open == 0).await;
    let Counts { connects, served, traffic, .. } = rig.proxy.counts();
    assert_eq!((connects, served), (1, 1));
    assert_eq!(traffic.to_server, Flow { read: 1_000_001, written: 1_000_001 });
    assert_eq!(traffic.to_client, Flow { read: 4, written: 4 });
    assert!(rig.proxy.connections().is_empty());
}

#[tokio::test]
async fn delay_keeps_the_order_and_ends_when_healed() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    let by = Duration::from_millis(500);
    rig.proxy.fault(Direction::ToServer, Fault::Delay { by, jitter: by / 2 });
    let started = Instant::now();
    for n in 0..20 {
        client.write_all(&[n]).await.unwrap();
    }
    assert_eq!(take(&mut server, 20).await.unwrap(), (0..20).collect::<Vec<u8>>());
    assert!(started.elapsed() >= by / 2, "{:?}", started.elapsed());
    // Longer than anybody waits here.
    rig.proxy.fault(Direction::ToServer, Fault::Delay { by: 2 * PATIENCE, jitter: Duration::ZERO });
    client.write_all(b"x").await.unwrap();
    server.write_all(b"x").await.unwrap();
    assert_eq!(take(&mut client, 1).await.unwrap(), b"x", "the other direction waits too");
    assert_silent(&mut server).await;
    rig.proxy.heal().await;
    take(&mut server, 1).await.unwrap();
}

#[tokio::test]
async fn each_piece_is_delayed_by_itself_however_many_are_under_way() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    let by = Duration::from_millis(700);
    rig.proxy.fault(Direction::ToServer, Fault::delay(by));
    let mut sent = Vec::new();
    for n in 0..100_u8 {
        sent.push(Instant::now());
        client.write_all(&[n]).await.unwrap();
        rig.proxy.wait_until(|counts| counts.traffic.to_server.read == 2 + u64::from(n)).await;
    }
    for (n, sent) in sent.into_iter().enumerate() {
        assert_eq!(take(&mut server, 1).await.unwrap(), [n as u8]);
        assert!(sent.elapsed() >= by, "piece {n} was early: {:?}", sent.elapsed());
    }
    rig.proxy.wait_until(|counts| counts.traffic.to_server.written == 101).await;
    assert_eq!(rig.proxy.under_way(Direction::Both), 0);
}

#[tokio::test]
async fn a_held_direction_arrives_when_released() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    rig.proxy.hold(Direction::ToServer);
    // One piece each: the bound is in bytes.
    for n in 0..500_u64 {
        client.write_all(&[n as u8]).await.unwrap();
        rig.proxy.wait_until(|counts| counts.traffic.to_server.read == 2 + n).await;
    }
    server.write_all(b"x").await.unwrap();
    assert_eq!(take(&mut client, 1).await.unwrap(), b"x", "the other direction is open");
    assert_silent(&mut server).await;
    assert_eq!(rig.proxy.under_way(Direction::ToServer), 500);
    rig.proxy.release(Direction::ToServer);
    assert_eq!(take(&mut server, 500).await.unwrap(), (0..500).map(|n: u64| n as u8).collect::<Vec<_>>());
    carries(&mut client, &mut server).await;
    rig.proxy.wait_until(|counts| counts.traffic.to_server.written == 502).await;
    assert_eq!(rig.proxy.under_way(Direction::ToServer), 0);
}

#[tokio::test]
async fn what_is_held_or_delayed_is_bounded_and_backs_up_to_the_sender() {
    let long = Fault::delay(2 * PATIENCE);
    for fault in [Fault::Hold, long] {
        let rig = Rig::start().await;
        let (mut client, mut server) = rig.pair().await;
        rig.proxy.fault(Direction::ToServer, fault);
        let mut sent = 0;
        while let Ok(written) = timeout(SOON, client.write(&[1; 64 * 1024])).await {
            sent += written.unwrap();
            assert!(sent < 100_000_000, "{fault:?} has no bound");
        }
        assert!(rig.proxy.under_way(Direction::ToServer) <= Fault::UNDER_WAY as u64 + 16 * 1024);
        rig.proxy.heal().await;
        client.shutdown().await.unwrap();
        assert_eq!(rest(&mut server).await.0.len(), sent, "{fault:?}");
    }
}

/// The ways in which a client closes its connection, and what the server reads after the request.
#[tokio::test]
async fn a_request_arrives_after_its_connection_was_given_up() {
    for (fault, reset, answered) in [
        (Fault::Hold, false, false),
        (Fault::Hold, false, true),
        (Fault::Hold, true, false),
        (Fault::Hold, true, true),
        (Fault::delay(2 * PATIENCE), false, true),
        (Fault::delay(2 * PATIENCE), true, true),
    ] {
        let what = format!("{fault:?}, reset: {reset}, answered: {answered}");
        let rig = Rig::start().await;
        let (mut client, mut server) = rig.pair().await;
        rig.proxy.fault(Direction::ToServer, fault);
        client.write_all(b"request").await.unwrap();
        if reset {
            crate::relay::reset_on_close(&client);
        }
        drop(client);
        rig.proxy.wait_until(|counts| counts.traffic.to_server.read == 8).await;
        if answered {
            // The proxy finds out that the client is gone, and does not say so.
            for _ in 0..20 {
                server.write_all(b"answer").await.unwrap();
                tokio::time::sleep(SOON / 20).await;
            }
        }
        assert_silent(&mut server).await;
        assert_eq!(rig.proxy.under_way(Direction::ToServer), 7, "{what}");
        rig.proxy.release(Direction::ToServer);
        assert_eq!(take(&mut server, 7).await.unwrap(), b"request", "{what}");
        let (more, end) = rest(&mut server).await;
        assert!(more.is_empty(), "{what}");
        assert!(end.is_err() || !reset, "{what}: {end:?}");
        drop(server);
        rig.proxy.wait_until(|counts| counts.open == 0).await;
    }
}

#[tokio::test]
async fn without_a_fault_a_reset_passes_behind_the_bytes_before_it() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    client.write_all(b"last").await.unwrap();
    rig.proxy.wait_until(|counts| counts.traffic.to_server.written == 5).await;
    crate::relay::reset_on_close(&client);
    drop(client);
    assert_eq!(take(&mut server, 4).await.unwrap(), b"last");
    assert_reset(server).await;
}

#[tokio::test]
async fn one_connection_is_held_and_released_by_itself() {
    let rig = Rig::start().await;
    let (mut hit, mut hit_end) = rig.pair().await;
    let (mut spared, mut spared_end) = rig.pair().await;
    let held = &rig.proxy.connections()[0];
    held.hold(Direction::ToServer);
    hit.write_all(b"x").await.unwrap();
    assert_silent(&mut hit_end).await;
    carries(&mut spared, &mut spared_end).await;
    assert_eq!((held.under_way(Direction::ToServer), held.under_way(Direction::ToClient)), (1, 0));
    held.release(Direction::ToServer);
    assert_eq!(take(&mut hit_end, 1).await.unwrap(), b"x");
}

#[tokio::test]
async fn a_throttled_direction_keeps_to_its_rate() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    rig.proxy.fault(Direction::ToClient, Fault::Throttle { bytes_per_second: 100_000 });
    let started = Instant::now();
    server.write_all(&[7; 40_000]).await.unwrap();
    take(&mut client, 40_000).await.unwrap();
    let took = started.elapsed();
    assert!((Duration::from_millis(300)..Duration::from_secs(5)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_blackhole_swallows_bytes_and_ends_and_healing_resets() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    let (mut spared, mut other) = rig.pair().await;
    rig.proxy.fault(Direction::ToServer, Fault::Blackhole);
    client.write_all(b"lost").await.unwrap();
    rig.proxy.wait_until(|counts| counts.traffic.to_server.read == 6).await;
    client.shutdown().await.unwrap();
    server.write_all(b"x").await.unwrap();
    assert_eq!(take(&mut client, 1).await.unwrap(), b"x", "the other direction is open");
    assert_silent(&mut server).await;
    assert_eq!(rig.proxy.counts().traffic.to_server.written, 2);
    rig.proxy.heal().await;
    assert_reset(server).await;
    carries(&mut spared, &mut other).await;
}

#[tokio::test]
async fn a_blackhole_hides_that_an_end_was_reset() {
    let rig = Rig::start().await;
    let (client, mut server) = rig.pair().await;
    rig.proxy.fault(Direction::Both, Fault::Blackhole);
    crate::relay::reset_on_close(&client);
    drop(client);
    assert_silent(&mut server).await;
    rig.proxy.heal().await;
    assert_reset(server).await;
}

#[tokio::test]
async fn a_closed_window_stops_the_sender_and_nothing_is_lost() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    rig.proxy.fault(Direction::ToServer, Fault::ZeroWindow);
    let mut sent = 0;
    while let Ok(written) = timeout(SOON, client.write(&[1; 64 * 1024])).await {
        sent += written.unwrap();
        assert!(sent < 100_000_000, "the window never closes");
    }
    assert_silent(&mut server).await;
    server.write_all(b"x").await.unwrap();
    assert_eq!(take(&mut client, 1).await.unwrap(), b"x", "the other direction is open");
    rig.proxy.heal().await;
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut server).await.0.len(), sent);
}

#[tokio::test]
async fn reset_reaches_both_ends() {
    let rig = Rig::start().await;
    let (client, server) = rig.pair().await;
    rig.proxy.reset();
    assert_reset(client).await;
    assert_reset(server).await;
    let (mut client, mut server) = rig.pair().await;
    carries(&mut client, &mut server).await;
}

#[tokio::test]
async fn one_direction_finishes_while_the_other_goes_on() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    rig.proxy.finish(Direction::ToServer);
    let (got, end) = rest(&mut server).await;
    assert!(got.is_empty() && end.is_ok(), "{got:?} {end:?}");
    client.write_all(b"swallowed").await.unwrap();
    server.write_all(b"x").await.unwrap();
    assert_eq!(take(&mut client, 1).await.unwrap(), b"x");
    drop(server);
    assert_eq!(rest(&mut client).await.0, b"");
}

#[tokio::test]
async fn a_cut_comes_after_so_many_bytes_on_each_connection() {
    let rig = Rig::start().await;
    let (mut open, mut end) = rig.pair().await;
    rig.proxy.fault(Direction::ToServer, Fault::CutAfter(5));
    open.write_all(b"0123456789").await.unwrap();
    assert_eq!(take(&mut end, 5).await.unwrap(), b"01234");
    assert_reset(end).await;
    assert_reset(open).await;
    let mut later = rig.dial().await.unwrap();
    let (mut end, _) = rig.listener.accept().await.unwrap();
    later.write_all(b"abc").await.unwrap();
    assert_eq!(take(&mut end, 3).await.unwrap(), b"abc");
    later.write_all(b"defgh").await.unwrap();
    assert_eq!(take(&mut end, 2).await.unwrap(), b"de");
    assert_reset(end).await;
}

#[tokio::test]
async fn one_byte_is_corrupted() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    rig.proxy.fault(Direction::ToServer, Fault::CorruptAfter(4));
    client.write_all(b"abc").await.unwrap();
    assert_eq!(take(&mut server, 3).await.unwrap(), b"abc");
    client.write_all(b"def").await.unwrap();
    assert_eq!(take(&mut server, 3).await.unwrap(), [b'd', !b'e', b'f']);
}

#[tokio::test]
async fn a_fault_of_one_connection_spares_the_others() {
    let rig = Rig::start().await;
    let (mut hit, mut hit_end) = rig.pair().await;
    let (mut spared, mut spared_end) = rig.pair().await;
    let connections = rig.proxy.connections();
    assert_eq!(connections[0].client(), hit.local_addr().unwrap());
    connections[0].fault(Direction::Both, Fault::ZeroWindow);
    hit.write_all(b"x").await.unwrap();
    assert_silent(&mut hit_end).await;
    carries(&mut spared, &mut spared_end).await;
    connections[0].heal();
    assert_eq!(take(&mut hit_end, 1).await.unwrap(), b"x");
    rig.proxy.wait_until(|counts| counts.traffic.to_server.written == 4).await;
    assert_eq!(connections[0].traffic().to_server.written, 2);
    connections[0].reset();
    assert_reset(hit).await;
    connections[1].finish(Direction::ToClient);
    assert!(rest(&mut spared).await.1.is_ok());
}

#[tokio::test]
async fn a_silent_proxy_accepts_and_serves_when_healed() {
    let rig = Rig::start().await;
    rig.proxy.accept(Accept::Silent).await;
    let mut client = rig.dial().await.unwrap();
    client.write_all(b"x").await.unwrap();
    assert_silent(&mut client).await;
    assert_eq!((rig.proxy.counts().connects, rig.proxy.counts().served), (1, 0));
    rig.proxy.heal().await;
    let (mut server, _) = timeout(PATIENCE, rig.listener.accept()).await.unwrap().unwrap();
    assert_eq!(take(&mut server, 1).await.unwrap(), b"x");
}

#[tokio::test]
async fn a_proxy_resets_or_refuses_clients_until_it_is_healed() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    rig.proxy.accept(Accept::Reset).await;
    match rig.dial().await {
        Ok(client) => assert_reset(client).await,
        // So early that connecting fails.
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    for _ in 0..2 {
        rig.proxy.accept(Accept::Refuse).await;
        assert_eq!(rig.dial().await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        carries(&mut client, &mut server).await;
        rig.proxy.heal().await;
        rig.pair().await;
    }
    assert_eq!((rig.proxy.counts().connects, rig.proxy.counts().served), (4, 3));
}

#[tokio::test]
async fn where_the_server_refuses_the_client_is_reset() {
    let Rig { proxy, listener } = Rig::start().await;
    drop(listener);
    // The refusal may come so early that connecting fails.
    if let Ok(client) = TcpStream::connect(proxy.address()).await {
        assert_reset(client).await;
    }
    assert_eq!((proxy.counts().connects, proxy.counts().served), (1, 0));
}

#[tokio::test]
async fn dropping_it_ends_everything() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    let address = rig.proxy.address();
    drop(rig);
    let (_, _) = (rest(&mut client).await, rest(&mut server).await);
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(PATIENCE, refused).await.expect("the port is closed");
}

#[test]
fn the_scheme_of_the_server_is_kept() {
    let proxy = Proxy::to("https://127.0.0.1:1").unwrap();
    assert_eq!(proxy.endpoint(), format!("https://{}", proxy.address()));
    assert!(Proxy::to("127.0.0.1:1").unwrap().endpoint().starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn a_balancer_takes_servers_in_turn_leaves_out_the_dead_and_closes_what_is_idle() {
    let mut listeners = Vec::new();
    for _ in 0..3 {
        listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
    }
    let addresses: Vec<String> =
        listeners.iter().map(|listener| listener.local_addr().unwrap().to_string()).collect();
    // The second server is gone.
    drop(listeners.remove(1));
    let proxy = Proxy::balancing(&addresses, Some(SOON)).unwrap();
    let mut reached = Vec::new();
    for _ in 0..4 {
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        client.write_all(b"x").await.unwrap();
        let (server, (mut stream, _)) = tokio::select! {
            accepted = listeners[0].accept() => (0, accepted.unwrap()),
            accepted = listeners[1].accept() => (2, accepted.unwrap()),
        };
        let mut byte = [0; 1];
        stream.read_exact(&mut byte).await.unwrap();
        assert_eq!(proxy.connections().last().unwrap().server(), server);
        reached.push(server);
        // It is idle from now on, and ends in an orderly way.
        let ended = timeout(PATIENCE, client.read(&mut byte)).await.unwrap();
        assert_eq!(ended.unwrap(), 0);
    }
    assert_eq!(reached, [0, 2, 2, 0]);
}

#[tokio::test]
async fn a_large_piece_is_lost_with_all_that_follows_it() {
    let rig = Rig::start().await;
    let (mut client, mut server) = rig.pair().await;
    rig.proxy.fault(Direction::ToServer, Fault::LoseLarger(100));
    client.write_all(&[b'a'; 100]).await.unwrap();
    assert_eq!(take(&mut server, 100).await.unwrap(), [b'a'; 100]);
    client.write_all(&[b'b'; 101]).await.unwrap();
    rig.proxy.wait_until(|counts| counts.traffic.to_server.read >= 1 + 100 + 101).await;
    client.write_all(b"c").await.unwrap();
    let mut byte = [0];
    assert!(timeout(SOON, server.read(&mut byte)).await.is_err(), "nothing arrives");
    server.write_all(b"!").await.unwrap();
    assert_eq!(take(&mut client, 1).await.unwrap(), b"!", "the other direction works");
    rig.proxy.heal().await;
    let ended = timeout(PATIENCE, client.read(&mut byte)).await.expect("it is reset");
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
}
