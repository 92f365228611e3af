//! The clients that are compared, each behind the same small seam.

mod client;
mod floor;
mod stub;

use clap::ValueEnum;

pub(crate) use self::{
    client::{Ours, Putting, Transacting},
    floor::Floor,
    stub::Stub,
};

/// One client. A clone shares the connection.
pub(crate) trait Side: Clone + Send + Sync + 'static {
    /// Makes one call and returns the length of the value that it read or wrote.
    fn call(&mut self) -> impl Future<Output = anyhow::Result<usize>> + Send;
}

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    /// `client.get(key).await` of this workspace, with its defaults: a deadline of 5 s among them.
    Ours,
    /// The generated stub on tonic's own `Channel`, with its defaults: no deadline.
    Tonic,
    /// Hand-written unary gRPC on h2 and nothing else: no pool, no deadline, no typed errors.
    Floor,
}

impl Name {
    pub(crate) const ALL: [Self; 3] = [Self::Ours, Self::Tonic, Self::Floor];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Tonic => "tonic",
            Self::Floor => "floor",
        }
    }
}
