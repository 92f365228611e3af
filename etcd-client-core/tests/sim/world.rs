//! A simulated network with model members, and a client's way into it.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use etcd_client_core::{Client, ClientBuilder, transport::Target, types::Address};
use tower_service::Service;
use turmoil::{Sim, net::TcpStream};

use crate::model::{Ledger, serve};

/// The names of the members, and their ids in the same order.
pub(crate) const NAMES: [&str; 3] = ["one", "two", "three"];
pub(crate) const CLIENT: &str = "client";

pub(crate) fn id(member: usize) -> u64 {
    member as u64 + 101
}

/// Dials inside of the simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Simulated;

impl Service<Target> for Simulated {
    type Response = TcpStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        Box::pin(async move {
            match target.endpoint.address() {
                Address::Tcp { host, port } => TcpStream::connect((&**host, *port)).await,
                _ => Err(io::ErrorKind::Unsupported.into()),
            }
        })
    }
}

/// Settings for a client of the first so many members.
pub(crate) fn builder(members: usize) -> ClientBuilder {
    Client::builder(NAMES[..members].iter().map(|name| format!("http://{name}:2379"))).connector(Simulated)
}

/// A network with so many members, which runs for at most `limit` of virtual time.
pub(crate) fn network(members: usize, limit: Duration) -> (Sim<'static>, Vec<Arc<Ledger>>) {
    let mut sim = turmoil::Builder::new()
        .simulation_duration(limit)
        .min_message_latency(Duration::from_micros(200))
        .max_message_latency(Duration::from_micros(400))
        .tcp_capacity(1 << 14)
        .rng_seed(7)
        .build();
    let ledgers: Vec<Arc<Ledger>> = (0..members).map(|_| Arc::default()).collect();
    for (member, ledger) in ledgers.iter().enumerate() {
        let ledger = Arc::clone(ledger);
        sim.host(NAMES[member], move || {
            let ledger = Arc::clone(&ledger);
            async move { Ok(serve(id(member), ledger).await?) }
        });
    }
    (sim, ledgers)
}

/// Cuts the link to a member without telling either side.
pub(crate) fn blackhole(member: usize) {
    turmoil::partition(CLIENT, NAMES[member]);
}

pub(crate) fn heal(member: usize) {
    turmoil::repair(CLIENT, NAMES[member]);
}
