//! Members that say how they are, over `grpc.health.v1`.

use etcd_client_core::{Client, transport::Balance};
use etcd_proto::grpc_health_v1::{HealthCheckResponse, health_check_response::ServingStatus};
use etcd_testkit::scripted::{Answer, Call, Gate, Last, Server, Step, frame, reply};
use prost::Message as _;

use crate::{
    hostile::rig::{PUT, Rpc},
    servers::eventually,
};

const WATCH: &str = "/grpc.health.v1.Health/Watch";

fn says(status: ServingStatus) -> Step {
    Step::Data(frame::message(HealthCheckResponse { status: status.into() }.encode_to_vec()))
}

/// The beginning of a watch, which stays open.
fn watch(first: ServingStatus) -> Answer {
    vec![Step::ReadRequest, reply::head(), says(first)]
}

/// A server that answers the n-th watch with the n-th of these, later ones with the last; and takes every put.
async fn server(watches: Vec<Answer>) -> Server {
    let script = move |call: &Call| match call.path.as_str() {
        WATCH => watches[(call.number - 1).min(watches.len() - 1)].clone(),
        _ => reply::message(Rpc::Put.right()),
    };
    Server::start(script).await.expect("a free port")
}

fn client<'a>(servers: impl IntoIterator<Item = &'a Server>) -> Client {
    let endpoints = servers.into_iter().map(Server::endpoint);
    Client::builder(endpoints).balance(Balance::RoundRobin).health_hints().build().expect("valid")
}

/// How many of some puts a server gets.
async fn share(client: &Client, server: &Server) -> usize {
    let before = server.received(PUT);
    for _ in 0..10 {
        client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
    }
    server.received(PUT) - before
}

#[tokio::test]
async fn member_that_is_not_serving_is_avoided() {
    let gate = Gate::closed();
    let mut ailing = watch(ServingStatus::NotServing);
    ailing.extend([Step::Pause(gate.clone()), says(ServingStatus::Serving)]);
    let (ailing, well) = (server(vec![ailing]).await, server(vec![watch(ServingStatus::Serving)]).await);
    let client = client([&ailing, &well]);
    eventually("it is spared", async || share(&client, &ailing).await == 0).await;
    for _ in 0..5 {
        assert_eq!(share(&client, &ailing).await, 0);
    }
    gate.open();
    eventually("it is used again", async || share(&client, &ailing).await == 5).await;
    assert_eq!((ailing.received(WATCH), well.received(WATCH)), (1, 1));
}

#[tokio::test]
async fn health_status_is_valid_while_its_stream_lives() {
    let gate = Gate::closed();
    let mut ailing = watch(ServingStatus::NotServing);
    ailing.extend([Step::Pause(gate.clone()), reply::trailers("14", "server is stopping")]);
    let (ailing, well) =
        (server(vec![ailing, reply::hang()]).await, server(vec![watch(ServingStatus::Serving)]).await);
    let client = client([&ailing, &well]);
    eventually("it is spared", async || share(&client, &ailing).await == 0).await;
    gate.open();
    eventually("it is used again", async || share(&client, &ailing).await == 5).await;
    ailing.wait_until(|counts| counts.received(WATCH) == 2).await;
}

#[tokio::test]
async fn only_member_is_used_regardless_of_its_health() {
    let ailing = server(vec![watch(ServingStatus::NotServing)]).await;
    let client = client([&ailing]);
    ailing.wait_until(|counts| counts.received(WATCH) == 1).await;
    assert_eq!(share(&client, &ailing).await, 10);
}

#[tokio::test]
async fn member_without_health_service_is_checked_once_and_used() {
    let lacking = server(vec![reply::status(12, "unknown service grpc.health.v1.Health")]).await;
    let failing = server(vec![reply::status(14, "not yet")]).await;
    let client = client([&lacking, &failing]);
    failing.wait_until(|counts| counts.received(WATCH) == 4).await;
    eventually("it is used as the other one is", async || share(&client, &lacking).await == 5).await;
    assert_eq!(lacking.received(WATCH), 1);
}

#[tokio::test]
async fn health_watch_does_not_delay_a_draining_member() {
    let gate = Gate::closed();
    let mut leaving = watch(ServingStatus::Serving);
    leaving.extend([Step::Pause(gate.clone()), Step::GoAway { last: Last::Max, reason: 0 }, Step::Hang]);
    let mut later = watch(ServingStatus::Serving);
    later.push(Step::Hang);
    let server = server(vec![leaving, later]).await;
    let _client = client([&server]);
    server.wait_until(|counts| counts.received(WATCH) == 1 && counts.open_calls == 1).await;
    gate.open();
    // The first one was ended by the client, on a connection that closed with it.
    server.wait_until(|counts| counts.received(WATCH) == 2 && counts.open_calls == 1).await;
    server.wait_until(|counts| counts.connections == 3 && counts.open_connections == 2).await;
}
