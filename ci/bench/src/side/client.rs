//! This workspace's client through its public API.

use anyhow::Context as _;
use bytes::Bytes;
use etcd_client_core::Client;

use super::Side;
use crate::server::KEY;

#[derive(Clone, Debug)]
pub(crate) struct Ours(Client);

impl Ours {
    pub(crate) async fn connect(endpoint: &str) -> anyhow::Result<Self> {
        let client = Client::builder([endpoint]).build()?;
        client.ready().await?;
        Ok(Self(client))
    }
}

impl Side for Ours {
    async fn get(&mut self) -> anyhow::Result<usize> {
        let response = self.0.get(Bytes::from_static(KEY)).await?;
        Ok(response.into_first().context("the key exists")?.value.len())
    }
}
