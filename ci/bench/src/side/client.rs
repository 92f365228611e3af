//! This workspace's client through its public API.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use etcd_client_core::{Client, Compare, Get, Put};

use super::Side;
use crate::server::{KEY, VALUE_LENGTH};

const VALUE: &[u8] = &[b'v'; VALUE_LENGTH];

#[derive(Clone, Debug)]
pub(crate) struct Ours(Client);

/// The same client, with a put for each call.
#[derive(Clone, Debug)]
pub(crate) struct Putting(pub(crate) Ours);

/// The same client, with a transaction of one compare and one put for each call.
#[derive(Clone, Debug)]
pub(crate) struct Transacting(pub(crate) Ours);

impl Ours {
    pub(crate) async fn connect(endpoint: &str) -> anyhow::Result<Self> {
        let client = Client::builder([endpoint]).build()?;
        client.ready().await?;
        Ok(Self(client))
    }
}

impl Side for Ours {
    async fn call(&mut self) -> anyhow::Result<usize> {
        let response = self.0.get(Bytes::from_static(KEY)).await?;
        Ok(response.into_first().context("the key exists")?.value.len())
    }
}

impl Side for Putting {
    async fn call(&mut self) -> anyhow::Result<usize> {
        self.0.0.put(Bytes::from_static(KEY), Bytes::from_static(VALUE)).await?;
        Ok(VALUE_LENGTH)
    }
}

impl Side for Transacting {
    async fn call(&mut self) -> anyhow::Result<usize> {
        let key = Bytes::from_static(KEY);
        let put = Put::new(key.clone(), Bytes::from_static(VALUE));
        let txn =
            self.0.0.txn().when(Compare::version(key.clone()).equal(3)).then(put).or_else(Get::new(key));
        ensure!(txn.await?.succeeded(), "the compare fails");
        Ok(VALUE_LENGTH)
    }
}
