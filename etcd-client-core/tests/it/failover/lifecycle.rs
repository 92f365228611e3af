//! The end of a client: by `close`, by dropping the last clone; seen from the server.

use std::time::Duration;

use etcd_client_core::{Client, Error, ErrorKind, Outcome};
use etcd_testkit::scripted::{Raw, Server, in_turn, reply};
use tokio::{task::JoinHandle, time::timeout};

use super::service::{PUT, RANGE, member};

const PATIENCE: Duration = Duration::from_secs(30);

fn hanging(client: &Client) -> [JoinHandle<Result<(), Error>>; 2] {
    let (reader, writer) = (client.clone(), client.clone());
    [
        tokio::spawn(async move { reader.get("k").await.map(drop) }),
        tokio::spawn(async move { writer.put("k", "v").await.map(drop) }),
    ]
}

#[tokio::test]
async fn close_ends_calls_in_flight_with_closed() {
    let servers = [Server::start(in_turn([reply::hang()])).await.expect("a free port"), member().await];
    servers[1].play(in_turn([reply::hang()]));
    for endpoints in [&servers[..1], &servers[..]] {
        let endpoints = endpoints.iter().map(Server::endpoint);
        let client = Client::builder(endpoints).no_timeout().build().expect("built");
        let received = || servers.iter().map(|s| s.received(PUT) + s.received(RANGE)).sum::<usize>();
        let before = received();
        let calls = hanging(&client);
        while received() < before + 2 {
            tokio::task::yield_now().await;
        }
        timeout(PATIENCE, client.close()).await.expect("close ends");
        for (call, outcome) in calls.into_iter().zip([Outcome::NotApplied, Outcome::Unknown]) {
            let error = timeout(PATIENCE, call).await.expect("ends").expect("joined").expect_err("closed");
            assert_eq!((error.kind(), error.outcome()), (ErrorKind::Closed, outcome), "{}", error.report());
        }
        for server in &servers {
            server.wait_until(|counts| counts.open_connections == 0).await;
        }
        assert_eq!(received(), before + 2, "nothing is sent again after close");
    }
}

#[tokio::test]
async fn dropping_the_last_clone_ends_tasks_and_connections() {
    let (server, silent) = (member().await, Server::raw(Raw::Silent).await.expect("a free port"));
    let nobody = format!("http://127.0.0.1:{}", super::service::free_port());
    let endpoints = [server.endpoint(), silent.endpoint(), nobody];
    let tasks_before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let server_tasks = 3;
    let client = Client::builder(endpoints).build().expect("built");
    client.put("k", "v").await.expect("put");
    silent.wait_until(|counts| counts.open_connections == 1).await;
    let clone = client.clone();
    drop(client);
    clone.get("k").await.expect("a clone lives on");
    drop(clone);
    server.wait_until(|counts| counts.open_connections == 0).await;
    silent.wait_until(|counts| counts.open_connections == 0).await;
    let none_left = async {
        while tokio::runtime::Handle::current().metrics().num_alive_tasks() > tasks_before + server_tasks {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, none_left).await.expect("no task of the client is left");
}

#[tokio::test]
async fn a_dropped_call_resets_its_stream_and_leaves_the_connection() {
    let server = Server::start(in_turn([reply::hang()])).await.expect("a free port");
    let client = Client::builder([server.endpoint()]).no_timeout().build().expect("built");
    let [get, put] = hanging(&client);
    server.wait_until(|counts| counts.received.len() == 2).await;
    get.abort();
    put.abort();
    server.wait_until(|counts| counts.open_calls == 0).await;
    assert_eq!(server.counts(|counts| (counts.connections, counts.open_connections)), (1, 1));
    server.play(super::service::answer);
    client.get("k").await.expect("the connection still works");
    assert_eq!(server.counts(|counts| counts.connections), 1);
}
