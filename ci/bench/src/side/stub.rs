//! The generated stub on tonic's `Channel`.

use anyhow::Context as _;
use bytes::Bytes;
use etcd_proto::etcdserverpb::{RangeRequest, kv_client::KvClient};
use tonic::transport::{Channel, Endpoint};

use super::Side;
use crate::server::KEY;

#[derive(Clone, Debug)]
pub(crate) struct Stub(KvClient<Channel>);

impl Stub {
    pub(crate) async fn connect(endpoint: &str) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(endpoint.to_owned())?.connect().await?;
        Ok(Self(KvClient::new(channel)))
    }
}

impl Side for Stub {
    async fn call(&mut self) -> anyhow::Result<usize> {
        let request = RangeRequest { key: Bytes::from_static(KEY), ..Default::default() };
        let response = self.0.range(request).await?.into_inner();
        Ok(response.kvs.into_iter().next().context("the key exists")?.value.len())
    }
}
